"""Failed payments and disputes: what is at stake, and what came back."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from models import Charge, Event, Invoice, InvoicePayment, PaymentIntent, Subscription
from services.clock import DAY
from services.metrics.recovery import recovery
from services.metrics.recovery.recovery import AtStake, Recovery
from services.metrics.statistics.statistics import Rate
from tests.metrics import count
from tests.metrics.build import HOUR, Account, at
from tests.support import statements

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


def fail(account: Account, sub: Subscription, created: int, **fields: Any) -> Invoice:
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
    return invoice


def keep(database: ModuleType, account: Account) -> None:
    """Writes the account's rows and counts everybody."""
    account.save(database)
    count.everybody(database)


def ask(database: ModuleType, account: Account, question: Any, *args: int) -> Any:
    keep(database, account)
    with database.session() as session:
        return question(session, *args)


def test_what_is_at_stake_is_what_open_failed_invoices_still_ask_for(database, account, sub) -> None:
    fail(account, sub, NOW - 3 * DAY, amount_remaining=3900)
    fail(account, sub, NOW - DAY)
    account.invoice(sub, NOW - HOUR, paid_at=None, attempted=False, attempt_count=0)
    account.invoice(sub, NOW - HOUR, paid_at=None, status="draft")
    assert ask(database, account, recovery.open_failures).at_stake == {"usd": AtStake(2, 1, 8800)}


