"""Does the history look like a real business, and does life go on after it?"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox import history
from services.sandbox.billing import customers, subscriptions
from services.sandbox.billing.account import Account
from services.sandbox.billing.lifecycle import open_account
from services.sandbox.history import arrivals, cast
from services.sandbox.history.places import COUNTRIES
from services.sandbox.store import encode, subscription_of
from tests.support import shapes
from tests.support.books import DAY, NOW, SEED, Body, Books, built, shared


def _prints(account: Account, until: int = NOW) -> dict[str, str]:
    """A fingerprint of each object that is older than `until`."""
    rows = account.store.execute(
        "SELECT id, body FROM objects WHERE created < ? AND kind <> 'intent'", (until,)
    )
    return {object_id: hashlib.sha256(body.encode()).hexdigest() for object_id, body in rows}


@pytest.fixture(scope="module")
def books() -> Books:
    return shared()


# The same again


def test_the_same_seed_and_day_make_the_same_history() -> None:
    first, second, other = built(75), built(75), built(75, seed=8)
    assert _prints(first) == _prints(second)
    assert not _prints(first).keys() & _prints(other).keys() - {
        "LAUNCH25",
        "THREE10",
        "WELCOME20",
        "TENOFF",
        "PARTNER100",
    }


def test_an_hour_later_on_the_same_day_the_past_is_the_same() -> None:
    early, late = built(75, now=NOW), built(75, now=NOW + 3600)
    early.intents, late.intents = {}, {}
    history.enable(early)
    early.advance(NOW + 3600)
    early.store.commit()
    assert _prints(early, NOW + 3601) == _prints(late, NOW + 3601)


def test_an_account_for_nobody_is_empty() -> None:
    assert _prints(built(0)) == {}


@pytest.mark.parametrize("number", [1, 10, 97])
def test_as_many_sign_up_before_today_as_were_asked_for(number: int) -> None:
    midnight = NOW - NOW % DAY
    account = built(number)
    late = sum(moment >= midnight for moment, _ in cast.roles(midnight)[:number])
    signed_up = account.store.execute(
        "SELECT count(*) FROM objects WHERE kind IN ('customer', 'deleted customer') AND created < ?",
        (midnight,),
    )
    assert signed_up[0][0] == number - late


@given(st.integers(1, 40_000), st.integers(1_600_000_000, 2_000_000_000))
def test_the_days_before_today_share_all_customers(number: int, now: int) -> None:
    first, today = arrivals.beginning(now), arrivals.midnight(now)
    rate = arrivals.rate(number, first, today)
    days = [rate * arrivals.pull(day, first) for day in range(first, today, DAY)]
    assert sum(days) == pytest.approx(number)
    assert min(days) > 0
    assert sum(days[-30:]) > sum(days[:30])


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
    return [
        value for value, count in Counter(each[name] for each in books[kind]).items() if value and count > 1
    ]


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
    "formula as a name": _where("customer", lambda c: (c["name"] or "?").startswith("=")),
    "HTML as a name": _where("customer", lambda c: "<script>" in (c["name"] or "?")),
    "markdown as a name": _where("customer", lambda c: "**" in (c["name"] or "?")),
    "right to left": _where("customer", lambda c: "\u0600" < (c["name"] or "?")[0] < "\u06ff"),
    "emoji": _where("customer", lambda c: "🚀" in (c["name"] or "?")),
    "long name": _where("customer", lambda c: len(c["name"] or "?") > 200),
    "no name": _where("customer", lambda c: not c["name"]),
    "no email": _where("customer", lambda c: not c["email"]),
    "no address": _where("customer", lambda c: not c["address"]),
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
    assert len({each["address"]["country"] for each in books["customer"] if each["address"]}) >= 10


def test_customers_are_people_of_one_place(books: Books) -> None:
    living = books["customer"]
    assert len({each["metadata"]["external_id"] for each in living}) == len(living)
    for each in living:
        place = COUNTRIES[each["address"]["country"]] if each["address"] else COUNTRIES["US"]
        assert each["email"] is None or each["email"].endswith(".example")
        assert not each["address"] or each["metadata"]["timezone"] in {city.timezone for city in place.cities}
        assert not each["address"] or each["preferred_locales"] == [place.locale]
        assert not (each["address"] and each["phone"]) or each["phone"][:3] == place.phone[:3]
        assert each["currency"] in (None, place.currency)


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


# Life after today


def _moments(account: Account) -> Counter[tuple[str, int]]:
    """How many objects of each kind were made at each time."""
    account.store.commit()
    rows = account.store.execute("SELECT kind, created FROM objects WHERE kind <> 'intent'")
    return Counter((kind, created) for kind, created in rows)


def test_life_goes_on_after_today() -> None:
    account = built(80)
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
    whole = built(70)
    history.enable(whole)
    whole.advance(NOW + 30 * DAY)
    assert _moments(account) == _moments(whole)


def test_without_life_nobody_signs_up_but_billing_goes_on() -> None:
    account = built(60)
    people = len(account.store.select("customer"))
    invoices = len(account.store.select("invoice"))
    account.advance(NOW + 40 * DAY)
    assert len(account.store.select("customer")) == people
    assert len(account.store.select("invoice")) > invoices


def test_staff_may_do_anything_and_life_still_goes_on() -> None:
    account = built(70)
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
