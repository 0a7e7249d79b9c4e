"""The main numbers a second time: slow, obvious, from raw objects, sharing no code with the desk."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import requests

Thing = dict[str, Any]
DAY = 86_400
PER_YEAR = {"year": 1, "month": 12, "week": 52, "day": 365}
OPEN_DISPUTES = {"needs_response", "under_review", "warning_needs_response", "warning_under_review"}


@dataclass
class Books:
    """Everything that an account answers about itself."""

    customers: list[Thing]
    subscriptions: list[Thing]
    invoices: list[Thing]
    disputes: list[Thing]
    coupons: dict[str, Thing] = field(default_factory=dict)


def read(url: str, key: str) -> Books:
    """Lists the whole account over HTTP."""
    http = requests.Session()
    http.headers["Authorization"] = f"Bearer {key}"

    def every(path: str, **params: Any) -> list[Thing]:
        found: list[Thing] = []
        while True:
            after = {"starting_after": found[-1]["id"]} if found else {}
            page = http.get(f"{url}/v1/{path}", params={"limit": 100, **params, **after}, timeout=30).json()
            found += page["data"]
            if not page["has_more"]:
                return found

    subscriptions = every("subscriptions", status="all", **{"expand[]": "data.discounts"})
    coupons = {coupon["id"]: coupon for coupon in every("coupons", **{"expand[]": "data.applies_to"})}
    return Books(every("customers"), subscriptions, every("invoices"), every("disputes"), coupons)


def monthly_micros(books: Books, subscription: Thing) -> int:
    """One subscription a month after forever discounts; knows coupons on the subscription only."""
    per_item: list[tuple[Decimal, Decimal, str]] = []
    for item in subscription["items"]["data"]:
        price, recurring = item["price"], item["price"]["recurring"]
        often = Decimal(PER_YEAR[recurring["interval"]]) / (12 * recurring["interval_count"])
        amount = Decimal(price["unit_amount_decimal"] or 0) * item["quantity"] * often
        per_item.append((amount, often, price["product"]))
    for discount in subscription["discounts"]:
        coupon = books.coupons[discount["source"]["coupon"]]
        if coupon["duration"] != "forever":
            continue
        only = set((coupon.get("applies_to") or {}).get("products", ()))
        fits = [not only or product in only for _, _, product in per_item]
        if coupon["percent_off"]:
            keep = 1 - Decimal(str(coupon["percent_off"])) / 100
            per_item = [
                (amount * keep if fit else amount, often, product)
                for (amount, often, product), fit in zip(per_item, fits, strict=True)
            ]
        elif coupon["currency"] == subscription["currency"]:
            total = sum(amount for (amount, _, _), fit in zip(per_item, fits, strict=True) if fit)
            often = max(often for _, often, _ in per_item)
            keep = max(Decimal(0), 1 - coupon["amount_off"] * often / total) if total else Decimal(1)
            per_item = [
                (amount * keep if fit else amount, often, product)
                for (amount, often, product), fit in zip(per_item, fits, strict=True)
            ]
    whole = [(amount * 1_000_000).quantize(Decimal(1), ROUND_HALF_EVEN) for amount, _, _ in per_item]
    return int(sum(whole))


def _paying(books: Books) -> list[tuple[Thing, int]]:
    """The subscriptions that count, with what each is worth a month."""
    counted = [
        (one, monthly_micros(books, one))
        for one in books.subscriptions
        if one["status"] in ("active", "past_due") and not one["pause_collection"]
    ]
    return [(one, worth) for one, worth in counted if worth]


def active_customers(books: Books) -> int:
    """Active customers of all currencies."""
    return len({one["customer"] for one, _ in _paying(books)})


def mrr(books: Books) -> dict[str, tuple[int, int]]:
    """MRR in micros and active customers, by currency."""
    money: Counter[str] = Counter()
    people: dict[str, set[str]] = defaultdict(set)
    for one, worth in _paying(books):
        money[one["currency"]] += worth
        people[one["currency"]].add(one["customer"])
    return {code: (money[code], len(people[code])) for code in money}


def trial_state(books: Books, customer: str, now: int) -> tuple[str, int] | None:
    """What became of a customer's first trial, and when it started."""
    mine = sorted(
        (one for one in books.subscriptions if one["customer"] == customer and one["trial_start"]),
        key=lambda one: (one["trial_start"], one["created"], one["id"]),
    )
    if not mine:
        return None
    trial = mine[0]
    later = {
        one["id"]
        for one in books.subscriptions
        if one["customer"] == customer and one["created"] >= trial["created"]
    }
    asked = [
        invoice
        for invoice in books.invoices
        if _subscription(invoice) in later and invoice["total"] > 0 and invoice["billing_reason"] != "manual"
    ]
    due = [invoice for invoice in asked if invoice["status"] != "void"]
    first = min(due, key=lambda invoice: (invoice["created"], invoice["id"]), default=None)
    state = _state(trial, first, len(asked) > len(due), any(one["status"] == "trialing" for one in mine))
    return state, trial["trial_start"]


def _state(trial: Thing, first: Thing | None, some_voided: bool, any_trialing: bool) -> str:
    if first and first["status"] == "paid" and trial["status"] != "trialing":
        return "converted"
    if any_trialing or (first and first["status"] == "draft" and not trial["ended_at"]):
        return "running"
    if first or (some_voided and trial["ended_at"]):
        return "missed_payment"
    if trial["ended_at"] and trial["canceled_at"] < trial["trial_end"]:
        return "cancelled_in_trial"
    if trial["status"] == "paused" or (trial["ended_at"] and trial["ended_at"] <= trial["trial_end"] + DAY):
        return "expired"
    return "free"


def cohorts(books: Books, now: int, zone: ZoneInfo) -> dict[str, Counter[str]]:
    """The states of all trials by the local month of their start."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for customer in {one["customer"] for one in books.subscriptions}:
        if came := trial_state(books, customer, now):
            state, started = came
            found[datetime.fromtimestamp(started, zone).strftime("%Y-%m")][state] += 1
    return found


def open_failures(books: Books, *, ended: bool) -> dict[str, tuple[int, int]]:
    """How many failed invoices still ask for money, and for how much, by currency.

    Those of subscriptions that have ended, or all others.
    """
    over = {one["id"] for one in books.subscriptions if one["status"] in ("canceled", "incomplete_expired")}
    found: dict[str, tuple[int, int]] = {}
    for one in books.invoices:
        if one["status"] == "open" and one["attempted"] and one["amount_remaining"] > 0:
            if (_subscription(one) in over) is not ended:
                continue
            count, amount = found.get(one["currency"], (0, 0))
            found[one["currency"]] = (count + 1, amount + one["amount_remaining"])
    return found


def open_disputes(books: Books) -> dict[str, tuple[int, int]]:
    """How many disputes are not decided, and their amount, by currency."""
    found: dict[str, tuple[int, int]] = {}
    for one in books.disputes:
        if one["status"] in OPEN_DISPUTES:
            count, amount = found.get(one["currency"], (0, 0))
            found[one["currency"]] = (count + 1, amount + one["amount"])
    return found


def running_trials(books: Books) -> Counter[str]:
    """Subscriptions in trial by currency."""
    return Counter(one["currency"] for one in books.subscriptions if one["status"] == "trialing")


def _subscription(invoice: Thing) -> str | None:
    parent = invoice["parent"]
    details = parent and parent["subscription_details"]
    return details["subscription"] if details else None
