"""What is a customer's plan called, and what does it cost, as one would tell the customer?

The price is left out where one sentence could be wrong: discounts, metered or tiered prices, items with
different intervals.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, or_, select

from models import Customer, Discount, Price, Product, Subscription, SubscriptionItem
from services import clock, money

Item = tuple[SubscriptionItem, Price, Product | None]


def describe(
    session: Session, customer: Customer, subscription: Subscription, locale: str
) -> tuple[str, str]:
    """Name and price of the plan, e.g. `Team`, `$49.00 a month`; "" for what cannot be said."""
    items: list[Item] = list(
        session.exec(
            select(SubscriptionItem, Price, Product)
            .join(Price, col(Price.id) == col(SubscriptionItem.price))
            .outerjoin(Product, col(Product.id) == col(SubscriptionItem.product))
            .where(SubscriptionItem.subscription == subscription.id, col(SubscriptionItem.deleted).is_(False))
            .order_by(col(SubscriptionItem.created), col(SubscriptionItem.id))
        )
    )
    name = " and ".join(dict.fromkeys(product.name for _, _, product in items if product and product.name))
    return name, "" if _is_discounted(session, customer, subscription) else _price(items, locale)


def _is_discounted(session: Session, customer: Customer, subscription: Subscription) -> bool:
    if customer.discount or subscription.discounts:
        return True
    running = or_(col(Discount.end).is_(None), col(Discount.end) > clock.now())
    found = select(Discount.id).where(Discount.subscription == subscription.id, running).limit(1)
    return session.exec(found).first() is not None


def _price(items: Sequence[Item], locale: str) -> str:
    terms = {(price.currency, price.interval, price.interval_count) for _, price, _ in items}
    plain = all(
        price.unit_amount is not None and price.billing_scheme == "per_unit" and price.usage_type != "metered"
        for _, price, _ in items
    )
    if len(terms) != 1 or not plain:
        return ""
    ((currency, interval, count),) = terms
    if not interval:
        return ""
    amount = sum((price.unit_amount or 0) * item.quantity for item, price, _ in items)
    often = f"a {interval}" if count == 1 else f"every {count} {interval}s"
    return f"{money.display(amount, currency, locale=locale)} {often}"
