"""What is a customer's plan called, and what does it cost, as one would tell the customer?

The price is left out where one sentence could be wrong: discounts, prices by use, amounts that are not known
or not whole, items with different intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from sqlmodel import Session

from models import Customer, Subscription
from services import clock, money
from services.customers import contents
from services.metrics.revenue import pricing


def describe(
    session: Session, customer: Customer, subscription: Subscription, locale: str
) -> tuple[str, str]:
    """Name and price of the plan, e.g. `Team`, `$49.00 a month`; "" for what cannot be said."""
    items = contents.items(session, [subscription.id])
    name = " and ".join(dict.fromkeys(product.name for _, _, product in items if product and product.name))
    discounted = _is_discounted(session, customer, subscription, items)
    return name, "" if discounted else _price(items, subscription.currency, locale)


def _is_discounted(
    session: Session, customer: Customer, subscription: Subscription, items: Sequence[contents.Row]
) -> bool:
    if customer.discount or subscription.discounts or any(row.discounts for row, _, _ in items):
        return True
    return bool(contents.rebates(session, customer.id, [subscription.id], clock.now()))


def _price(items: Sequence[contents.Row], currency: str, locale: str) -> str:
    known = [(row.quantity, price) for row, price, _ in items if price is not None]
    terms = {(price.interval, price.interval_count) for _, price in known}
    if len(terms) != 1 or len(known) < len(items) or any(p.usage_type == "metered" for _, p in known):
        return ""
    ((interval, count),) = terms
    costs = [pricing.tariff(price, currency).cost(quantity) for quantity, price in known]
    amount = sum((cost for cost in costs if cost is not None), Fraction(0))
    if not interval or None in costs or amount.denominator != 1:
        return ""
    often = f"a {interval}" if count == 1 else f"every {count} {interval}s"
    return f"{money.display(int(amount), currency, locale=locale)} {often}"
