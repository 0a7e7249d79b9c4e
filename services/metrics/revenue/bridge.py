"""Why is our number not Stripe's? From ours to what Stripe's page shows, cause by cause.

Stripe's own page counts by its own rules, some of which the account can set (sources: Stripe's support pages
"Billing analytics", "Metric configurations" and "Calculating trial conversion rate in Billing", and its
glossary of Billing metrics). Each cause here is counted from the rows, so that ours and all causes add up to
what Stripe should show; what is left to the number that a person reads there is not explained, and said so.

What differs: Stripe adds all currencies, at rates of its own. It counts subscriptions whose collection is
paused. Which discounts it deducts, and whether somebody who canceled is gone at once or at the period's end,
are settings. And it shows the end of a day that is over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from models import Customer, Discount, Subscription, SubscriptionItem
from services import clock, database
from services.metrics.revenue import mrr, revenue, stripe_moves, worth
from services.metrics.revenue.mrr import COUNTED, FOREVER, WITH_REPEATING

Discounts = Literal["none", "forever", "repeating", "all"]
DEDUCTED: Mapping[Discounts, frozenset[str]] = {
    "none": frozenset(),
    "forever": FOREVER,
    "repeating": WITH_REPEATING,
    "all": WITH_REPEATING | {"once"},
}


@dataclass(frozen=True, slots=True)
class Rules:
    """How Stripe's page is set up: which `discounts` it deducts, whether who cancels is gone `at_once`; and
    `day`, the first instant of the day after the one that it shows (UTC seconds), None for this moment."""

    discounts: Discounts = "forever"
    at_once: bool = False
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason: `amount` is what Stripe's number has more (micros, or customers); `rows` of how many
    subscriptions, or customers, that is."""

    key: str
    amount: int
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Bridge:
    """From `ours` over the `causes` to what Stripe should show, in one currency or in customers."""

    ours: int
    causes: Sequence[Cause]

    @property
    def theirs(self) -> int:
        """What Stripe should show."""
        return self.ours + sum(cause.amount for cause in self.causes)

    def unexplained(self, read: int) -> int:
        """What a number that was read on Stripe's page has more than that."""
        return read - self.theirs


@dataclass(frozen=True, slots=True)
class Bridges:
    """Of MRR in micros, by currency (adding these up is left to whoever knows rates), and of the active
    customers of all currencies together, each once."""

    mrr: Mapping[str, Bridge]
    customers: Bridge


@dataclass(frozen=True, slots=True)
class Apart:
    """A subscription behind a cause: what it comes to in `ours` and in `theirs`, and what Stripe's number
    has `more` by the cause (micros)."""

    customer: str
    currency: str
    ours: int
    theirs: int
    more: int


@dataclass(frozen=True, slots=True)
class Row:
    """The same, with the customer's `name` and `email`, "" where there is none."""

    customer: str
    name: str
    email: str
    currency: str
    ours: int
    theirs: int
    more: int


@dataclass(frozen=True, slots=True)
class _Standing:
    """A subscription as it counts for us, and as it would by Stripe's rules."""

    customer: str
    currency: str
    ours: int
    discounted: int
    paused: bool
    leaving: bool


def read(session: Session, rules: Rules) -> Bridges:
    """Both, from one look at the subscriptions."""
    stood, now = _standing(session, rules), revenue.now(session)
    moved = stripe_moves.since(session, rules.day, clock.now())
    mrr_of = {code: one.mrr for code, one in now.by_currency.items()}
    found = {}
    for code in sorted({*mrr_of, *(one.currency for one in stood)}):
        mine = [one for one in stood if one.currency == code]
        found[code] = Bridge(mrr_of.get(code, 0), _causes(mine, moved.mrr.get(code, 0), rules))
    return Bridges(found, _of_customers(stood, now.customers, moved.customers, rules))


def in_one(
    bridges: Mapping[str, Bridge], into: str, weights: Mapping[str, Fraction]
) -> tuple[Bridge, list[str]]:
    """The bridge of one currency, with what Stripe adds of all others as one more cause, by the weight of
    each (what a micro of it is in micros of `into`); and the currencies of which no weight is known."""
    mine = bridges.get(into, Bridge(0, ()))
    others = {code: one.theirs for code, one in bridges.items() if code != into and one.theirs}
    known = {code: amount for code, amount in others.items() if code in weights}
    added = sum((weights[code] * amount for code, amount in known.items()), Fraction(0))
    causes = [*mine.causes, *([Cause("currencies", round(added))] if known else [])]
    return Bridge(mine.ours, causes), sorted(others.keys() - known.keys())


def behind(session: Session, rules: Rules, key: str, currency: str) -> list[Apart]:
    """The subscriptions behind a cause (`discounts`, `collection_paused`, `at_once`), the largest first; what
    they have `more` adds up to the cause's amount."""
    found = [
        Apart(
            one.customer,
            currency,
            0 if one.paused else one.ours,
            0 if key == "at_once" else one.discounted,
            _more(one, key),
        )
        for one in _standing(session, rules)
        if one.currency == currency and _is_behind(one, key)
    ]
    return sorted(found, key=lambda one: (-abs(one.more), one.customer))


def named(session: Session, some: Sequence[Apart]) -> list[Row]:
    """The same, each with its customer's name and address."""
    c = Customer
    people: dict[str, tuple[str, str]] = {}
    for ids in database.chunks(one.customer for one in some):
        asked = sa.select(col(c.id), col(c.name), col(c.email)).where(col(c.id).in_(ids))
        people |= {id: (name or "", email or "") for id, name, email in session.execute(asked)}
    return [
        Row(one.customer, *people.get(one.customer, ("", "")), one.currency, one.ours, one.theirs, one.more)
        for one in some
    ]


