"""Does the history look like a real business, and do its books add up?"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from services.sandbox import history
from services.sandbox.billing import customers, subscriptions
from services.sandbox.billing.account import Account
from services.sandbox.billing.lifecycle import open_account
from services.sandbox.store import encode, subscription_of
from tests.support import shapes

NOW = 1_795_300_000
DAY = 86_400
SEED = 7
Body = dict[str, Any]


class Books:
    """The objects of an account by kind, oldest first."""

    def __init__(self, account: Account, now: int = NOW) -> None:
        self.account, self.now = account, now
        self._kinds: dict[str, list[Body]] = {}

    def __getitem__(self, kind: str) -> list[Body]:
        if kind not in self._kinds:
            self._kinds[kind] = self.account.store.all(kind)
        return self._kinds[kind]

    def notes(self, body: Body) -> Body:
        return self.account.store.notes(body["id"])


def _built(number: int, seed: int = SEED, now: int = NOW) -> Account:
    account = open_account(":memory:", now)
    history.build(account, customers=number, seed=seed, now=now)
    return account


def _prints(account: Account, until: int = NOW) -> dict[str, str]:
    """A fingerprint of each object that is older than `until`."""
    rows = account.store.execute(
        "SELECT id, body FROM objects WHERE created < ? AND kind <> 'intent'", (until,)
    )
    return {object_id: hashlib.sha256(body.encode()).hexdigest() for object_id, body in rows}


@pytest.fixture(scope="module")
def books() -> Iterator[Books]:
    account = _built(420)
    yield Books(account)
    account.store.close()


# The same again


def test_the_same_seed_and_day_make_the_same_history() -> None:
    first, second, other = _built(75), _built(75), _built(75, seed=8)
    assert _prints(first) == _prints(second)
    assert not _prints(first).keys() & _prints(other).keys() - {
        "LAUNCH25",
        "THREE10",
        "WELCOME20",
        "TENOFF",
        "PARTNER100",
    }


def test_an_hour_later_on_the_same_day_the_past_is_the_same() -> None:
    early, late = _built(75, now=NOW), _built(75, now=NOW + 3600)
    early.intents, late.intents = {}, {}
    history.enable(early)
    early.advance(NOW + 3600)
    early.store.commit()
    assert _prints(early, NOW + 3601) == _prints(late, NOW + 3601)


def test_an_account_for_nobody_is_empty_and_small_ones_have_the_number_asked_for() -> None:
    assert _prints(_built(0)) == {}
    assert len(Books(_built(10))["customer"]) == 10


# Who and what is there


def _trial_ends_within(books: Books, start: int, end: int) -> list[Body]:
    trials = [each for each in books["subscription"] if each["status"] == "trialing"]
    return [each for each in trials if books.now + start < each["trial_end"] <= books.now + end]


def _subscriptions(status: str) -> Callable[[Books], list[Body]]:
    return lambda books: [each for each in books["subscription"] if each["status"] == status]


def _where(kind: str, holds: Callable[[Body], Any]) -> Callable[[Books], list[Body]]:
    return lambda books: [each for each in books[kind] if holds(each)]


def _feedback(each: Body) -> str | None:
    value: str | None = each["cancellation_details"]["feedback"]
    return value


def _several(books: Books, kind: str, name: str) -> list[str]:
    return [value for value, count in Counter(each[name] for each in books[kind]).items() if count > 1]


def _missing(each: Body, behavior: str) -> bool:
    value = each["trial_settings"]["end_behavior"]["missing_payment_method"]
    return bool(each["trial_start"] and value == behavior)


CASES: dict[str, Callable[[Books], list[Any]]] = {
    "trial ends today": lambda books: _trial_ends_within(books, 0, DAY),
    "trial ends tomorrow": lambda books: _trial_ends_within(books, DAY, 2 * DAY),
    "trial ends in three days": lambda books: _trial_ends_within(books, 2 * DAY, 4 * DAY),
    "trial ends next week": lambda books: _trial_ends_within(books, 7 * DAY, 14 * DAY),
    "trial that is canceled": _where("subscription", lambda s: s["status"] == "trialing" and s["cancel_at"]),
    "no-card trial, cancel": _where("subscription", lambda s: _missing(s, "cancel")),
    "no-card trial, pause": _where("subscription", lambda s: _missing(s, "pause")),
    "no-card trial, invoice": _where("subscription", lambda s: _missing(s, "create_invoice")),
    "extended": _where(
        "subscription",
        lambda s: s["trial_start"] and (s["trial_end"] - s["trial_start"]) in (21 * DAY, 28 * DAY),
    ),
    "converted early": _where(
        "subscription",
        lambda s: s["trial_start"] and (s["trial_end"] - s["trial_start"]) % DAY and not s["ended_at"],
    ),
    "never on trial": _where("subscription", lambda s: not s["trial_start"]),
    "past due": _subscriptions("past_due"),
    "unpaid": _subscriptions("unpaid"),
    "paused": _subscriptions("paused"),
    "incomplete": _subscriptions("incomplete"),
    "incomplete, expired": _subscriptions("incomplete_expired"),
    "collection paused": _where("subscription", lambda s: s["pause_collection"] and s["status"] == "active"),
    "scheduled cancel": _where(
        "subscription", lambda s: s["status"] == "active" and s["cancel_at_period_end"]
    ),
    "canceled for failed payment": _where(
        "subscription", lambda s: s["cancellation_details"]["reason"] == "payment_failed"
    ),
    "cancel feedback": _where("subscription", _feedback),
    "cancel comment": _where("subscription", lambda s: s["cancellation_details"]["comment"]),
    "yearly": _where("subscription", lambda s: s["items"]["data"][0]["plan"]["interval"] == "year"),
    "two items": _where("subscription", lambda s: len(s["items"]["data"]) == 2),
    "sent invoices": _where("subscription", lambda s: s["collection_method"] == "send_invoice"),
    "two subscriptions": lambda books: _several(books, "subscription", "customer"),
    "shared email": lambda books: _several(books, "customer", "email"),
    "archived price still paid": _where(
        "subscription", lambda s: s["status"] == "active" and not s["items"]["data"][0]["price"]["active"]
    ),
    "archived price": _where("price", lambda p: not p["active"]),
    "failure with a next attempt": _where("invoice", lambda i: i["attempted"] and i["next_payment_attempt"]),
    "failure on the last attempt": _where(
        "invoice", lambda i: i["status"] == "open" and i["attempted"] and not i["next_payment_attempt"]
    ),
    "recovered failure": _where("invoice", lambda i: i["status"] == "paid" and i["attempt_count"] > 1),
    "sent and open": _where(
        "invoice", lambda i: i["status"] == "open" and i["collection_method"] == "send_invoice"
    ),
    "one-off charge": _where("invoiceitem", lambda i: not i["proration"] and i["invoice"]),
    "one-off charge that waits": _where("invoiceitem", lambda i: not i["proration"] and not i["invoice"]),
    "proration": _where("invoiceitem", lambda i: i["proration"] and i["amount"] < 0),
    "free by coupon": _where("invoice", lambda i: i["subtotal"] > 0 and i["total"] == 0),
    "refunded in part": _where("charge", lambda c: 0 < c["amount_refunded"] < c["amount"]),
    "refunded": _where("charge", lambda c: c["refunded"]),
    "dispute open": _where(
        "dispute", lambda d: d["status"] == "needs_response" and d["evidence_details"]["due_by"] > NOW
    ),
    "dispute won": _where("dispute", lambda d: d["status"] == "won"),
    "dispute lost": _where("dispute", lambda d: d["status"] == "lost"),
    "credit": _where("customer_balance_transaction", lambda t: t["type"] == "adjustment" and t["amount"] < 0),
    "credit used": _where("customer_balance_transaction", lambda t: t["type"] == "applied_to_invoice"),
    "promotion code": _where("discount", lambda d: d["promotion_code"]),
    "deleted customer": lambda books: books["deleted customer"],
    "formula as a name": _where("customer", lambda c: c["name"].startswith("=")),
    "HTML as a name": _where("customer", lambda c: "<script>" in c["name"]),
    "markdown as a name": _where("customer", lambda c: "**" in c["name"]),
    "right to left": _where("customer", lambda c: "\u0600" < c["name"][0] < "\u06ff"),
    "emoji": _where("customer", lambda c: "🚀" in c["name"]),
    "long name": _where("customer", lambda c: len(c["name"]) > 200),
    "no phone": _where("customer", lambda c: not c["phone"]),
    "not subscribed": lambda books: [
        c for c in books["customer"] if c["id"] not in {s["customer"] for s in books["subscription"]}
    ],
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_there(books: Books, case: str) -> None:
    assert CASES[case](books)


def test_each_coupon_decline_currency_and_source_occurs(books: Books) -> None:
    used = {each["source"]["coupon"] for each in books["discount"]}
    declined = {each["outcome"]["reason"] for each in books["charge"] if each["status"] == "failed"}
    sources = {each["metadata"].get("source") for each in books["customer"]}
    assert used == {each["id"] for each in books["coupon"]}
    assert declined >= {"insufficient_funds", "expired_card", "do_not_honor", "generic_decline"}
    assert {each["currency"] for each in books["subscription"]} == {"usd", "eur", "jpy"}
    assert sources >= {None, "google", "referral", "ads", "content", "partner"}
    assert len({each["address"]["country"] for each in books["customer"]}) >= 10


def test_customers_have_what_the_desk_needs_to_find_them(books: Books) -> None:
    for each in books["customer"]:
        assert each["email"].endswith(".example")
        assert each["metadata"]["external_id"].startswith("acct-")
        assert "/" in each["metadata"]["timezone"]
        assert each["address"]["city"]


# The numbers of a healthy business


def test_the_numbers_are_those_of_a_real_business(books: Books) -> None:
    billed = _billed(books)
    over = [s for s in books["subscription"] if s["trial_start"] and s["trial_end"] <= NOW - 30 * DAY]
    converted = [s for s in over if billed[s["id"]] and billed[s["id"]][0]["status"] == "paid"]
    assert 0.2 <= len(converted) / len(over) <= 0.45
    assert 0.02 <= _monthly_churn(books, billed) <= 0.055
    renewals = [
        i for many in billed.values() for i in many[1:] if i["created"] < NOW - 30 * DAY and i["attempted"]
    ]
    failed = [i for i in renewals if i["attempt_count"] > 1 or i["status"] != "paid"]
    recovered = [i for i in failed if i["status"] == "paid"]
    assert 0.02 <= len(failed) / len(renewals) <= 0.09
    assert 0.4 <= len(recovered) / len(failed) <= 0.8


def test_more_sign_up_every_quarter(books: Books) -> None:
    months = Counter((NOW - each["created"]) // (91 * DAY) for each in books["customer"])
    assert months[0] > months[3] > months[5] > 0


def _billed(books: Books) -> dict[str, list[Body]]:
    """The finalized invoices above zero of each subscription."""
    billed = defaultdict(list)
    for invoice in books["invoice"]:
        if invoice["total"] > 0 and invoice["status"] != "draft":
            billed[subscription_of(invoice)].append(invoice)
    return billed


def _monthly_churn(books: Books, billed: dict[str, list[Body]]) -> float:
    """Subscriptions that ended for each month that one was paid for."""
    months = ended = 0.0
    for each in books["subscription"]:
        paid = [invoice for invoice in billed[each["id"]] if invoice["status"] == "paid"]
        if paid:
            months += ((each["ended_at"] or NOW) - paid[0]["created"]) / (30 * DAY)
            ended += bool(each["ended_at"])
    return ended / months


# The books


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
            found.update(problem for each in books[kind][-250:] for problem in shapes.problems(each))
    assert found.most_common(5) == []


# Life after today


def _moments(account: Account) -> Counter[tuple[str, int]]:
    """How many objects of each kind were made at each time."""
    account.store.commit()
    rows = account.store.execute("SELECT kind, created FROM objects WHERE kind <> 'intent'")
    return Counter((kind, created) for kind, created in rows)


def test_life_goes_on_after_today() -> None:
    account = _built(80)
    before = {kind for kind, _ in _moments(account)}
    history.enable(account)
    account.advance(NOW + 45 * DAY)
    grown = {kind for kind, created in _moments(account) if created > NOW}
    assert grown >= {"customer", "subscription", "invoice", "charge", "payment_method"}
    assert grown <= before


def test_life_is_the_same_when_the_program_is_restarted_in_the_middle(tmp_path: Path) -> None:
    file = tmp_path / "account.db"
    account = open_account(file, NOW)
    history.build(account, customers=70, seed=SEED, now=NOW)
    account.store.close()
    for day in (10, 30):
        account = open_account(file, account.now)
        history.enable(account)
        account.advance(NOW + day * DAY)
        account.store.commit()
    whole = _built(70)
    history.enable(whole)
    whole.advance(NOW + 30 * DAY)
    assert _moments(account) == _moments(whole)


def test_without_life_nobody_signs_up_but_billing_goes_on() -> None:
    account = _built(60)
    people = len(account.store.select("customer"))
    invoices = len(account.store.select("invoice"))
    account.advance(NOW + 40 * DAY)
    assert len(account.store.select("customer")) == people
    assert len(account.store.select("invoice")) > invoices


def test_staff_may_do_anything_and_life_still_goes_on() -> None:
    account = _built(70)
    history.enable(account)
    for index, customer in enumerate(account.store.all("customer")):
        if index % 3 == 0:
            customers.delete(account, customer["id"])
        elif index % 3 == 1:
            customers.update(account, customer["id"], address="", email="")
    for subscription in account.store.all("subscription", "label = 'active'")[::2]:
        subscriptions.cancel(account, subscription["id"])
    account.advance(NOW + 90 * DAY)
    account.store.commit()
    problems = [problem for each in account.store.all("subscription") for problem in shapes.problems(each)]
    assert problems == []
    assert encode(account.store.all("customer")[-1])
