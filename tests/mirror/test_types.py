"""A value of the wrong type is refused by both databases alike, and breaks no page."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from models import Customer, InboxItem
from services.mirror import aside, inbox
from services.mirror.batch import Batch
from services.mirror.tables import table
from tests.mirror import objects as o
from tests.mirror.objects import NOW

pytestmark = pytest.mark.both_databases

WRONG: tuple[dict[str, Any], ...] = (
    {"name": 5},
    {"name": ["Ada"]},
    {"email": {"at": "home"}},
    {"created": "yesterday"},
    {"created": "1800000000"},
    {"balance": 1.5},
    {"balance": 2.0},
    {"balance": True},
)


@pytest.mark.parametrize("fields", WRONG, ids=str)
def test_a_value_of_the_wrong_type_lies_aside_and_all_else_is_stored(
    database: ModuleType, fields: dict[str, Any]
) -> None:
    batch = Batch()
    batch.add(o.customer("cus_odd", **fields), NOW)
    batch.add(o.customer("cus_fine"), NOW)
    aside.write(batch)
    with database.session() as session:
        assert session.connection().execute(sa.select(table(Customer).c.id)).scalars().all() == ["cus_fine"]
        [kept] = session.exec(select(InboxItem)).all()
    assert (kept.id, kept.state) == ("cus_odd", "failed")
    assert kept.error.startswith("The customer “cus_odd” holds something that the database cannot store.")


@pytest.mark.parametrize("created", ["yesterday", 1.5, None, [1]], ids=str)
def test_an_event_whose_time_is_none_is_kept_with_its_reason(database: ModuleType, created: Any) -> None:
    told = {"id": "evt_odd", "type": "customer.updated", "created": created, "data": {"object": o.customer()}}
    with database.transaction() as session:
        assert inbox.put(session, [told], "webhook") == 1
    assert inbox.drain() == inbox.Drained(failed=1)
    with database.session() as session:
        assert "not an event" in session.exec(select(InboxItem.error)).one()
