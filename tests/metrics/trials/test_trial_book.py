"""What is kept of each trial: known answers by name, and cells that always are the sum of the facts."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from models import (
    Base,
    CallRequest,
    Charge,
    Customer,
    InvoicePayment,
    JourneyCell,
    JourneyFact,
    Message,
    PaymentMethod,
    Subscription,
    TrialCell,
    TrialFact,
)
from services import clock
from services.clock import DAY
from services.metrics.counting import calendar, counting, rollups, waiting
from services.metrics.counting.books import BOOKS
from services.metrics.trials import journey_book, slices, trial_book
from services.metrics.trials.slices import Slice
from services.metrics.trials.trials import STATES
from tests.metrics import count
from tests.metrics.build import HOUR, Account, at

NOW = at("2026-06-15 12:00")
START = at("2026-05-01")
OVER = START + 14 * DAY


@pytest.fixture
def account() -> Account:
    return Account()


def facts(database: ModuleType, account: Account, now: int = NOW) -> dict[str, TrialFact]:
    """What is kept of each trial, by the customer's name."""
    account.save(database)
    count.everybody(database, now=now)
    with database.session() as session:
        return {row.customer[4:]: row for row in session.exec(select(TrialFact))}


def test_a_trial_extended_twice_counts_from_its_first_start_and_is_extended(database, account) -> None:
    """Given 14 days, then 7 more, then 14 more; paid an hour after the last end."""
    end = START + 35 * DAY
    sub = account.trial(account.customer("ada", START), START, 35, "active", first_trial_end=OVER)
    account.invoice(sub, end)
    account.trial(account.customer("bob", START), START)
    found = facts(database, account)
    ada = found["ada"]
    assert (ada.state, ada.started, ada.days, ada.trial_days, ada.extended) == ("converted", START, 36, 14, 1)
    assert (found["bob"].extended, found["bob"].trial_days) == (0, 14)


def test_a_trial_that_was_ended_early_and_paid_converted_on_that_day(database, account) -> None:
    """Given 14 days, ended by staff after 3: it is not extended, and was still a trial of 14 days."""
    sub = account.trial(account.customer("ada", START), START, 3, "active", first_trial_end=OVER)
    account.invoice(sub, START + 3 * DAY, paid_at=START + 3 * DAY, reason="subscription_update")
    ada = facts(database, account)["ada"]
    assert (ada.state, ada.days, ada.trial_days, ada.extended) == ("converted", 3, 14, 0)


def test_a_failed_first_charge_says_why_until_it_is_paid_later(database, account) -> None:
    sub = account.trial(account.customer("ada", START), START, status="past_due")
    bill = account.invoice(sub, OVER, paid_at=None)
    for number, code in enumerate(("insufficient_funds", "do_not_honor")):
        charge = account.add(Charge(id=account.id("ch"), created=OVER + number * DAY, customer=sub.customer,
                                    status="failed", decline_code=code))  # fmt: skip
        account.add(InvoicePayment(id=account.id("inpay"), created=OVER, invoice=bill.id, charge=charge.id))
    ada = facts(database, account)["ada"]
    assert (ada.state, ada.why, ada.days) == ("missed_payment", "insufficient_funds", -1)
    with database.transaction() as session:
        bill = session.get(type(bill), bill.id)
        bill.status, bill.paid_at = "paid", OVER + 9 * DAY
        session.add(bill)
    ada = facts(database, account)["ada"]
    assert (ada.state, ada.why, ada.days) == ("converted", "", 23)


def test_a_free_plan_and_an_invoice_of_zero_are_no_conversion(database, account) -> None:
    free = account.trial(account.customer("ada", START), START, status="active", plan_micros=0)
    account.invoice(free, OVER, 0)
    account.trial(account.customer("bob", NOW - DAY), NOW - DAY)
    found = facts(database, account)
    assert {name: (row.state, row.days) for name, row in found.items()} == {
        "ada": ("free", -1),
        "bob": ("running", -1),
    }


