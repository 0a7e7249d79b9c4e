"""The customers behind a number: who they are, in what order, page by page."""

from __future__ import annotations

from types import ModuleType
from zoneinfo import ZoneInfo

import pytest

from services.clock import DAY
from services.metrics import periods
from services.metrics.periods import Period
from services.metrics.trials import conversion, members
from services.metrics.trials.members import Trials, Walkers
from services.metrics.trials.slices import NOT_GIVEN, Segment, Slice
from tests.metrics import count
from tests.metrics.build import Account, at

NOW = at("2026-06-15 12:00")
MAY, JUNE = periods.last("month", 2, until=NOW, zone=ZoneInfo("UTC"))


@pytest.fixture
def told(database: ModuleType) -> ModuleType:
    """Ada converted in May, Bob runs since June, Cem never trialed and pays."""
    account = Account()
    sub = account.trial(
        account.customer("ada", MAY.begins, source="ads", card=True), MAY.begins, status="active"
    )
    paid = account.invoice(sub, MAY.begins + 14 * DAY)
    account.line(paid, paid.created, paid.created + 31 * DAY)
    account.trial(account.customer("bob", JUNE.begins), JUNE.begins, 30, plan="team")
    direct = account.subscription(account.customer("cem", JUNE.begins), JUNE.begins)
    account.invoice(direct, JUNE.begins, reason="subscription_create")
    account.save(database)
    count.everybody(database, now=NOW)
    return database


def of(*months: Period, **segment: str) -> Slice:
    return Slice("month", months, Segment(**segment))


EVER = Slice("month", None)


def names(database: ModuleType, chosen: members.Chosen, **page: int) -> list[str]:
    with database.session() as session:
        return [row.name for row in members.read(session, chosen, as_of=NOW, **page)]


def test_a_row_tells_who_it_is_and_what_became_of_the_trial(told: ModuleType) -> None:
    with told.session() as session:
        (row,) = members.read(session, Trials(of(MAY)), as_of=NOW)
    assert (row.customer, row.name, row.email, row.plan) == ("cus_ada", "Ada", "ada@example.com", "Pro")
    assert (row.state, row.source, row.currency, row.since) == ("converted", "ads", "usd", MAY.begins)
    assert row.trial_end == MAY.begins + 14 * DAY
    assert row.paid_at == MAY.begins + 14 * DAY + 3600


def test_youngest_first_and_page_by_page(told: ModuleType) -> None:
    both = Trials(of(MAY, JUNE))
    assert names(told, both) == ["Bob", "Ada"]
    assert [names(told, both, offset=place, limit=1) for place in (0, 1, 2)] == [["Bob"], ["Ada"], []]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Trials(of(JUNE)), ["Bob"]),
        (Trials(of(MAY, JUNE), "converted"), ["Ada"]),
        (Trials(of(MAY, JUNE), within=14), []),
        (Trials(of(MAY, JUNE), within=15), ["Ada"]),
        (Trials(of(MAY, JUNE), "expired"), []),
        (Trials(of(MAY, JUNE), lost=True), []),
        (Trials(of()), []),
        (Trials(EVER), ["Bob", "Ada"]),
        (Trials(EVER, "running"), ["Bob"]),
        (Trials(EVER, recent=True), []),
        (Trials(of(MAY, JUNE, source="ads")), ["Ada"]),
        (Trials(of(MAY, JUNE, source=NOT_GIVEN)), ["Bob"]),
        (Trials(of(MAY, JUNE, plan="prod_team")), ["Bob"]),
        (Trials(of(MAY, JUNE).of("trial_days", "30")), ["Bob"]),
        (Trials(of(MAY, JUNE, source="ads").of("trial_days", "30")), []),
        (Walkers(of(MAY, JUNE), "trial", "signed_up"), ["Cem", "Bob", "Ada"]),
        (Walkers(of(MAY, JUNE), "trial", "trial"), ["Bob", "Ada"]),
        (Walkers(of(MAY, JUNE), "trial", "paid"), ["Ada"]),
        (Walkers(of(MAY, JUNE, source="ads"), "trial", "signed_up"), ["Ada"]),
        (Walkers(of(MAY, JUNE), "direct", "signed_up"), ["Cem"]),
        (Walkers(of(MAY, JUNE), "direct", "paid"), ["Cem"]),
        (Walkers(of(MAY), "direct", "paid"), []),
    ],
)
def test_exactly_those_that_the_number_counts(told, chosen: members.Chosen, expected: list[str]) -> None:
    assert names(told, chosen) == expected


@pytest.mark.parametrize("moment", [NOW - 40 * DAY, NOW - 2 * DAY, NOW])
def test_those_of_the_period_rate_are_those_that_it_counts(told: ModuleType, moment: int) -> None:
    with told.session() as session:
        counted = conversion.period_rate(session, as_of=moment).whole
        rows = members.read(session, Trials(EVER, recent=True), as_of=moment)
    assert len(rows) == counted == (moment == NOW - 2 * DAY)


def test_who_walked_carries_the_last_step_reached(told: ModuleType) -> None:
    with told.session() as session:
        rows = members.read(session, Walkers(of(MAY, JUNE), "trial", "signed_up"), as_of=NOW)
    assert {row.name: row.state for row in rows} == {"Ada": "paying_30", "Bob": "trial", "Cem": "paid"}
