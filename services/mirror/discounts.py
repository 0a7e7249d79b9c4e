"""Which discounts do their owners not have any more, although no event said so?

A discount has no list and no address of its own: its owner names it, a customer or a subscription. One that
an owner does not name may be newer than what was read of the owner, so that the owner is read again: what it
does not name then, although the tables had it before, is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import Customer, Discount, Subscription, SubscriptionItem
from services import clock
from services.among import among
from services.database import chunks
from services.errors import TrialdeskError
from services.mirror import complete
from services.mirror.batch import Batch
from services.mirror.shapes import UnreadableObject
from services.mirror.tables import THESE, table
from services.stripe_api import errands

Owner = tuple[str, str]  # kind and id
_READERS = 4
_DISCOUNT: Any = table(Discount).c
_CUSTOMER: Any = table(Customer).c
_ITEM: Any = table(SubscriptionItem).c
_SUBSCRIPTION: Any = table(Subscription).c


@dataclass(frozen=True, slots=True)
class Missed:
    """A discount that its owner does not name, as the tables had it at `at` (s, account's clock). Where its
    owner's row had stopped naming it too, by an event or an answer, it `is_known` that it went.
    """

    at: int
    id: str
    owner: Owner
    as_of: int
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class Fresh:
    """What an owner is now, with its discounts that are `gone` as tombs."""

    batch: Batch
    gone: list[Missed]


def missed(session: Session, batch: Batch, kinds: Collection[str]) -> list[Missed]:
    """Discounts in the tables that a batch's owners of these kinds do not name. Call it before the batch is
    written.
    """
    named, found, at = _named(batch), list[Missed](), clock.now()
    for some in chunks(batch.rows[Subscription] if "subscription" in kinds else ()):
        for row in session.connection().execute(_of_subscriptions(), {"ids": some}):
            is_known = row.id not in {*(row.of_whole or ()), *(row.of_item or ())}
            found.append(Missed(at, row.id, ("subscription", row.owner), row.as_of, is_known))
    for some in chunks(batch.rows[Customer] if "customer" in kinds else ()):
        for row in session.connection().execute(_of_customers(), {"ids": some}):
            found.append(Missed(at, row.id, ("customer", row.owner), row.as_of))
    return [one for one in found if one.id not in named]


def of_owners_read_again(missed: Iterable[Missed]) -> Iterator[tuple[Owner, Fresh | TrialdeskError]]:
    """Reads each owner; the error where Stripe refuses one or fails with it, or it has a shape that we do not
    know. Raises Unavailable and KeyRejected.
    """
    of_owner = defaultdict[Owner, list[Missed]](list)
    for one in missed:
        of_owner[one.owner].append(one)
    owners = sorted(of_owner)
    with errands.pool(_READERS) as pool:
        answers = pool.map(_read, owners, [of_owner[owner] for owner in owners])
        yield from zip(owners, answers, strict=True)


def _read(owner: Owner, missed: Iterable[Missed]) -> Fresh | TrialdeskError:
    batch, answer = Batch(), complete.read_or_why(*owner)
    if isinstance(answer, TrialdeskError):
        return answer
    try:
        batch.add(answer.object, answer.as_of)
    except UnreadableObject as error:
        return error
    named = _named(batch)
    gone = [one for one in missed if one.id not in named]
    for one in gone:
        batch.bury("discount", one.id, answer.as_of)
    return Fresh(batch, gone)


def _named(batch: Batch) -> set[str]:
    members = (row for family in batch.families["subscription"].values() for row in family.rows)
    holders = (*batch.rows[Subscription].values(), *members)
    found = {id for row in holders for id in row["discounts"]}
    return found | {row["discount"] for row in batch.rows[Customer].values() if row["discount"]}


def hand_over(session: Session, items: Collection[str]) -> None:
    """Makes discounts that name only their item the subscription's. Call it before the items are removed:
    nothing else tells whose they were.
    """
    payer = (
        sa.select(_SUBSCRIPTION.customer)
        .join(table(SubscriptionItem), _ITEM.subscription == _SUBSCRIPTION.id)
        .where(_ITEM.id.in_(items))
    )
    whose = sa.select(_ITEM.subscription).where(_ITEM.id == _DISCOUNT.subscription_item).scalar_subquery()
    theirs = (_DISCOUNT.customer.in_(payer), _DISCOUNT.subscription_item.in_(items))
    named = sa.func.coalesce(_DISCOUNT.subscription, whose)  # asked for those without, SQLite reads them all
    session.connection().execute(sa.update(table(Discount)).where(*theirs).values(subscription=named))


@cache
def _of_subscriptions() -> Any:
    """Those that name their subscription, and those that name only its item. Two queries, as no index serves
    both; the second goes by the customer.
    """
    its = sa.select(
        _DISCOUNT.id,
        _DISCOUNT.as_of,
        _SUBSCRIPTION.id.label("owner"),
        _SUBSCRIPTION.discounts.label("of_whole"),
        _ITEM.discounts.label("of_item"),
    ).where(_DISCOUNT.deleted.is_(False), among(_SUBSCRIPTION.id, THESE))
    named = (
        its.select_from(table(Subscription))
        .join(table(Discount), _DISCOUNT.subscription == _SUBSCRIPTION.id)
        .outerjoin(table(SubscriptionItem), _ITEM.id == _DISCOUNT.subscription_item)
    )
    by_item = (
        its.select_from(table(Subscription))
        .join(table(Discount), _DISCOUNT.customer == _SUBSCRIPTION.customer)
        .join(
            table(SubscriptionItem),
            sa.and_(_ITEM.id == _DISCOUNT.subscription_item, _ITEM.subscription == _SUBSCRIPTION.id),
        )
        .where(_DISCOUNT.subscription.is_(None))
    )
    return sa.union_all(named, by_item)


@cache
def _of_customers() -> Any:
    """What the tables have as the customer's own. One that only names the customer may be an invoice's."""
    return (
        sa.select(_DISCOUNT.id, _DISCOUNT.as_of, _CUSTOMER.id.label("owner"))
        .join(table(Customer), _CUSTOMER.discount == _DISCOUNT.id)
        .where(_DISCOUNT.deleted.is_(False), among(_CUSTOMER.id, THESE))
    )
