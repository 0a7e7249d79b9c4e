"""What is in a subscription, which discounts are at work, and what waits for the next invoice?

The one reader, for pages and for commands.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, or_, select

from models import Coupon, Discount, InvoiceItem, Price, Product, SubscriptionItem

Row = tuple[SubscriptionItem, Price | None, Product | None]


@dataclass(frozen=True, slots=True)
class Rebate:
    """A discount at work, with its coupon where that is known."""

    row: Discount
    coupon: Coupon | None


def items(session: Session, subscriptions: Collection[str]) -> list[Row]:
    """The items of these subscriptions, oldest first, with price and product where the tables know them."""
    wanted = (
        select(SubscriptionItem, Price, Product)
        .outerjoin(Price, col(Price.id) == SubscriptionItem.price)
        .outerjoin(Product, col(Product.id) == SubscriptionItem.product)
        .where(
            col(SubscriptionItem.subscription).in_(subscriptions), col(SubscriptionItem.deleted).is_(False)
        )
        .order_by(col(SubscriptionItem.created), col(SubscriptionItem.id))
    )
    return [(row, price, product) for row, price, product in session.exec(wanted)]


def in_currency(price: Price, currency: str) -> Price:
    """The price with the amount and the tiers that it has in a currency; without any where it has none.

    A copy for showing: it belongs to no session.
    """
    if currency in ("", price.currency):
        return price
    amounts: dict[str, Any] = price.currency_options.get(currency) or {}
    exact = amounts.get("unit_amount_decimal")
    whole = int(exact) if exact is not None and "." not in exact else None
    shown = {"unit_amount": whole, "unit_amount_decimal": exact, "tiers": amounts.get("tiers") or []}
    kept = {name: getattr(price, name) for name in Price.model_fields}
    return Price(**kept | {"currency": currency, **shown})


def rebates(session: Session, customer: str, subscriptions: Collection[str], now: int) -> list[Rebate]:
    """The discounts of the customer, of these subscriptions and of their items that still run at `now`."""
    its_items = select(SubscriptionItem.id).where(col(SubscriptionItem.subscription).in_(subscriptions))
    wanted = (
        select(Discount, Coupon)
        .outerjoin(Coupon, col(Coupon.id) == Discount.coupon)
        .where(
            or_(
                col(Discount.customer) == customer,
                col(Discount.subscription).in_(subscriptions),
                col(Discount.subscription_item).in_(its_items),
            ),
            *_running(now),
        )
        .order_by(col(Discount.start), col(Discount.id))
    )
    return [Rebate(row, coupon) for row, coupon in session.exec(wanted)]


def named_rebates(session: Session, discounts: Collection[str], now: int) -> dict[str, Rebate]:
    """Those of these discounts that still run at `now`, by id."""
    wanted = (
        select(Discount, Coupon)
        .outerjoin(Coupon, col(Coupon.id) == Discount.coupon)
        .where(col(Discount.id).in_(discounts), *_running(now))
    )
    return {row.id: Rebate(row, coupon) for row, coupon in session.exec(wanted)}


def _running(now: int) -> tuple[Any, ...]:
    return (or_(col(Discount.end).is_(None), col(Discount.end) > now), col(Discount.deleted).is_(False))


def pending(session: Session, customer: str) -> tuple[InvoiceItem, ...]:
    """The customer's one-off items that wait for the next invoice, oldest first."""
    return tuple(pending_of(session, [customer]))


def pending_of(session: Session, customers: Collection[str]) -> list[InvoiceItem]:
    """The same of many customers."""
    wanted = (
        select(InvoiceItem)
        .where(
            col(InvoiceItem.customer).in_(customers),
            col(InvoiceItem.invoice).is_(None),
            col(InvoiceItem.deleted).is_(False),
        )
        .order_by(col(InvoiceItem.created), col(InvoiceItem.id))
    )
    return list(session.exec(wanted))
