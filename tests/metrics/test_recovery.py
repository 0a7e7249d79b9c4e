"""Failed payments and disputes: what is at stake, and what came back."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from models import Charge, Event, InvoicePayment, Subscription
from services.clock import DAY
from services.metrics import recovery
from services.metrics.recovery import AtStake, Recovery
from services.metrics.statistics import Rate
from tests.metrics.build import HOUR, Account, at

NOW = at("2026-06-15 12:00")
THEN = NOW - 30 * DAY
START = NOW - 200 * DAY


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def sub(account: Account) -> Subscription:
    row = account.subscription(account.customer("ada", START), START, "past_due")
    account.invoice(row, START, reason="subscription_create")
    return row


def fail(account: Account, sub: Subscription, created: int, **fields: Any) -> None:
    """An invoice whose first charge failed an hour after it was made."""
    invoice = account.invoice(sub, created, **{"paid_at": None, **fields})
    intent = account.id("pi")
    account.add(
        InvoicePayment(id=account.id("inpay"), created=created, invoice=invoice.id, payment_intent=intent)
    )
    account.add(
        Charge(
            id=account.id("ch"),
            created=created + HOUR,
            customer=sub.customer,
            payment_intent=intent,
            status="failed",
            currency=sub.currency,
        )
    )


def ask(database: ModuleType, account: Account, question: Any, *args: int, **named: bool) -> Any:
    account.save(database)
    with database.session() as session:
        return question(session, *args, **named)


def test_what_is_at_stake_is_what_open_failed_invoices_still_ask_for(database, account, sub) -> None:
    fail(account, sub, NOW - 3 * DAY, amount_remaining=3900)
    fail(account, sub, NOW - DAY)
    account.invoice(sub, NOW - HOUR, paid_at=None, attempted=False, attempt_count=0)
    account.invoice(sub, NOW - HOUR, paid_at=None, status="draft")
    assert ask(database, account, recovery.open_failures, ended=False) == {"usd": AtStake(2, 1, 8800)}


def test_currencies_stay_apart(database, account, sub) -> None:
    fail(account, sub, NOW - DAY)
    yen = account.subscription(account.customer("bob", START), START, "past_due", currency="jpy")
    fail(account, yen, NOW - DAY, total=5000)
    assert ask(database, account, recovery.open_failures, ended=False) == {
        "usd": AtStake(1, 1, 4900),
        "jpy": AtStake(1, 1, 5000),
    }


def test_what_was_open_then_is_reconstructed(database, account, sub) -> None:
    fail(account, sub, THEN - 2 * DAY, paid_at=THEN + DAY, attempt_count=3)  # open then, recovered since
    fail(
        account, sub, THEN - 2 * DAY, status="uncollectible", marked_uncollectible_at=THEN + DAY
    )  # lost since
    fail(account, sub, THEN - 2 * DAY)  # open ever since
    fail(account, sub, THEN - 9 * DAY, paid_at=THEN - DAY, attempt_count=2)  # recovered before
    fail(account, sub, THEN + DAY)  # failed later
    account.invoice(sub, THEN - 2 * HOUR, paid_at=THEN + DAY)  # paid at the first try, out of band
    assert ask(database, account, recovery.open_failures_at, THEN, ended=False) == {
        "usd": AtStake(3, 1, 14700)
    }


def test_what_ended_subscriptions_left_is_not_at_stake(database, account, sub) -> None:
    gone = account.subscription(account.customer("bob", START), START, "canceled", ended_at=NOW - DAY)
    left = account.subscription(account.customer("cem", START), START, "canceled", ended_at=THEN - DAY)
    for one, total in ((sub, 100), (gone, 20), (left, 3)):
        fail(account, one, THEN - 2 * DAY, total=total)
    fail(account, account.subscription("cus_ada", START, "past_due", deleted=True), NOW - DAY, total=4000)
    account.save(database)
    with database.session() as session:
        assert recovery.open_failures(session, ended=False) == {"usd": AtStake(1, 1, 100)}
        assert recovery.open_failures(session, ended=True) == {"usd": AtStake(3, 3, 4023)}
        assert recovery.open_failures_at(session, THEN, ended=False) == {"usd": AtStake(2, 2, 120)}
        assert recovery.open_failures_at(session, THEN, ended=True) == {"usd": AtStake(1, 1, 3)}


def test_recovered_by_any_means_in_recovery_and_lost(database, account, sub) -> None:
    fail(account, sub, NOW - 20 * DAY, paid_at=NOW - 10 * DAY, attempt_count=3)
    fail(account, sub, NOW - 20 * DAY, total=1000)
    fail(account, sub, NOW - 20 * DAY, total=500, status="uncollectible")
    fail(account, sub, NOW - 40 * DAY)
    found = ask(database, account, recovery.recovered, NOW - 30 * DAY, NOW)
    assert found == {"usd": Recovery(1, 1, 1, 4900, 6400)}
    assert found["usd"].rate == Rate(1, 3)


def test_the_rows_behind_recovered_are_those_that_it_counts(database, account, sub) -> None:
    fail(account, sub, NOW - 20 * DAY, paid_at=NOW - 10 * DAY, attempt_count=3)
    fail(account, sub, NOW - 12 * DAY, total=1000)
    fail(account, sub, NOW - 5 * DAY, total=500, status="uncollectible")
    fail(account, sub, NOW - 40 * DAY)
    yen = account.subscription(account.customer("bob", START), START, "past_due", currency="jpy")
    fail(account, yen, NOW - DAY, total=5000)
    account.save(database)
    period = (NOW - 30 * DAY, NOW)
    with database.session() as session:
        rows = recovery.failed(session, *period, "usd")
        assert recovery.count_failed(session, *period, "usd") == 3
        assert recovery.failed(session, *period, "usd", offset=1, limit=1) == rows[1:2]
        [other] = recovery.failed(session, *period, "jpy")
    assert [(row.came_to, row.amount, row.paid_at) for row in rows] == [
        ("lost", 500, None),
        ("in_recovery", 1000, None),
        ("recovered", 4900, NOW - 10 * DAY),
    ]
    assert (rows[0].name, rows[0].email, rows[0].failed_at) == (
        "Ada", "ada@example.com", NOW - 5 * DAY + HOUR,
    )  # fmt: skip
    assert (other.name, other.currency, other.amount) == ("Bob", "jpy", 5000)


def test_an_open_invoice_of_a_subscription_that_is_over_is_lost(database, account) -> None:
    gone = account.subscription(account.customer("bob", START), START, "canceled", ended_at=NOW - DAY)
    account.invoice(gone, START)
    fail(account, gone, NOW - 20 * DAY)
    assert ask(database, account, recovery.recovered, NOW - 30 * DAY, NOW)["usd"].lost == 1


def test_an_open_invoice_of_a_subscription_that_is_no_longer_in_the_account_is_lost(
    database, account
) -> None:
    gone = account.subscription(account.customer("bob", START), START, "past_due", deleted=True, as_of=NOW)
    account.invoice(gone, START)
    fail(account, gone, NOW - 20 * DAY)
    account.save(database)
    with database.session() as session:
        [row] = recovery.failed(session, NOW - 30 * DAY, NOW, "usd")
        assert recovery.open_failures(session, ended=True) == {"usd": AtStake(1, 1, 4900)}
        assert recovery.recovered(session, NOW - 30 * DAY, NOW)["usd"].lost == 1
    assert row.came_to == "lost"


def test_the_first_invoice_after_a_trial_is_left_out_of_the_recovery_rate(database, account) -> None:
    trial = account.trial(account.customer("bob", START), NOW - 34 * DAY, status="past_due")
    fail(account, trial, NOW - 20 * DAY)
    assert ask(database, account, recovery.recovered, NOW - 30 * DAY, NOW) == {}
    assert ask(database, account, recovery.open_failures, ended=False) == {"usd": AtStake(1, 1, 4900)}


def test_a_failure_without_a_charge_fails_when_the_invoice_was_finalized(database, account, sub) -> None:
    account.invoice(sub, NOW - 2 * DAY, paid_at=None)
    assert ask(database, account, recovery.recovered, NOW - 30 * DAY, NOW)["usd"].in_recovery == 1


def test_disputes_are_open_until_they_are_decided(database, account) -> None:
    account.dispute(NOW - 40 * DAY, 900)
    account.dispute(NOW - 5 * DAY, 700, "under_review")
    won = account.dispute(NOW - 45 * DAY, 400, "won")
    old = account.dispute(NOW - 90 * DAY, 300, "lost")
    for dispute, closed in ((won, NOW - 3 * DAY), (old, NOW - 60 * DAY)):
        account.add(
            Event(id=account.id("evt"), created=closed, type="charge.dispute.closed", object_id=dispute.id)
        )
    assert ask(database, account, recovery.open_disputes) == {"usd": AtStake(2, 0, 1600)}
    assert ask(database, account, recovery.open_disputes_at, THEN) == {"usd": AtStake(2, 0, 1300)}