def test_a_cancellation_says_its_feedback_else_its_reason(database, account) -> None:
    over = {"status": "canceled", "canceled_at": START + DAY, "ended_at": OVER}
    reason = {"cancellation_reason": "cancellation_requested"}
    for name, told in (
        ("ada", {**reason, "cancellation_feedback": "too_expensive", "cancellation_comment": "No."}),
        ("bob", {**reason, "cancellation_comment": ""}),
        ("cem", {}),
    ):
        account.trial(account.customer(name, START), START, **over, **told)
    found = facts(database, account)
    assert {name: (row.why, row.commented) for name, row in found.items()} == {
        "ada": ("too_expensive", 1),
        "bob": ("cancellation_requested", 0),
        "cem": ("", 0),
    }


@pytest.mark.parametrize(
    ("model", "fields", "expected"),
    [
        (PaymentMethod, {"id": "pm_1", "created": START + DAY, "customer": "cus_ada"}, "1"),
        (PaymentMethod, {"id": "pm_1", "created": START + DAY + 1, "customer": "cus_ada"}, "0"),
        (PaymentMethod, {"id": "pm_1", "created": START - 90 * DAY, "customer": "cus_bob"}, "0"),
        (Charge, {"id": "ch_1", "created": START - 90 * DAY, "customer": "cus_ada"}, "1"),
        (Charge, {"id": "ch_1", "created": OVER, "customer": "cus_ada"}, "0"),
    ],
    ids=["within a day", "later", "another's", "charged before", "charged at the end"],
)
def test_a_card_at_the_start_was_there_by_a_day_after_it(
    database, account, model: type[Base], fields: dict[str, Any], expected: str
) -> None:
    account.trial(account.customer("ada", START), START)
    account.add(model(**fields))
    assert facts(database, account)["ada"].card_at_start == expected


def test_since_when_a_source_of_the_older_kind_was_there_cannot_be_told(database, account) -> None:
    account.trial(account.customer("ada", START), START, default_source="card_1")
    account.trial(account.customer("bob", START), START, default_source="card_2")
    account.add(Charge(id="ch_1", created=START, customer="cus_bob"))
    found = facts(database, account)
    assert (found["ada"].card_at_start, found["bob"].card_at_start) == ("", "1")


def message(account: Account, customer: str, sent_at: int | None, state: str = "accepted") -> None:
    token = account.id("msg")
    account.add(Message(token=token, customer=customer, state=state, created_at=START, sent_at=sent_at))


def call(account: Account, customer: str, closed_at: int | None, state: str = "done") -> None:
    token = account.id("call")
    account.add(
        CallRequest(token=token, customer=customer, state=state, created_at=START, closed_at=closed_at)
    )


def test_who_was_reached_during_the_trial(database, account) -> None:
    names = ("ada", "bob", "cem", "dan", "eve")
    for name in names:
        account.trial(account.customer(name, START), START)
    message(account, "cus_ada", START + DAY)
    call(account, "cus_ada", START + 2 * DAY)
    message(account, "cus_bob", START - DAY)
    call(account, "cus_bob", OVER + DAY)
    message(account, "cus_cem", None, "failed")
    call(account, "cus_cem", START + DAY, "no_show")
    message(account, "cus_dan", None, "outbox")
    call(account, "cus_dan", None, "requested")
    message(account, "cus_eve", START + DAY, "outbox")
    found = facts(database, account)
    assert [(found[name].messaged, found[name].called) for name in names] == [
        (1, 1), (0, 0), (0, 0), (0, 0), (1, 0),
    ]  # fmt: skip


