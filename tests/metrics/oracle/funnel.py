"""How far did each customer come? Step by step, as of now."""

from __future__ import annotations

from dataclasses import dataclass

from tests.metrics.oracle.reading import DAY, Books, Thing, subscription_of
from tests.metrics.oracle.trials import ONE_OFF, Trial, trial

TRIAL = ("signed_up", "trial", "method", "over", "paid", "paying_30", "paying_90")
DIRECT = ("signed_up", "paid", "paying_30", "paying_90")


@dataclass
class Journey:
    """`reached`: the steps of its path that a customer came to. `waits`: the next lies in the future."""

    customer: str
    created: int
    path: str
    reached: tuple[str, ...]
    waits: bool


def journeys(books: Books, now: int) -> dict[str, Journey]:
    """The journey of every customer."""
    found = {}
    for id, mine in books.apart().items():
        customer = mine.one("customers", id) or _gone(mine, id)
        found[id] = _journey(mine, customer, trial(mine, id), now)
    return found


def _gone(books: Books, customer: str) -> Thing:
    """A customer that was deleted before anybody looked: as old as the oldest that names it."""
    dated = [*books.subscriptions, *books.invoices]
    return {"id": customer, "created": min(one["created"] for one in dated)}


def _journey(books: Books, customer: Thing, tried: Trial | None, now: int) -> Journey:
    steps = TRIAL if tried else DIRECT
    paid_at = tried.converted_at if tried else _first_payment(books, customer["id"])
    if paid_at is None:
        reached = _before_paying(books, customer, tried)
        return _made(customer, tried, steps[:reached], bool(tried and tried.state == "running"))
    kept = [_is_paying(books, customer["id"], paid_at + days * DAY) for days in (30, 90)]
    too_early = [paid_at + days * DAY > now for days in (30, 90)]
    after = 0
    while after < 2 and not too_early[after] and kept[after]:
        after += 1
    waits = after < 2 and too_early[after]
    return _made(customer, tried, steps[: steps.index("paid") + 1 + after], waits)


def _made(customer: Thing, tried: Trial | None, reached: tuple[str, ...], waits: bool) -> Journey:
    return Journey(customer["id"], customer["created"], "trial" if tried else "direct", reached, waits)


def _before_paying(books: Books, customer: Thing, tried: Trial | None) -> int:
    """How many steps somebody came who has not paid."""
    if tried is None:
        return 1
    sent = tried.subscription["collection_method"] == "send_invoice"
    if not (sent or _has_method(books, customer)):
        return 2
    return 3 if tried.subscription["status"] == "trialing" else 4


def _has_method(books: Books, customer: Thing) -> bool:
    mine = [one for one in books.subscriptions if one["customer"] == customer["id"]]
    living = [one for one in mine if one["status"] not in ("canceled", "incomplete_expired")]
    holders = [*living, customer.get("invoice_settings") or {}, customer]
    return any(one.get("default_payment_method") or one.get("default_source") for one in holders)


def _first_payment(books: Books, customer: str) -> int | None:
    paid = [
        one["status_transitions"]["paid_at"]
        for one in books.invoices
        if one["customer"] == customer
        and subscription_of(one)
        and one["total"] > 0
        and one["status"] == "paid"
        and one["billing_reason"] not in ONE_OFF
    ]
    return min(paid, default=None)


def _is_paying(books: Books, customer: str, then: int) -> bool:
    """Whether an invoice above zero that was asked for covers an instant with a line for service."""
    mine = {one["id"]: one for one in books.subscriptions if one["customer"] == customer}
    for invoice in books.invoices:
        if invoice["total"] <= 0 or not _was_asked_for(invoice, then):
            continue
        for line in invoice["lines"]["data"]:
            subscription = mine.get(line["subscription"] or "")
            if subscription is None or (subscription["ended_at"] or then + 1) <= then:
                continue
            covers = line["period"]["start"] <= then < line["period"]["end"]
            if covers and line["amount"] > 0 and not is_proration(line):
                return True
    return False


def _was_asked_for(invoice: Thing, then: int) -> bool:
    at = invoice["status_transitions"]
    given_up = at["marked_uncollectible_at"] or at["voided_at"]
    if invoice["status"] not in ("paid", "open") and not (given_up and given_up > then):
        return False
    finalized = at["finalized_at"] or invoice["created"]
    return bool(finalized <= then + DAY or finalized <= invoice["created"] + DAY)


def is_proration(line: Thing) -> bool:
    """Whether a line is about a change in the middle of a period."""
    parent = line["parent"]
    details = parent["subscription_item_details"] or parent["invoice_item_details"] or {}
    return bool(details.get("proration"))
