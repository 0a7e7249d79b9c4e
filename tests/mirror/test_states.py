"""The log of how subscriptions stood: the same in whatever order their snapshots come."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from models import SubscriptionState
from services.mirror import states
from services.mirror.batch import Batch
from services.mirror.resolve import Incoming
from tests.mirror import objects as o
from tests.mirror.objects import NOW, Object

pytestmark = pytest.mark.both_databases
Told = tuple[int, str]  # when, and which status


def snapshot(status: str, **fields: Any) -> Object:
    return o.subscription(status=status, **fields)


def event(at: int, source: Object) -> Incoming:
    return Incoming(
        {
            "id": f"evt_{at}_{source['status']}",
            "type": "customer.subscription.updated",
            "created": at,
            "data": {"object": source},
        }
    )


def log(database: ModuleType) -> list[tuple[int, str]]:
    with database.session() as session:
        rows = session.exec(select(SubscriptionState).order_by(col(SubscriptionState.at)))
        return [(row.at, row.status) for row in rows]


def hear(database: ModuleType, *told: Told) -> None:
    for at, status in told:
        with database.transaction() as session:
            states.note_events(session, [event(at, snapshot(status))])


def forget(database: ModuleType) -> None:
    with database.transaction() as session:
        for row in session.exec(select(SubscriptionState)):
            session.delete(row)


def test_only_what_changed_is_kept(database: ModuleType) -> None:
    hear(database, (NOW, "trialing"), (NOW + 10, "trialing"), (NOW + 20, "active"), (NOW + 30, "active"))
    assert log(database) == [(NOW, "trialing"), (NOW + 20, "active")]


def test_a_snapshot_that_comes_late_shows_what_was_in_between(database: ModuleType) -> None:
    hear(database, (NOW, "active"), (NOW + 20, "active"), (NOW + 10, "past_due"))
    assert log(database) == [(NOW, "active"), (NOW + 10, "past_due"), (NOW + 20, "active")]


def test_a_change_turns_out_to_be_older_than_it_was_known(database: ModuleType) -> None:
    hear(database, (NOW, "active"), (NOW + 20, "past_due"), (NOW + 10, "past_due"))
    assert log(database) == [(NOW, "active"), (NOW + 10, "past_due")]


STATUSES = st.sampled_from(["trialing", "active", "past_due", "unpaid", "canceled"])
HISTORIES = st.lists(st.tuples(st.integers(NOW, NOW + 8), STATUSES), min_size=1, max_size=9)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=HISTORIES, data=st.data())
def test_the_order_of_arrival_does_not_matter(
    database: ModuleType, told: list[Told], data: st.DataObject
) -> None:
    forget(database)
    hear(database, *sorted(told))
    in_order = log(database)
    forget(database)
    hear(database, *data.draw(st.permutations(told)))
    assert log(database) == in_order
    last = {at: max(_of(at, told), key=lambda one: one) for at, _ in told}
    assert [(at, status) for at, status in in_order] == _changes(last)


def _of(at: int, told: list[Told]) -> list[str]:
    """The statuses told of one second; the log keeps the one that sorts last as it is written down."""
    return [status for second, status in told if second == at]


def _changes(last: dict[int, str]) -> list[Told]:
    found: list[Told] = []
    for at in sorted(last):
        if not found or found[-1][1] != last[at]:
            found.append((at, last[at]))
    return found


def test_items_and_discounts_belong_to_the_state(database: ModuleType) -> None:
    two = [
        o.item("si_b", o.price("price_2"), 3, created=NOW - 400),
        o.item("si_a", o.price("price_1"), created=NOW - 500),
    ]
    batch = Batch()
    batch.add(snapshot("active", items=two, discounts=["di_1"], cancel_at_period_end=True), NOW)
    with database.transaction() as session:
        states.note(session, batch)
    with database.session() as session:
        kept = session.exec(select(SubscriptionState)).one()
    assert (kept.items, kept.discounts) == ([["price_1", 1, []], ["price_2", 3, []]], ["di_1"])
    assert (kept.at, kept.cancels) == (NOW, True)


def test_a_list_of_items_that_is_cut_says_nothing(database: ModuleType) -> None:
    """Stripe sends no more than a page of them with an event; a read of the whole follows."""
    cut = snapshot("active")
    cut["items"]["has_more"] = True
    with database.transaction() as session:
        states.note_events(session, [event(NOW, cut)])
    assert log(database) == []


def test_instants_of_long_ago_are_not_kept_for_ever(database: ModuleType) -> None:
    month = 30 * 86_400
    hear(database, *((NOW + number * month, "active") for number in range(5)))
    with database.session() as session:
        kept = session.exec(select(SubscriptionState)).one()
    assert (kept.at, kept.told) == (NOW, [NOW + 3 * month, NOW + 4 * month])
