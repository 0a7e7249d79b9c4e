"""What does a state of a subscription come to a month? See `mrr` for the definition."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Coupon, Discount, Price
from services import database
from services.metrics.revenue import mrr, pricing
from services.metrics.revenue.mrr import FOREVER, PricedItem, Rebate, plan_micros
from services.metrics.statistics.sums import LARGEST

Items = Sequence[Sequence[Any]]  # price, quantity, discounts
_PRICED = (
    "id", "product", "interval", "interval_count", "usage_type", "currency", "unit_amount",
    "unit_amount_decimal", "billing_scheme", "tiers", "tiers_mode", "transform_divide_by", "transform_round",
    "currency_options",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Discounted:
    """A discount: its coupon's effect, and when it is at work (UTC seconds)."""

    rebate: Rebate
    begins: int
    ends: int


@dataclass(slots=True)
class PriceList:
    """Prices and discounts by id, which discounts are `deducted`, and what was worked out from them."""

    prices: Mapping[str, Any]
    discounts: Mapping[str, Discounted]
    deducted: Collection[str] = FOREVER
    _known: dict[Any, int] = field(default_factory=dict)

    def micros(self, items: Items, discounts: Iterable[str], currency: str) -> int:
        """What items come to a month after discounts, in micros; 0 where a column does not hold it."""
        shared = tuple(discounts)
        key = (tuple((price, count, tuple(own)) for price, count, own in items), shared, currency)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._micros(items, shared, currency)
        return found

    def _micros(self, items: Items, discounts: Iterable[str], currency: str) -> int:
        priced = [self._item(price, count, own, currency) for price, count, own in items]
        worth = plan_micros(priced, self._rebates(discounts), currency=currency, deducted=self.deducted)
        return worth if worth <= LARGEST else 0

    def _item(self, price: str, quantity: int, discounts: Iterable[str], currency: str) -> PricedItem:
        row = self.prices.get(price)
        return PricedItem(
            tariff=pricing.tariff(row, currency) if row is not None else pricing.UNKNOWN,
            quantity=quantity,
            interval=row.interval if row is not None else None,
            interval_count=(row.interval_count if row is not None else None) or 1,
            usage_type=row.usage_type if row is not None else None,
            product=row.product if row is not None else "",
            rebates=tuple(self._rebates(discounts)),
        )

    def running(self, discounts: Iterable[str], at: int) -> list[str]:
        """Those of the discounts, all of them given by an instant (UTC seconds), that still are at work."""
        return [id for id in discounts if id in self.discounts and at < self.discounts[id].ends]

    def turns(self, discounts: Iterable[str]) -> set[int]:
        """When those of the discounts that are deducted begin and end (UTC seconds)."""
        known = (self.discounts[id] for id in discounts if id in self.discounts)
        mine = [one for one in known if one.rebate.duration in self.deducted]
        return {at for one in mine for at in (one.begins, one.ends)}

    def _rebates(self, discounts: Iterable[str]) -> list[Rebate]:
        return [self.discounts[id].rebate for id in discounts if id in self.discounts]

    def plan(self, items: Items) -> str:
        """The product of the dearest item, the oldest of equals; "" where none is known."""
        rows = [(self.prices.get(price), quantity) for price, quantity, _ in items]
        known = [(row, (row.unit_amount or 0) * quantity) for row, quantity in rows if row is not None]
        return str(max(known, key=lambda one: one[1])[0].product) if known else ""

    def recurring(self, items: Items) -> list[tuple[Any, int]]:
        """The prices, with the quantities, of what recurs at a known quantity."""
        rows = [(self.prices.get(price), quantity) for price, quantity, _ in items]
        return [(row, quantity) for row, quantity in rows if row is not None and recurs(row)]


def recurs(price: Any) -> bool:
    """Whether a price is asked for again and again, at a quantity that is known beforehand."""
    return price.interval is not None and price.usage_type != "metered"


def price_list(
    session: Session,
    prices: Iterable[str],
    discounts: Iterable[str],
    deducted: Collection[str] | None = None,
) -> PriceList:
    """Reads these prices and discounts; `deducted` None deducts what the settings say."""
    found: dict[str, Any] = {}
    for some in database.chunks(prices):
        asked = sa.select(*(col(getattr(Price, name)) for name in _PRICED)).where(col(Price.id).in_(some))
        found |= {row.id: row for row in session.execute(asked)}
    return PriceList(found, _discounts(session, discounts), mrr.deducted() if deducted is None else deducted)


def _discounts(session: Session, ids: Iterable[str]) -> dict[str, Discounted]:
    d, c = Discount, Coupon
    columns = (c.percent_off, c.amount_off, c.currency, c.duration, c.applies_to)
    found = {}
    for some in database.chunks(ids):
        rows = session.execute(
            sa.select(
                col(d.id), col(d.start), col(d.end), col(d.deleted), col(d.as_of),
                *(col(one) for one in columns),
            )
            .join(c, col(c.id) == col(d.coupon))
            .where(col(d.id).in_(some))
        )  # fmt: skip
        for id, start, end, deleted, as_of, percent, amount, code, lasts, only in rows:
            ends = min(end or LARGEST, as_of if deleted else LARGEST)
            rebate = Rebate(percent, amount, code, lasts, frozenset(only))
            found[id] = Discounted(rebate, start, ends)
    return found
