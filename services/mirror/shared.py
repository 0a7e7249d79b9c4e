"""Whom does it reach that a price, a product, a coupon, a discount or a card says something else?

What they say is looked at before and after a batch is written, in its transaction. Who uses what says
something else now is asked once that is committed: whoever derives facts later has seen it, and whoever did
before is in the tables by then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import (
    Coupon,
    Customer,
    CustomerFacts,
    Discount,
    PaymentMethod,
    Price,
    Product,
    Subscription,
    SubscriptionItem,
)
from services import database
from services.among import among
from services.database import chunks
from services.mirror import rates
from services.mirror.batch import Batch
from services.mirror.shapes import Table
from services.mirror.tables import THESE, table

Key = tuple[Table, str]
Said = dict[Key, tuple[Any, ...]]
Changed = frozenset[Key]

_TELLING: dict[Table, tuple[str, ...]] = {  # the columns from which rates and facts are derived
    Product: ("name",),
    Price: ("unit_amount", *rates.PRICED),
    Coupon: rates.REBATED,
    Discount: ("coupon", "deleted"),
    PaymentMethod: ("last4", "country"),
}
KINDS: tuple[Table, ...] = (*_TELLING, Customer)


def said(session: Session, batch: Batch) -> Said:
    """What the tables say of all that a batch holds of these."""
    found: Said = {}
    for model, names in _TELLING.items():
        columns: Any = table(model).c
        for some in chunks(batch.rows[model].keys() | batch.tombs[model].keys()):
            query = sa.select(columns.id, *(columns[name] for name in names)).where(columns.id.in_(some))
            found |= {(model, row.id): tuple(row) for row in session.connection().execute(query)}
    return found


def changed(before: Said, after: Said) -> Changed:
    """What is new or says something else."""
    return frozenset(key for key, told in after.items() if before.get(key) != told)


def users(these: Iterable[Key]) -> set[str]:
    """The ids of the customers whose rates or facts are derived from these, maybe many; a customer's own."""
    ids: dict[Table, set[str]] = defaultdict(set)
    for model, id in these:
        ids[model].add(id)
    found = ids.pop(Customer, set())
    with database.session() as session:
        for model in ids:
            for some in chunks(ids[model]):
                rows = session.connection().execute(_using()[model], {"ids": some})
                found |= {customer for customer in rows.scalars() if customer}
    return found


@cache
def _using() -> dict[Table, Any]:
    facts: Any = table(CustomerFacts).c
    item: Any = table(SubscriptionItem).c
    subscription: Any = table(Subscription).c
    method: Any = table(PaymentMethod).c
    discount: Any = table(Discount).c
    paying = sa.select(subscription.customer).join(
        table(SubscriptionItem), item.subscription == subscription.id
    )
    return {
        Product: sa.select(facts.customer).where(among(facts.product, THESE)),
        Price: paying.where(among(item.price, THESE)),
        Coupon: _discounted().where(among(discount.coupon, THESE)),
        Discount: _discounted().where(among(discount.id, THESE)),
        PaymentMethod: sa.select(method.customer).where(among(method.id, THESE)),
    }


def _discounted() -> Any:
    """The customers of discounts, which name them, their subscription or an item of it."""
    discount: Any = table(Discount).c
    item: Any = table(SubscriptionItem).c
    subscription: Any = table(Subscription).c
    of = sa.func.coalesce(discount.subscription, item.subscription)
    return (
        sa.select(sa.func.coalesce(discount.customer, subscription.customer))
        .select_from(table(Discount))
        .outerjoin(table(SubscriptionItem), item.id == discount.subscription_item)
        .outerjoin(table(Subscription), subscription.id == of)
    )
