"""Do the books of the history add up?"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from tests.support import shapes
from tests.support.books import DAY, NOW, Body, Books, shared


@pytest.fixture(scope="module")
def books() -> Books:
    return shared()


def test_a_paid_invoice_is_covered_by_its_payments_and_a_charge_pays_one_invoice(books: Books) -> None:
    paid = defaultdict(list)
    for payment in books["invoice_payment"]:
        if payment["status"] == "paid":
            paid[payment["invoice"]].append(payment)
    covered = set()
    for invoice in books["invoice"]:
        payments = paid.pop(invoice["id"], [])
        if invoice["status"] == "paid":
            assert sum(each["amount_paid"] for each in payments) == invoice["amount_paid"]
            covered |= {_charge_of(books, invoice, each) for each in payments}
        else:
            assert not payments
    assert not paid
    assert covered == {each["id"] for each in books["charge"] if each["status"] == "succeeded"}


def _charge_of(books: Books, invoice: Body, payment: Body) -> str:
    intent = books.account.get("payment_intent", payment["payment"]["payment_intent"])
    charge = books.account.get("charge", intent["latest_charge"])
    assert intent["status"] == charge["status"] == "succeeded"
    assert intent["amount_received"] == charge["amount"] == payment["amount_paid"]
    assert invoice["currency"] == charge["currency"] == payment["currency"]
    assert invoice["customer"] == charge["customer"]
    return str(charge["id"])


def test_invoices_add_up_and_their_numbers_are_unique(books: Books) -> None:
    numbers = [each["number"] for each in books["invoice"] if each["status"] != "draft"]
    assert len(set(numbers)) == len(numbers)
    assert None not in numbers
    for each in books["invoice"]:
        taken = sum(part["amount"] for part in each["total_discount_amounts"])
        assert each["subtotal"] == sum(line["amount"] for line in each["lines"]["data"])
        assert each["total"] == each["subtotal"] - taken
        assert each["amount_remaining"] >= 0
        assert (each["next_payment_attempt"] is None) or (
            each["status"] == "open" and each["next_payment_attempt"] > NOW
        )


def test_statuses_agree_with_dates(books: Books) -> None:
    for each in books["subscription"]:
        ends = [item["current_period_end"] for item in each["items"]["data"]]
        assert all(
            item["current_period_start"] < item["current_period_end"] for item in each["items"]["data"]
        )
        assert (each["status"] == "trialing") == bool(
            each["trial_end"] and each["trial_end"] > NOW and not each["ended_at"]
        )
        assert bool(each["ended_at"]) == (each["status"] in ("canceled", "incomplete_expired"))
        if each["status"] in ("active", "past_due", "unpaid", "trialing"):
            assert min(ends) > NOW
            assert each["items"]["data"][0]["current_period_start"] <= NOW


def test_a_balance_is_the_sum_of_its_transactions(books: Books) -> None:
    moved: Counter[str] = Counter()
    for each in books["customer_balance_transaction"]:
        moved[each["customer"]] += each["amount"]
        assert each["ending_balance"] == moved[each["customer"]]
    for each in books["customer"]:
        assert each["balance"] == moved[each["id"]]


def test_a_deleted_customer_has_no_living_subscription(books: Books) -> None:
    deleted = {each["id"] for each in books["deleted customer"]}
    left = [each for each in books["subscription"] if each["customer"] in deleted and not each["ended_at"]]
    assert deleted
    assert left == []


def test_nothing_is_newer_than_now_and_later_objects_are_newer(books: Books) -> None:
    rows = books.account.store.execute("SELECT created FROM objects WHERE kind <> 'intent' ORDER BY seq")
    times = [created for (created,) in rows if created]
    assert max(times) <= NOW
    assert all(earlier <= later for earlier, later in pairwise(times))


def test_events_are_at_most_thirty_days_old_and_say_what_changed(books: Books) -> None:
    events = books["event"]
    assert min(each["created"] for each in events) >= NOW - 30 * DAY
    kinds = {each["type"] for each in events}
    assert kinds >= {
        "customer.created",
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.trial_will_end",
        "customer.subscription.updated",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_failed",
        "charge.dispute.created",
        "charge.succeeded",
        "payment_method.attached",
    }
    for each in events:
        before = each["data"].get("previous_attributes")
        if before is not None:
            now = each["data"]["object"]
            assert before
            assert all(now.get(name) != value for name, value in before.items()), each["type"]


def test_every_object_has_the_shape_that_the_sdk_declares(books: Books) -> None:
    kinds = [row[0] for row in books.account.store.execute("SELECT DISTINCT kind FROM objects")]
    found: Counter[str] = Counter()
    for kind in kinds:
        if kind != "intent":
            some = {each.get("type", each["id"]): each for each in books[kind]} if kind == "event" else {}
            chosen = list(some.values()) or books[kind][-250:]
            found.update(problem for each in chosen for problem in shapes.problems(each))
    assert found.most_common(5) == []
