"""Who is to be counted is noted while others are taken off the list."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest
import sqlalchemy as sa

from services.metrics.counting import waiting

_WAITS = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_taking_customers_off_the_list_waits_for_who_notes_them_and_not_the_other_way_round(
    database: ModuleType,
) -> None:
    for customer in ("cus_c", "cus_b", "cus_a", "cus_Z"):  # they lie in the table as they came
        with database.transaction() as session:
            waiting.mark(session, [customer])
    with database.session() as session:
        seen = waiting.due(session, 1, 10)

    def _settle() -> None:
        with database.transaction() as session:
            for how in ("indexscan", "bitmapscan", "indexonlyscan"):
                session.execute(sa.text(f"SET LOCAL enable_{how} = off"))
            waiting.settle(session, seen, {})

    with ThreadPoolExecutor() as pool:
        with database.transaction() as session:
            waiting.mark(session, ["cus_Z"])
            settled = pool.submit(_settle)
            while not _is_anybody_waiting(database):
                assert not settled.done()
            waiting.mark(session, ["cus_a", "cus_b", "cus_c"])
        settled.result()
    with database.session() as session:
        assert waiting.left(session, 1) == 4


def _is_anybody_waiting(database: ModuleType) -> bool:
    with database.session() as session:
        return bool(session.execute(_WAITS).scalar())
