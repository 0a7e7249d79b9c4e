"""Where do subjects come from? From the tables: one alone with its card, or all that a page shows at once.

`fresh` reads the objects from Stripe first and lets the mirror's writer store them, so that a button's
offer and the check right before a write use one reader.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlmodel import Session, col, select

from models import (
    Charge,
    Customer,
    Dispute,
    Invoice,
    InvoiceItem,
    PaymentMethod,
    Price,
    Product,
    Subscription,
    SubscriptionItem,
)
from models.subscriptions import ENDED
from services import charging, clock
from services.customers import billing, contents
from services.desk import invoiced
from services.desk.subject import LIVING, MARK, PAYMENTS, Item, Subject
from services.errors import NotFound
from services.metrics.recovery import failures

_DEBTS = 20  # at most tried at once


def load(session: Session, customer: str, object_id: str | None = None) -> Subject:
    """The subject from the tables; `object_id` names what it is about, None: the customer.

    Raises NotFound where the tables hold no such customer, or nothing of that customer with this id.
    """
    return _with_card(session, _about(session, customer, object_id))


def _about(session: Session, customer: str, object_id: str | None) -> Subject:
    owner = session.get(Customer, customer)
    if owner is None:
        raise NotFound("customer", customer, remedy="Look for it on the Customers page.")
    if not object_id or object_id == customer:
        return Subject(
            owner,
            others=_living(session, customer),
            unsettled=_unsettled(session, customer),
            debts=_debts(session, owner),
            ended_with_card=_ended_with_card(session, customer),
        )
    if object_id.startswith("in_"):
        return _about_invoice(session, owner, object_id)
    if object_id.startswith(PAYMENTS):
        return _about_payment(session, owner, object_id)
    if object_id.startswith("ii_"):
        return _about_item(session, owner, object_id)
    subscription = session.get(Subscription, object_id)
    if subscription is None or subscription.customer != customer:
        raise NotFound("subscription", object_id, remedy="Open the customer's page again.")
    return _about_subscription(session, owner, subscription)


def load_many(session: Session, customer: str, object_ids: Collection[str]) -> dict[str, Subject]:
    """The customer as a whole, these of its subscriptions and invoices, and what waits for an invoice, by id;
    unknown ones are left out.

    The number of statements does not grow with them, archived prices aside. Raises NotFound for the customer.
    """
    whole = _about(session, customer, None)
    invoices = {id for id in object_ids if id.startswith("in_")}
    wanted = _subscriptions(session, whole, {*object_ids} - invoices)
    contained: dict[str, list[contents.Row]] = defaultdict(list)
    for found in contents.items(session, {row.id for row in (*wanted, *whole.others)}):
        contained[found[0].subscription].append(found)
    waiting = contents.pending(session, customer)
    latest, aside = invoiced.latest(session, wanted), invoiced.set_aside(session, wanted)
    return {
        customer: whole,
        **{
            row.id: replace(
                _one_of(session, whole, row, contained, waiting),
                latest=latest.get(row.id),
                set_aside=aside.get(row.id, 0),
            )
            for row in wanted
        },
        **(_demands(session, whole.customer, invoices) if invoices else {}),
        **{item.id: Subject(whole.customer, item=item) for item in waiting},
    }


def _subscriptions(session: Session, whole: Subject, ids: Collection[str]) -> list[Subscription]:
    """Those of the customer with these ids; the living ones are read already."""
    living = [row for row in whole.others if row.id in ids]
    missing = {*ids} - {row.id for row in living}
    named = select(Subscription).where(
        Subscription.customer == whole.customer.id, col(Subscription.id).in_(missing)
    )
    return [*living, *(session.exec(named) if missing else ())]


def _one_of(
    session: Session,
    whole: Subject,
    subscription: Subscription,
    contained: Mapping[str, Sequence[contents.Row]],
    waiting: Sequence[InvoiceItem],
) -> Subject:
    others = tuple(other for other in whole.others if other.id != subscription.id)
    return replace(
        whole,
        subscription=subscription,
        items=tuple(_item(session, *found) for found in contained.get(subscription.id, ())),
        pending=billed_with(waiting, subscription, others),
        others=others,
        other_products=frozenset(
            item.product for other in others for item, _, _ in contained.get(other.id, ())
        ),
    )


def _demands(session: Session, owner: Customer, ids: Collection[str]) -> dict[str, Subject]:
    named = select(Invoice).where(Invoice.customer == owner.id, col(Invoice.id).in_(ids))
    invoices = session.exec(named).all()
    about = select(Subscription).where(col(Subscription.id).in_([row.subscription for row in invoices]))
    subscriptions = {row.id: row for row in session.exec(about)}
    failed = failures.last(session.connection(), [row.id for row in invoices])
    return {
        row.id: Subject(
            owner,
            subscription=subscriptions.get(row.subscription or ""),
            invoice=row,
            last_failure=failed.get(row.id),
        )
        for row in invoices
    }


def _debts(session: Session, owner: Customer) -> tuple[Subject, ...]:
    """What could not be collected or is overdue, oldest first (of many the largest), each with its card."""
    owed = billing.unpaid(session, owner.id, now=clock.now(), limit=_DEBTS)
    if not owed:
        return ()
    found = _demands(session, owner, [demand.row.id for demand in owed])
    ordered = sorted(owed, key=lambda demand: (demand.row.created, demand.row.number or ""))
    return tuple(_with_card(session, found[demand.row.id]) for demand in ordered)


def _with_card(session: Session, found: Subject) -> Subject:
    id = found.payment_method
    return replace(found, card=session.get(PaymentMethod, id) if id else None)


def _about_invoice(session: Session, owner: Customer, id: str) -> Subject:
    invoice = session.get(Invoice, id)
    if invoice is None or invoice.customer != owner.id:
        raise NotFound("invoice", id, remedy="Open the customer's page again.")
    subscription = session.get(Subscription, invoice.subscription) if invoice.subscription else None
    last_failure = failures.last(session.connection(), [id]).get(id)
    return Subject(owner, subscription=subscription, invoice=invoice, last_failure=last_failure)


def _about_payment(session: Session, owner: Customer, id: str) -> Subject:
    """`dispute` is the latest of the payment."""
    payment = session.get(Charge, id)
    if payment is None or payment.customer != owner.id:
        raise NotFound("payment", id, remedy="Open the customer's page again.")
    latest = select(Dispute).where(Dispute.charge == id).order_by(col(Dispute.created).desc()).limit(1)
    return Subject(owner, payment=payment, dispute=session.exec(latest).first())


def _about_item(session: Session, owner: Customer, id: str) -> Subject:
    item = session.get(InvoiceItem, id)
    if item is None or item.customer != owner.id:
        raise NotFound("pending charge", id, remedy="Open the customer's page again.")
    subscription = session.get(Subscription, item.subscription) if item.subscription else None
    return Subject(owner, subscription=subscription, item=item)


def _living(session: Session, customer: str) -> tuple[Subscription, ...]:
    return tuple(living(session, [customer]))


def living(session: Session, customers: Collection[str]) -> Sequence[Subscription]:
    """The living subscriptions of these customers, newest first."""
    return session.exec(
        select(Subscription)
        .where(col(Subscription.customer).in_(customers), col(Subscription.status).in_(LIVING))
        .where(col(Subscription.deleted).is_(False))
        .order_by(col(Subscription.created).desc(), col(Subscription.id))
    ).all()


def _about_subscription(session: Session, owner: Customer, subscription: Subscription) -> Subject:
    others = tuple(other for other in _living(session, owner.id) if other.id != subscription.id)
    contained = contents.items(session, [subscription.id, *(other.id for other in others)])
    mine = [found for found in contained if found[0].subscription == subscription.id]
    return Subject(
        owner,
        subscription=subscription,
        items=tuple(_item(session, *found) for found in mine),
        latest=invoiced.latest(session, [subscription]).get(subscription.id),
        set_aside=invoiced.set_aside(session, [subscription]).get(subscription.id, 0),
        others=others,
        other_products=frozenset(
            row.product for row, _, _ in contained if row.subscription != subscription.id
        ),
        unsettled=_unsettled(session, owner.id),
        pending=billed_with(contents.pending(session, owner.id), subscription, others),
        ended_with_card=_ended_with_card(session, owner.id),
    )


def _ended_with_card(session: Session, customer: str) -> bool:
    latest = (
        select(Subscription)
        .where(Subscription.customer == customer, col(Subscription.status).in_(ENDED))
        .order_by(col(Subscription.created).desc(), col(Subscription.id))
        .limit(1)
    )
    return charging.first(session.exec(latest).first()) is not None


def billed_with(
    waiting: Sequence[InvoiceItem], subscription: Subscription, others: Sequence[Subscription]
) -> tuple[InvoiceItem, ...]:
    """What waits for this subscription's next invoice: also what names none, where there is no other."""
    return tuple(
        item for item in waiting if item.subscription == subscription.id or not (item.subscription or others)
    )


def _unsettled(session: Session, customer: str) -> tuple[Invoice, ...]:
    """The open invoices and drafts of the customer that carry our mark, oldest first."""
    left = (
        select(Invoice)
        .where(Invoice.customer == customer, col(Invoice.status).in_(("open", "draft")))
        .where(col(Invoice.deleted).is_(False))
        .order_by(col(Invoice.created), col(Invoice.id))
    )
    return tuple(invoice for invoice in session.exec(left) if MARK in invoice.metadata_)


def _item(session: Session, row: SubscriptionItem, price: Price | None, product: Product | None) -> Item:
    return Item(row, price, product, _successor(session, price) if price and not price.active else None)


def _successor(session: Session, price: Price) -> Price | None:
    same: dict[str, Any] = {
        name: getattr(price, name)
        for name in ("product", "currency", "interval", "interval_count", "type", "usage_type")
    }
    return session.exec(
        select(Price)
        .filter_by(active=True, deleted=False, **same)
        .order_by(col(Price.created).desc(), col(Price.id))
        .limit(1)
    ).first()
