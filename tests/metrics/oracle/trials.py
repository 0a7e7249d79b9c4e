"""What became of each trial: the six states, when it converted, cohorts and rates. As of now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.metrics.oracle.reading import DAY, Books, Thing, subscription_of

ONE_OFF = ("manual", "automatic_pending_invoice_item_invoice")


@dataclass
class Trial:
    """A customer's first trial; instants in UTC seconds."""

    customer: str
    subscription: Thing
    started: int
    over_at: int
    state: str
    converted_at: int | None
    plan: str
    currency: str
    source: str

    @property
    def took(self) -> int | None:
        """Seconds from the start to the first payment."""
        return None if self.converted_at is None else self.converted_at - self.started

    @property
    def days(self) -> int | None:
        """The same in begun days."""
        return None if self.took is None else -(-self.took // DAY)


def trials(books: Books) -> dict[str, Trial]:
    """The trial of each customer that had one."""
    found = (trial(mine, customer) for customer, mine in books.apart().items())
    return {one.customer: one for one in found if one is not None}


def trial(books: Books, customer: str) -> Trial | None:
    """What became of a customer's first trial."""
    every = [one for one in books.subscriptions if one["customer"] == customer]
    tried = sorted((one for one in every if one["trial_start"]), key=_by_start)
    if not tried:
        return None
    first = tried[0]
    asked = _asked(books, first, every)
    due = next((one for one in asked if one["status"] != "void"), None)
    voided = any(one["status"] == "void" and one["created"] >= first["trial_start"] for one in asked)
    state = _state(first, due, voided, any(one["status"] == "trialing" for one in tried))
    ends = [at for at in (first["trial_end"], first["ended_at"]) if at]
    return Trial(
        customer,
        first,
        first["trial_start"],
        min(ends),
        state,
        due["status_transitions"]["paid_at"] if state == "converted" and due else None,
        dearest(first)["price"]["product"],
        first["currency"],
        ((books.one("customers", customer) or {}).get("metadata") or {}).get("source", ""),
    )


def dearest(subscription: Thing) -> Thing:
    """The item that says which plan it is; the others are add-ons."""
    return min(
        subscription["items"]["data"],
        key=lambda item: (
            -(item["price"]["unit_amount"] or 0) * item["quantity"],
            item["created"],
            item["id"],
        ),
    )


def _by_start(subscription: Thing) -> tuple[int, int, str]:
    return subscription["trial_start"], subscription["created"], subscription["id"]


def _asked(books: Books, first: Thing, every: Iterable[Thing]) -> list[Thing]:
    """The invoices above zero of the trial's subscription and of later ones, the earliest first."""
    later = {one["id"] for one in every if one["created"] >= first["created"]}
    mine = [
        one
        for one in books.invoices
        if subscription_of(one) in later and one["total"] > 0 and one["billing_reason"] not in ONE_OFF
    ]
    return sorted(mine, key=lambda one: (one["created"], one["id"]))


def _state(first: Thing, due: Thing | None, voided: bool, any_trialing: bool) -> str:
    ended = first["ended_at"]
    if (
        due
        and due["status"] == "paid"
        and (first["status"] != "trialing" or due["created"] < first["trial_start"])
    ):
        return "converted"
    if any_trialing or (due and due["status"] == "draft" and not ended):
        return "running"
    if due or (voided and ended):
        return "missed_payment"
    if ended and first["canceled_at"] and first["canceled_at"] < first["trial_end"]:
        return "cancelled_in_trial"
    if first["status"] == "paused" or (ended and ended <= first["trial_end"] + DAY):
        return "expired"
    return "free"


def period_key(at: int, grain: str, zone: ZoneInfo) -> str:
    """The local month (`2026-05`) or the Monday (`2026-05-04`) of an instant."""
    local = datetime.fromtimestamp(at, zone)
    if grain == "month":
        return local.strftime("%Y-%m")
    return (local - timedelta(days=local.weekday())).strftime("%Y-%m-%d")


def cohorts(found: Iterable[Trial], grain: str, zone: ZoneInfo) -> dict[str, list[Trial]]:
    """The trials by the local month or week of their start."""
    made: dict[str, list[Trial]] = defaultdict(list)
    for one in found:
        made[period_key(one.started, grain, zone)].append(one)
    return made


def states(found: Iterable[Trial]) -> Counter[str]:
    """How many trials are in each state."""
    return Counter(one.state for one in found)


def rate(found: Iterable[Trial], window: int | None = None) -> tuple[int, int]:
    """Converted (within so many days of the start) of started."""
    every = list(found)
    came = [one for one in every if one.took is not None]
    return sum(1 for one in came if window is None or (one.took or 0) <= window * DAY), len(every)


def period_rate(found: Iterable[Trial], now: int) -> tuple[int, int]:
    """Converted of the trials that ended in the last 30 days, as Stripe shows it."""
    over = [one for one in found if one.state != "running" and now - 30 * DAY < one.over_at <= now]
    return sum(one.state == "converted" for one in over), len(over)


def days_to_convert(found: Iterable[Trial]) -> list[int]:
    """Begun days from start to first payment of those that converted, ascending."""
    return sorted(one.days for one in found if one.days is not None)


def by_day(found: Iterable[Trial], now: int, last: int) -> tuple[list[int], list[int]]:
    """How many trials were watched on each day since their start up to the `last`, and converted on it.

    A trial has been watched for as many whole days as it is old; what came on a day that is not over yet has
    not been seen.
    """
    watched = []
    for one in found:
        age = min((now - one.started) // DAY, last)
        came = one.days is not None and one.days <= age
        watched.append((max(0, one.days) if came and one.days is not None else max(0, age), came))
    days = range(max((day for day, _ in watched), default=-1) + 1)
    at_risk = [sum(at >= day for at, _ in watched) for day in days]
    return at_risk, [sum(came and at == day for at, came in watched) for day in days]
