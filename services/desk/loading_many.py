"""Where do many subjects come from that a command is given to at once? From the tables, in few statements.

Each holds what its preview for many tells, and no more: once it is its turn, it is read from Stripe alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from sqlmodel import Session, col, select

from models import Customer, Invoice, InvoiceItem, Subscription
from services import clock
from services.customers import contents
from services.desk import selling
from services.desk.loading import billed_with, living
from services.desk.subject import Item, Subject

Owned = TypeVar("Owned", Subscription, InvoiceItem)


def subscriptions(session: Session, ids: Collection[str]) -> dict[str, Subject]:
    """Many subscriptions with their customers and what waits for their invoices, and no more, by id in the
    order of `ids`; unknown ones are left out."""
    wanted = select(Subscription, Customer).join(Customer, col(Customer.id) == Subscription.customer)
    rows = session.exec(wanted.where(col(Subscription.id).in_(ids))).all()
    owners = {customer.id for _, customer in rows}
    waiting, alive = _grouped(contents.pending_of(session, owners)), _grouped(living(session, owners))
    found = {}
    for row, owner in rows:
        others = tuple(other for other in alive[owner.id] if other.id != row.id)
        pending = billed_with(waiting[owner.id], row, others)
        found[row.id] = Subject(owner, subscription=row, pending=pending, others=others)
    return {id: found[id] for id in ids if id in found}


def discountable(session: Session, ids: Collection[str]) -> dict[str, Subject]:
    """The same with what is in them, with the discounts that run, and with the coupons that can be given."""
    found, now = subscriptions(session, ids), clock.now()
    contained: dict[str, list[Item]] = defaultdict(list)
    for row, price, product in contents.items(session, found):
        contained[row.subscription].append(Item(row, price, product))
    coupons = {
        code: selling.coupons(session, code, now) for code in {each.currency for each in found.values()}
    }
    named = {id: _discounts(subject) for id, subject in found.items()}
    running = contents.named_rebates(session, {one for each in named.values() for one in each}, now)
    return {
        id: replace(
            subject,
            items=tuple(contained[id]),
            coupons=coupons[subject.currency],
            rebates=tuple(running[one] for one in named[id] if one in running),
        )
        for id, subject in found.items()
    }


def _discounts(subject: Subject) -> list[str]:
    """The ids of the subscription's discounts, and of the customer's."""
    assert subject.subscription is not None
    whole = subject.customer.discount
    return [*subject.subscription.discounts, *([whole] if whole else [])]


def invoices(session: Session, ids: Collection[str]) -> dict[str, Subject]:
    """Many invoices with their customers and subscriptions, and no more, in the same way."""
    wanted = (
        select(Invoice, Customer, Subscription)
        .join(Customer, col(Customer.id) == Invoice.customer)
        .outerjoin(Subscription, col(Subscription.id) == Invoice.subscription)
    )
    found = {
        row.id: Subject(owner, subscription=its, invoice=row)
        for row, owner, its in session.exec(wanted.where(col(Invoice.id).in_(ids)))
    }
    return {id: found[id] for id in ids if id in found}


def living_of(session: Session, customers: Sequence[str]) -> list[str]:
    """The living subscriptions of many customers, by id in the order of the customers."""
    found = _grouped(living(session, customers))
    return [row.id for customer in customers for row in found[customer]]


def _grouped(rows: Iterable[Owned]) -> defaultdict[str, list[Owned]]:
    """Rows by customer, in their order."""
    found: defaultdict[str, list[Owned]] = defaultdict(list)
    for row in rows:
        found[row.customer].append(row)
    return found
