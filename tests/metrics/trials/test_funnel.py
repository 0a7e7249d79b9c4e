"""How far people came: known answers, and steps that are parts of the step before."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import Subscription
from services.clock import DAY
from services.metrics import periods
from services.metrics.trials import funnel
from services.metrics.trials.funnel import DIRECT_STEPS, TRIAL_STEPS, Cell, Path, Step
from services.metrics.trials.slices import Slice
from tests.metrics import count
from tests.metrics.build import HOUR, Account, at

NOW = at("2026-06-15 12:00")
LONG_AGO = at("2026-01-10")
MONTHS = tuple(periods.last("month", 6, until=NOW, zone=ZoneInfo("UTC")))


@pytest.fixture
def account() -> Account:
    return Account()


def bill(account: Account, sub: Subscription, first: int, number: int, **fields: Any) -> None:
    """Invoices for periods of 30 days from `first` on."""
    for index in range(number):
        begins = first + index * 30 * DAY
        account.line(account.invoice(sub, begins, **fields), begins, begins + 30 * DAY)


def walk(database: ModuleType, account: Account, path: Path = "trial", as_of: int = NOW) -> dict[str, Step]:
    account.save(database)
    count.everybody(database, now=as_of)
    with database.session() as session:
        walked = funnel.walked(session, Slice("month", MONTHS))
    return {step.name: step for step in funnel.steps(walked, path)}


def reached(database: ModuleType, account: Account, path: Path = "trial") -> list[int]:
    return [step.count for step in walk(database, account, path).values()]


def test_who_pays_all_along_reaches_every_step(database, account) -> None:
    sub = account.trial(account.customer("ada", LONG_AGO, card=True), LONG_AGO, status="active")
    bill(account, sub, LONG_AGO + 14 * DAY, 5)
    assert reached(database, account) == [1, 1, 1, 1, 1, 1, 1]


def test_who_expired_without_a_card_stops_at_the_trial(database, account) -> None:
    end = LONG_AGO + 14 * DAY
    customer = account.customer("ada", LONG_AGO)
    account.trial(customer, LONG_AGO, status="canceled", ended_at=end, canceled_at=end)
    assert reached(database, account) == [1, 1, 0, 0, 0, 0, 0]


def test_who_is_billed_by_invoice_needs_no_card(database, account) -> None:
    customer = account.customer("ada", NOW - DAY)
    account.trial(customer, NOW - DAY, collection_method="send_invoice")
    steps = walk(database, account)
    assert [steps[name] for name in ("method", "over")] == [Step("method", 1), Step("over", 0, 1)]


def test_who_paid_by_bank_transfer_had_a_way_to_pay(database, account) -> None:
    sub = account.trial(account.customer("ada", LONG_AGO, card=False), LONG_AGO, status="active")
    account.invoice(sub, LONG_AGO + 14 * DAY)
    assert walk(database, account)["paid"].count == 1


def test_a_running_trial_without_a_card_is_undecided_about_the_card(database, account) -> None:
    account.trial(account.customer("ada", NOW - DAY), NOW - DAY)
    steps = walk(database, account)
    assert (steps["trial"], steps["method"]) == (Step("trial", 1), Step("method", 0, 1))


def test_who_canceled_after_40_days_still_paid_after_30_and_not_after_90(database, account) -> None:
    paid = LONG_AGO + 14 * DAY
    customer = account.customer("ada", LONG_AGO, card=True)
    sub = account.trial(
        customer, LONG_AGO, status="canceled", ended_at=paid + 40 * DAY, canceled_at=paid + DAY
    )
    bill(account, sub, paid, 2)
    assert reached(database, account)[-3:] == [1, 1, 0]


def test_who_first_paid_20_days_ago_is_undecided_about_30_days(database, account) -> None:
    start = NOW - 34 * DAY
    sub = account.trial(account.customer("ada", start, card=True), start, status="active")
    account.invoice(sub, NOW - 20 * DAY)
    steps = walk(database, account)
    assert (steps["paid"], steps["paying_30"]) == (Step("paid", 1), Step("paying_30", 0, 1))


@pytest.mark.parametrize(
    "later", [{"status": "unpaid"}, {"status": "active", "pause_collection": "void"}, {"status": "paused"}]
)
def test_what_happens_after_the_90_days_changes_nothing(database, account, later: dict[str, str]) -> None:
    sub = account.trial(account.customer("ada", LONG_AGO, card=True), LONG_AGO, **later)
    first = LONG_AGO + 14 * DAY
    bill(account, sub, first, 8)
    bill(account, sub, first + 240 * DAY, 2, status="draft", paid_at=None)
    steps = walk(database, account, as_of=LONG_AGO + 400 * DAY)
    assert [steps[name].count for name in ("paid", "paying_30", "paying_90")] == [1, 1, 1]


def test_who_got_only_drafts_after_the_first_month_was_not_still_paying(database, account) -> None:
    sub = account.trial(account.customer("ada", LONG_AGO, card=True), LONG_AGO, status="unpaid")
    bill(account, sub, LONG_AGO + 14 * DAY, 1)
    bill(account, sub, LONG_AGO + 44 * DAY, 3, status="draft", paid_at=None)
    assert reached(database, account)[-3:] == [1, 0, 0]


def test_drafts_that_were_asked_for_much_later_do_not_make_up_for_it(database, account) -> None:
    """Staff paid the drafts of an unpaid subscription, or collection went on after a pause."""
    sub = account.trial(account.customer("ada", LONG_AGO, card=True), LONG_AGO, status="active")
    first = LONG_AGO + 14 * DAY
    bill(account, sub, first, 1)
    late = {"finalized_at": first + 110 * DAY, "paid_at": first + 110 * DAY}
    bill(account, sub, first + 30 * DAY, 3, **late)
    assert reached(database, account)[-3:] == [1, 0, 0]


def test_what_covers_the_day_may_still_be_a_draft_for_some_hours(database, account) -> None:
    sub = account.trial(account.customer("ada", LONG_AGO, card=True), LONG_AGO, status="active")
    first = LONG_AGO + 14 * DAY
    bill(account, sub, first, 1, paid_at=first)
    bill(account, sub, first + 30 * DAY, 1, finalized_at=first + 30 * DAY + 5 * HOUR)
    assert reached(database, account)[-3:] == [1, 1, 0]


def test_use_is_paid_for_at_the_end_of_the_period_that_it_covers(database, account) -> None:
    """Billed in arrears; a draft of such a period that waited for long was not asked for in time."""
    first = LONG_AGO + 14 * DAY
    for name, waits in (("ada", 1 * HOUR), ("bob", 20 * DAY)):
        sub = account.trial(account.customer(name, LONG_AGO, card=True), LONG_AGO, status="active")
        bill(account, sub, first, 1, paid_at=first)
        for month in range(1, 5):
            begins, ends = first + (month - 1) * 31 * DAY, first + month * 31 * DAY
            asked = {"finalized_at": ends + waits, "paid_at": ends + waits}
            account.line(account.invoice(sub, ends, 4900, **asked), begins, ends, "team")
    assert reached(database, account)[-3:] == [2, 1, 1]


def test_an_invoice_counts_until_it_is_given_up(database, account) -> None:
    first = LONG_AGO + 14 * DAY
    for name, given_up in (("ada", first + 40 * DAY), ("bob", first + 30 * DAY)):
        sub = account.trial(account.customer(name, LONG_AGO, card=True), LONG_AGO, status="active")
        bill(account, sub, first, 1)
        bill(
            account, sub, first + 30 * DAY, 1,
            status="uncollectible", paid_at=None, marked_uncollectible_at=given_up,
        )  # fmt: skip
    assert reached(database, account)[-3:] == [2, 1, 0]


def test_a_paid_year_ends_with_the_subscription(database, account) -> None:
    over = LONG_AGO + 60 * DAY
    sub = account.trial(
        account.customer("ada", LONG_AGO), LONG_AGO, 14, "canceled", ended_at=over, canceled_at=over
    )
    first = LONG_AGO + 14 * DAY
    account.line(account.invoice(sub, first, 49000), first, first + 365 * DAY, "team")
    assert reached(database, account)[-3:] == [1, 1, 0]


def test_who_never_trialed_goes_straight_to_paying_on_a_path_of_its_own(database, account) -> None:
    sub = account.subscription(account.customer("ada", LONG_AGO), LONG_AGO)
    bill(account, sub, LONG_AGO, 5, reason="subscription_create")
    account.customer("bob", LONG_AGO)
    account.trial(account.customer("cem", NOW - DAY), NOW - DAY)
    assert reached(database, account, "direct") == [2, 1, 1, 1]
    assert reached(database, account, "trial")[:3] == [3, 1, 0]


def test_a_charge_without_a_subscription_is_not_a_first_payment(database, account) -> None:
    sub = account.subscription(account.customer("ada", LONG_AGO), LONG_AGO)
    account.invoice(sub, LONG_AGO, reason="manual")
    assert reached(database, account, "direct") == [1, 0, 0, 0]


def test_only_sign_ups_of_the_periods_count(database, account) -> None:
    account.customer("ada", MONTHS[0].begins - 1)
    account.customer("bob", MONTHS[0].begins)
    assert reached(database, account)[0] == 1


counted = st.one_of(
    st.tuples(st.just("trial"), st.integers(1, 6)), st.tuples(st.just("direct"), st.integers(0, 3))
).flatmap(
    lambda pair: st.builds(
        Cell,
        st.just(pair[0]),
        st.just(pair[1]),
        st.just(False) if pair[1] == (6 if pair[0] == "trial" else 3) else st.booleans(),
        st.integers(1, 40),
    )
)


@given(st.lists(counted, max_size=20))
def test_each_step_is_a_part_of_the_one_before_and_so_are_the_undecided(cells: list[Cell]) -> None:
    for path, names in (("trial", TRIAL_STEPS), ("direct", DIRECT_STEPS)):
        steps = funnel.steps(cells, path)  # type: ignore[arg-type]
        assert tuple(step.name for step in steps) == names
        for before, step in zip(steps, steps[1:], strict=False):  # noqa: RUF007
            assert step.count + step.undecided <= before.count
    everybody = sum(cell.count for cell in cells)
    assert funnel.steps(cells, "trial")[0].count == everybody