def test_who_never_trialed_was_reached_before_the_first_payment_or_ever(database, account) -> None:
    for name in ("ada", "bob", "cem", "dan"):
        account.customer(name, START)
    for name in ("ada", "bob"):
        sub = account.subscription(f"cus_{name}", START + 5 * DAY)
        account.invoice(sub, START + 5 * DAY)
    message(account, "cus_ada", START + DAY)
    message(account, "cus_bob", START + 20 * DAY)
    message(account, "cus_cem", START + 20 * DAY)
    facts(database, account)
    with database.session() as session:
        found = {row.customer[4:]: row.messaged for row in session.exec(select(JourneyFact))}
    assert found == {"ada": 1, "bob": 0, "cem": 1, "dan": 0}


def test_time_alone_ends_a_trial_whose_subscription_is_past_due_already(database, account) -> None:
    account.trial(account.customer("ada", NOW), NOW - DAY, status="past_due")
    assert facts(database, account)["ada"].in_trial == 1
    clock.follow(clock.offset() + 14 * DAY)
    assert counting.work(BOOKS, count.UTC) == 1
    with database.session() as session:
        assert session.exec(select(TrialFact.in_trial)).one() == 0


def test_time_alone_decides_who_still_pays(database, account) -> None:
    sub = account.trial(account.customer("ada", START, card=True), START, status="active")
    for month in range(4):
        begins = OVER + month * 30 * DAY
        account.line(account.invoice(sub, begins, paid_at=begins), begins, begins + 30 * DAY)
    depths = []
    facts(database, account, OVER + 20 * DAY)
    for days in (0, 11, 60):
        clock.follow(clock.offset() + days * DAY)
        counting.work(BOOKS, count.UTC)
        with database.session() as session:
            depths.append(session.exec(select(JourneyFact.depth, JourneyFact.waits)).one())
    assert depths == [(4, 1), (5, 1), (6, 0)]


def test_a_trial_worth_more_than_can_be_added_up_is_counted_all_the_same(database, account) -> None:
    for number in range(12):
        account.trial(account.customer(f"c{number}", START), START, plan_micros=2**63 - 1)
    assert len(facts(database, account)) == 12


# What must hold for any account

SUMS = (
    (TrialFact, trial_book.BOOK.sums[0], TrialCell),
    (JourneyFact, journey_book.BOOK.sums[0], JourneyCell),
)


def summed(database: ModuleType, zone: ZoneInfo) -> list[dict[Any, Any]]:
    """What adding up all facts gives, by cell."""
    with database.session() as session:
        return [
            rollups.sum_of(each, [row.model_dump() for row in session.exec(select(fact))], calendar.of(zone))
            for fact, each, _ in SUMS
        ]


def stored(database: ModuleType) -> list[dict[Any, Any]]:
    """The cells that pages read."""
    found = []
    with database.session() as session:
        for _, _, model in SUMS:
            table = model.__table__
            keys = [column.name for column in table.primary_key][1:]
            amounts = [column.name for column in table.c if not column.primary_key]
            rows = session.execute(sa.select(table).where(rollups.standing(model))).mappings()
            found.append(
                {tuple(row[key] for key in keys): tuple(row[name] for name in amounts) for row in rows}
            )
    return found


def clear(database: ModuleType) -> None:
    with database.transaction() as session:
        for model in reversed(Base.metadata.sorted_tables):
            session.connection().execute(sa.delete(model))


ZONE = ZoneInfo("America/St_Johns")
drawn = st.tuples(
    st.sampled_from(("trialing", "active", "past_due", "paused", "canceled")),
    st.sampled_from(("pro", "team")),
    st.integers(0, 700),  # days ago
    st.sampled_from((3, 14, 30)),
    st.sampled_from(("", "ads", "friend")),
    st.sampled_from(("usd", "jpy")),
    st.sampled_from((None, "paid", "open", "draft")),
)


