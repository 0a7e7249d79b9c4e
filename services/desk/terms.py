"""By which terms was an ended subscription billed? As Stripe tells it now, for one that begins with the same.

The tables would not do: they keep no tax rates, and the discounts of what has ended are gone in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from models import Coupon, Discount
from services.customers.contents import Rebate
from services.mirror import shapes
from services.mirror.shapes.catalog import coupon_of
from services.mirror.shapes.reading import Object, dig, ident, idents, listed


@dataclass(frozen=True, slots=True)
class Charged:
    """What is taken off a price and put on it: discounts, and the ids of tax rates."""

    rebates: tuple[Rebate, ...] = ()
    tax_rates: tuple[str, ...] = ()

    def params(self, *, tax: str) -> dict[str, Any]:
        """As Stripe takes it, without what there is none of; `tax` is the name for the tax rates."""
        given = {
            "discounts": [{"coupon": each.row.coupon} for each in self.lasting],
            tax: list(self.tax_rates),
        }
        return {name: value for name, value in given.items() if value}

    @property
    def lasting(self) -> tuple[Rebate, ...]:
        """The discounts that go on: for ever, of a coupon that is still valid."""
        return tuple(each for each in self.rebates if _lasts(each.coupon))


@dataclass(frozen=True, slots=True)
class Terms:
    """`whole` is of the subscription, `items` of its items, by their ids."""

    whole: Charged
    items: Mapping[str, Charged] = field(default_factory=dict)
    automatic_tax: bool = False

    @property
    def every(self) -> tuple[Charged, ...]:
        """Of the subscription, and of each item."""
        return (self.whole, *self.items.values())

    @property
    def taxed(self) -> bool:
        """Whether tax comes on top of the prices, or is in them."""
        return self.automatic_tax or any(each.tax_rates for each in self.every)


def coupons(subscription: Object) -> set[str]:
    """The ids of the coupons behind the discounts of a subscription that was read with them opened."""
    holders = [subscription, *listed(subscription.get("items"))]
    found = (coupon_of(each) for holder in holders for each in listed(holder.get("discounts")))
    return {id for each in found if (id := ident(each))}


def of(session: Session, subscription: Object, now: int) -> Terms | None:
    """The terms of a subscription that was read with its discounts opened; None where it is gone."""
    if subscription.get("deleted") is True:
        return None
    return Terms(
        _charged(session, subscription, "default_tax_rates", now),
        {item["id"]: _charged(session, item, "tax_rates", now) for item in listed(subscription["items"])},
        bool(dig(subscription, "automatic_tax", "enabled")),
    )


def _charged(session: Session, source: Object, tax: str, now: int) -> Charged:
    found = (_rebate(session, each) for each in listed(source.get("discounts")))
    running = tuple(each for each in found if each.row.end is None or each.row.end > now)
    return Charged(running, tuple(idents(source.get(tax))))


def _rebate(session: Session, discount: Object) -> Rebate:
    row = Discount(**shapes.row_of("discount", discount))
    return Rebate(row, session.get(Coupon, row.coupon))


def _lasts(coupon: Coupon | None) -> bool:
    return coupon is not None and coupon.valid and not coupon.deleted and coupon.duration == "forever"