def _is_behind(one: _Standing, key: str) -> bool:
    if key == "discounts":
        return one.discounted != one.ours and not one.paused
    return bool(one.discounted) and (one.paused if key == "collection_paused" else one.leaving)


def _more(one: _Standing, key: str) -> int:
    """What Stripe's number has more by a cause, after those before it."""
    if key == "discounts":
        return one.discounted - one.ours
    return one.discounted if key == "collection_paused" else -one.discounted


def _causes(stood: Collection[_Standing], moved: int, rules: Rules) -> list[Cause]:
    keys = ("discounts", "collection_paused", *(["at_once"] if rules.at_once else []))
    return [Cause("timing", -moved), *(_cause(stood, key) for key in keys)]


def _cause(stood: Collection[_Standing], key: str) -> Cause:
    mine = [_more(one, key) for one in stood if _is_behind(one, key)]
    return Cause(key, sum(mine), len(mine))


def _of_customers(stood: Collection[_Standing], now: int, moved: int, rules: Rules) -> Bridge:
    counted = {one.customer for one in stood if one.ours}
    theirs = {one.customer for one in stood if one.discounted and not one.paused}
    paused = {one.customer for one in stood if one.discounted and one.paused} - theirs
    left = theirs | paused
    if rules.at_once:
        left = {one.customer for one in stood if one.discounted and not one.leaving}
    causes = [
        Cause("timing", -moved),
        Cause("discounts", len(theirs) - len(counted), len(theirs ^ counted)),
        Cause("collection_paused", len(paused), len(paused)),
    ]
    gone = len(theirs | paused) - len(left)
    return Bridge(now, [*causes, *([Cause("at_once", -gone, gone)] if rules.at_once else [])])


def _standing(session: Session, rules: Rules) -> list[_Standing]:
    """All subscriptions that count of customers of whom Stripe may think otherwise, as they stand now."""
    s = Subscription
    counted = (col(s.status).in_(COUNTED), ~col(s.deleted), col(s.customer).in_(_special()))
    columns = (s.id, s.customer, s.currency, s.mrr_micros, s.plan_micros, s.pause_collection, s.discounts)
    leaving = (col(s.cancel_at).is_not(None) | col(s.cancel_at_period_end)).label("leaving")
    rows = list(session.execute(sa.select(*(col(one) for one in columns), leaving).where(*counted)))
    deducted = DEDUCTED[rules.discounts]
    other = {} if deducted == mrr.deducted() else _otherwise(session, rows, deducted)
    return [
        _Standing(
            row.customer,
            row.currency,
            row.mrr_micros,
            other.get(row.id, row.plan_micros),
            paused=row.pause_collection is not None,
            leaving=bool(row.leaving),
        )
        for row in rows
    ]


def _special() -> Any:
    """SQL: the customers with a subscription that counts and is discounted, set to end, or not collected, and
    those with a discount of their own, or on an item."""
    s, d = aliased(Subscription), Discount
    standing = sa.select(col(s.customer)).where(
        col(s.status).in_(COUNTED),
        ~col(s.deleted),
        (sa.cast(col(s.discounts), sa.Text) != "[]")
        | col(s.cancel_at).is_not(None)
        | col(s.cancel_at_period_end)
        | col(s.pause_collection).is_not(None),
    )
    at_work = (~col(d.deleted), col(d.invoice).is_(None))
    own = sa.select(col(d.customer)).where(*at_work, col(d.customer).is_not(None))
    of_items = sa.select(col(s.customer)).join(d, col(d.subscription) == col(s.id)).where(*at_work)
    return sa.union(standing, own, of_items)


def _otherwise(session: Session, rows: Iterable[Any], deducted: Collection[str]) -> dict[str, int]:
    """What subscriptions come to a month where other discounts are deducted."""
    some = list(rows)
    of_customer = _own_discounts(session)
    items = _items(session)
    ids = {id for row in some for id in row.discounts} | set(of_customer.values())
    ids |= {id for row in some for _, _, own in items.get(row.id, ()) for id in own}
    prices = {price for row in some for price, _, _ in items.get(row.id, ())}
    known = worth.price_list(session, prices, ids, deducted)
    return {
        row.id: known.micros(
            items.get(row.id, ()), row.discounts or [of_customer.get(row.customer, "")], row.currency
        )
        for row in some
    }


def _own_discounts(session: Session) -> dict[str, str]:
    """Customers' own discounts by customer, those that are at work."""
    c, d = Customer, Discount
    asked = sa.select(col(c.id), col(c.discount)).join(d, col(d.id) == col(c.discount))
    return {row[0]: row[1] for row in session.execute(asked.where(~col(d.deleted)))}


def _items(session: Session) -> dict[str, list[tuple[str, int, list[str]]]]:
    """The items of the subscriptions that `_standing` reads."""
    i, s = SubscriptionItem, Subscription
    asked = (
        sa.select(col(i.subscription), col(i.price), col(i.quantity), col(i.discounts))
        .join(s, col(s.id) == col(i.subscription))
        .where(~col(i.deleted), ~col(s.deleted), col(s.status).in_(COUNTED), col(s.customer).in_(_special()))
        .order_by(col(i.created), col(i.id))
    )
    found: dict[str, list[tuple[str, int, list[str]]]] = {}
    for subscription, price, quantity, own in session.execute(asked):
        found.setdefault(subscription, []).append((price, quantity, own))
    return found