def tell(account: Account, name: str, one: tuple[Any, ...], again: int = 0) -> None:
    status, plan, ago, days, source, currency, bill = one
    start = NOW - ago * DAY - again * HOUR
    customer = account.customer(name, start, source=source, currency=currency)
    over = {"canceled_at": start + DAY, "ended_at": start + days * DAY} if status == "canceled" else {}
    sub = account.trial(customer, start, days, status, plan=plan, currency=currency, **over)
    if bill:
        paid_at = {"paid_at": start + days * DAY + HOUR if bill == "paid" else None}
        row = account.invoice(sub, start + days * DAY, status=bill, **paid_at)
        account.line(row, row.created, row.created + 30 * DAY, plan)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(drawn, min_size=1, max_size=8), st.data())
def test_cells_are_the_sum_of_the_facts_whatever_changes(database, people, data) -> None:
    clear(database)
    account = Account()
    for number, one in enumerate(people):
        tell(account, f"c{number}", one)
    account.save(database)
    count.everybody(database, ZONE, now=NOW)
    assert stored(database) == summed(database, ZONE)
    for _ in range(2):
        number = data.draw(st.integers(0, len(people) - 1))
        with database.transaction() as session:
            _change(session, f"cus_c{number}", data.draw(drawn))
            waiting.mark(session, [f"cus_c{number}"])
        counting.work(BOOKS, ZONE)
        assert stored(database) == summed(database, ZONE)
    followed = stored(database)
    clear_counted(database)
    count.everybody(database, ZONE)
    assert stored(database) == followed
    for states in followed[:1]:
        assert {key[-2] for key in states} <= set(STATES)


def _change(session: Session, customer: str, to: tuple[Any, ...]) -> None:
    """Turns a customer's subscription into another one, or takes the customer out of the account."""
    row = session.exec(select(Subscription).where(col(Subscription.customer) == customer)).first()
    if row is None or to[6] == "draft":
        session.execute(sa.delete(Subscription).where(col(Subscription.customer) == customer))
        session.execute(sa.delete(Customer).where(col(Customer.id) == customer))
        return
    row.status, row.currency, row.trial_start = to[0], to[5], NOW - to[2] * DAY
    session.add(row)


def clear_counted(database: ModuleType) -> None:
    with database.transaction() as session:
        for model in (TrialFact, TrialCell, JourneyFact, JourneyCell):
            session.execute(sa.delete(model))


@pytest.fixture
def machine_zone() -> Iterator[None]:
    before = os.environ.get("TZ")
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def test_neither_the_machines_zone_nor_the_order_of_rows_matters(database, machine_zone: None) -> None:
    shuffler, found = random.Random(7), []
    people = [
        (status, plan, ago, 14, source, "usd", bill)
        for ago, (status, bill) in enumerate(
            (("active", "paid"), ("past_due", "open"), ("canceled", None), ("trialing", None)) * 6, start=10
        )
        for plan, source in (("pro", "ads"), ("team", ""))
    ]
    for zone in ("UTC", "Pacific/Kiritimati", "America/Los_Angeles"):
        os.environ["TZ"] = zone
        time.tzset()
        clear(database)
        account = Account()
        for number, one in enumerate(people):
            tell(account, f"c{number}", one)
        shuffler.shuffle(account.rows)
        account.save(database)
        count.everybody(database, ZONE, now=NOW)
        found.append(stored(database))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("grain", ["month", "week"])
def test_what_is_asked_by_period_adds_up_to_what_is_asked_at_once(database, account, grain: str) -> None:
    for number in range(40):
        tell(account, f"c{number}", ("active", "pro", number * 9, 14, "", "usd", "paid"))
    facts(database, account)
    ever = Slice(grain, None)  # type: ignore[arg-type]
    with database.session() as session:
        parts = list(slices.counted(session, slices.TRIALS, ever, ["period"], "trials"))
        ((whole,),) = slices.counted(session, slices.TRIALS, ever, [], "trials")
        assert sum(trials for _, trials in parts) == whole == 40
        assert slices.options(session) == slices.Options(("prod_pro",), (), ("usd",), ())