def test_currencies_stay_apart(database, account, sub) -> None:
    fail(account, sub, NOW - DAY)
    yen = account.subscription(account.customer("bob", START), START, "past_due", currency="jpy")
    fail(account, yen, NOW - DAY, total=5000)
    assert ask(database, account, recovery.open_failures).at_stake == {
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
    assert ask(database, account, recovery.open_failures_at, THEN).at_stake == {"usd": AtStake(3, 1, 14700)}


def _charge(account: Account, id: str, status: str, created: int) -> Charge:
    return account.add(Charge(id=id, created=created, status=status, payment_intent=f"pi_{id}"))


def _sign(account: Account, sign: str, invoice: Invoice, failed_at: int) -> None:
    """One sign, and no other, that the invoice's payment failed before somebody paid it by hand."""
    asked = InvoicePayment(id=account.id("inpay"), created=invoice.created, invoice=invoice.id)
    match sign:
        case "charge of its intent":
            _charge(account, "ch_1", "failed", failed_at)
            asked.payment_intent = "pi_ch_1"
        case "charge of its own":
            _charge(account, "ch_1", "failed", failed_at)
            asked.charge = "ch_1"
        case "event":
            told = {"type": "invoice.payment_failed", "object_id": invoice.id}
            account.add(Event(id=account.id("evt"), created=failed_at, **told))
        case "intent that was given up":
            error = {"status": "canceled", "error_code": "payment_intent_authentication_failure"}
            account.add(PaymentIntent(id="pi_1", created=failed_at, **error))
            asked.payment_intent = "pi_1"
        case "retried by Stripe":
            invoice.attempt_count, invoice.finalized_at = 2, failed_at
    account.add(asked)


SIGNS = (
    "charge of its intent", "charge of its own", "event", "intent that was given up", "retried by Stripe",
)  # fmt: skip


@pytest.mark.parametrize("sign", SIGNS)
def test_what_failed_once_and_was_then_paid_by_hand_is_recovered(database, account, sub, sign) -> None:
    """Tries by hand after the first do not raise Stripe's count of attempts."""
    invoice = account.invoice(sub, THEN - 2 * DAY, paid_at=THEN + DAY)
    _sign(account, sign, invoice, THEN - DAY)
    keep(database, account)
    with database.session() as session:
        assert recovery.open_failures_at(session, THEN).at_stake == {"usd": AtStake(1, 1, 4900)}
        assert recovery.open_failures_at(session, THEN - 2 * DAY).at_stake == {}, "it failed later"
        assert recovery.recovered(session, THEN - 2 * DAY, NOW) == {"usd": Recovery(1, 0, 0, 4900, 4900)}
        [row] = recovery.failed(session, THEN - 2 * DAY, NOW, "usd")
    assert (row.came_to, row.failed_at, row.paid_at) == ("recovered", THEN - DAY, THEN + DAY)


def test_what_was_paid_at_the_first_try_has_not_failed(database, account, sub) -> None:
    invoice = account.invoice(sub, THEN - 2 * DAY, paid_at=THEN + DAY)
    _charge(account, "ch_1", "succeeded", THEN + DAY)
    asked = {"invoice": invoice.id, "payment_intent": "pi_ch_1"}
    account.add(InvoicePayment(id="inpay_1", created=invoice.created, **asked))
    account.add(Event(id="evt_1", created=THEN + DAY, type="invoice.paid", object_id=invoice.id))
    assert ask(database, account, recovery.open_failures_at, THEN).at_stake == {}
    assert ask(database, account, recovery.recovered, THEN - 3 * DAY, NOW) == {}


def test_an_invoice_that_was_sent_failed_when_its_card_did(database, account, sub) -> None:
    """And not when it was finalized, weeks before the customer tried to pay."""
    sent = account.invoice(sub, NOW - 50 * DAY, paid_at=None, collection_method="send_invoice")
    _sign(account, "charge of its intent", sent, NOW - 5 * DAY)
    assert ask(database, account, recovery.open_failures_at, THEN).at_stake == {}
    assert ask(database, account, recovery.recovered, NOW - 30 * DAY, NOW)["usd"].in_recovery == 1


@pytest.mark.parametrize("fields", [{"attempt_count": 3, "paid_at": NOW - DAY}, {"paid_at": None}])
def test_a_later_event_does_not_hide_an_earlier_failure(database, account, sub, fields) -> None:
    """Of 30 days of events only the second try's is left; no try came to a charge."""
    invoice = account.invoice(sub, NOW - 35 * DAY, finalized_at=NOW - 35 * DAY + HOUR, **fields)
    _sign(account, "event", invoice, NOW - 28 * DAY)
    keep(database, account)
    with database.session() as session:
        assert recovery.recovered(session, NOW - 30 * DAY, NOW) == {}
        [row] = recovery.failed(session, NOW - 40 * DAY, NOW, "usd")
    assert row.failed_at == NOW - 35 * DAY + HOUR


def test_what_once_failed_is_read_from_what_was_counted(database, account, sub) -> None:
    """Of a million customers nobody waits for all charges and events."""
    fail(account, sub, NOW - DAY)
    keep(database, account)
    with database.session() as session, statements.asked(database.engine()) as sent:
        assert recovery.recovered(session, THEN, NOW).keys() == {"usd"}
        assert len(recovery.failed(session, THEN, NOW, "usd")) == 1
        assert recovery.open_failures_at(session, NOW).at_stake.keys() == {"usd"}
    everything = ("charges", "events", "payment_intents", "invoice_payments")
    assert not [each for each in sent if any(table in each for table in everything)], sent


def test_what_was_tried_and_voided_without_a_charge_is_lost(database, account, sub) -> None:
    account.invoice(sub, NOW - 9 * DAY, paid_at=None, status="void", voided_at=NOW - DAY)
    assert ask(database, account, recovery.recovered, NOW - 30 * DAY, NOW)["usd"].lost == 1


def test_what_ended_subscriptions_left_is_not_at_stake(database, account, sub) -> None:
    gone = account.subscription(account.customer("bob", START), START, "canceled", ended_at=NOW - DAY)
    left = account.subscription(account.customer("cem", START), START, "canceled", ended_at=THEN - DAY)
    for one, total in ((sub, 100), (gone, 20), (left, 3)):
        fail(account, one, THEN - 2 * DAY, total=total)
    fail(account, account.subscription("cus_ada", START, "past_due", deleted=True), NOW - DAY, total=4000)
    keep(database, account)
    with database.session() as session:
        now, then = recovery.open_failures(session), recovery.open_failures_at(session, THEN)
    assert now == ({"usd": AtStake(1, 1, 100)}, {"usd": AtStake(3, 3, 4023)})
    assert then == ({"usd": AtStake(2, 2, 120)}, {"usd": AtStake(1, 1, 3)})


def test_an_invoice_of_no_subscription_is_at_stake_like_one_of_a_subscription_that_runs(
    database, account, sub
) -> None:
    fail(account, sub, THEN - DAY).subscription = None
    fail(account, sub, THEN - DAY, total=100)
    keep(database, account)
    with database.session() as session:
        now, then = recovery.open_failures(session), recovery.open_failures_at(session, THEN)
    assert now == then == ({"usd": AtStake(2, 1, 5000)}, {})


def test_what_asks_for_nothing_more_was_not_open_where_nobody_knows_since_when(
    database, account, sub
) -> None:
    fail(account, sub, THEN - DAY, amount_remaining=0)  # a credit note came to all of it
    fail(account, sub, THEN - DAY, deleted=True)
    fail(account, sub, THEN - DAY, total=100, amount_remaining=40)
    assert ask(database, account, recovery.open_failures_at, THEN) == ({"usd": AtStake(1, 1, 100)}, {})


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
    keep(database, account)
    period = (NOW - 30 * DAY, NOW)
    with database.session() as session:
        rows = recovery.failed(session, *period, "usd")
        assert recovery.recovered(session, *period)["usd"].rate.whole == 3
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
    keep(database, account)
    with database.session() as session:
        [row] = recovery.failed(session, NOW - 30 * DAY, NOW, "usd")
        assert recovery.open_failures(session).ended == {"usd": AtStake(1, 1, 4900)}
        assert recovery.recovered(session, NOW - 30 * DAY, NOW)["usd"].lost == 1
    assert row.came_to == "lost"


def test_the_first_invoice_after_a_trial_is_left_out_of_the_recovery_rate(database, account) -> None:
    trial = account.trial(account.customer("bob", START), NOW - 34 * DAY, status="past_due")
    fail(account, trial, NOW - 20 * DAY)
    assert ask(database, account, recovery.recovered, NOW - 30 * DAY, NOW) == {}
    assert ask(database, account, recovery.open_failures).at_stake == {"usd": AtStake(1, 1, 4900)}


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
