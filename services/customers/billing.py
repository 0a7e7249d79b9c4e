"""What was this customer asked to pay, what did it pay, what failed, and what does it dispute?

Lists are read one page at a time, newest first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Charge, Dispute, Invoice, InvoicePayment, PaymentMethod
from services.metrics.recovery import failures
from services.metrics.recovery.failures import Failure

_DONE_WITH = frozenset({"paid", "void"})


@dataclass(frozen=True, slots=True)
class Demand:
    """An invoice; `failed` is the last attempt that failed, where it still matters."""

    row: Invoice
    failed: Failure | None

    def overdue(self, now: int) -> bool:
        """Whether it was sent for the customer to pay, and should have been paid by now."""
        row = self.row
        sent = row.status == "open" and row.collection_method == "send_invoice" and row.amount_remaining > 0
        return sent and row.due_date is not None and row.due_date < now


@dataclass(frozen=True, slots=True)
class Payment:
    """An attempt to take money, with the invoice that it was for (None: not for an invoice)."""

    row: Charge
    invoice: Invoice | None


@dataclass(frozen=True, slots=True)
class Card:
    """A way to pay; `default` when the next invoice is charged to it."""

    row: PaymentMethod
    default: bool

    def expired(self, *, year: int, month: int) -> bool:
        """Whether the card is past its last month in the given one."""
        if self.row.exp_year is None or self.row.exp_month is None:
            return False
        return (self.row.exp_year, self.row.exp_month) < (year, month)


def count_invoices(session: Session, customer: str) -> int:
    """How many invoices the customer has had."""
    return session.scalar(select(sa.func.count()).where(*_invoices_of(customer))) or 0


def invoices(session: Session, customer: str, *, offset: int, limit: int) -> list[Demand]:
    """One page of the customer's invoices."""
    newest_first = (
        col(Invoice.created).desc(),
        col(Invoice.number).desc().nulls_first(),  # of one second; a draft has none yet
        col(Invoice.id).desc(),
    )
    wanted = select(Invoice).where(*_invoices_of(customer)).order_by(*newest_first)
    rows = session.exec(wanted.offset(offset).limit(limit)).all()
    unpaid = [row.id for row in rows if row.attempted and row.status not in _DONE_WITH]
    known = failures.last(session.connection(), unpaid)
    return [Demand(row, known.get(row.id)) for row in rows]


def count_unpaid(session: Session, customer: str, *, now: int) -> int:
    """How many there are of what `unpaid` lists."""
    return session.scalar(select(sa.func.count()).where(*_unpaid(customer, now))) or 0


def unpaid(session: Session, customer: str, *, now: int, limit: int) -> list[Demand]:
    """Failed payments that are still open, and sent invoices that are overdue; the largest sum first."""
    wanted = (
        select(Invoice)
        .where(*_unpaid(customer, now))
        .order_by(col(Invoice.amount_remaining).desc(), col(Invoice.id))
        .limit(limit)
    )
    rows = session.exec(wanted).all()
    known = failures.last(session.connection(), [row.id for row in rows])
    return [Demand(row, known.get(row.id)) for row in rows]


def _unpaid(customer: str, now: int) -> tuple[Any, ...]:
    overdue = sa.and_(
        col(Invoice.status) == "open",
        col(Invoice.collection_method) == "send_invoice",
        col(Invoice.amount_remaining) > 0,
        col(Invoice.due_date) < now,
    )  # as in Demand.overdue
    return (*_invoices_of(customer), sa.or_(failures.is_open_failure(), overdue))


def _invoices_of(customer: str) -> tuple[Any, ...]:
    return (col(Invoice.customer) == customer, col(Invoice.deleted).is_(False))


def _pays(payment: InvoicePayment, charge: Charge) -> bool:
    """An invoice's payment names the intent or, rarely, the charge itself."""
    return payment.charge == charge.id or (
        payment.payment_intent is not None and payment.payment_intent == charge.payment_intent
    )


def count_payments(session: Session, customer: str) -> int:
    """How often the desk's account tried to take money from the customer."""
    return session.scalar(select(sa.func.count()).where(col(Charge.customer) == customer)) or 0


def payments(session: Session, customer: str, *, offset: int, limit: int) -> list[Payment]:
    """One page of the customer's payments, failed ones included."""
    newest_first = (col(Charge.created).desc(), col(Charge.id).desc())
    wanted = select(Charge).where(col(Charge.customer) == customer).order_by(*newest_first)
    rows = session.exec(wanted.offset(offset).limit(limit)).all()
    paid_for = _invoices_paid(session, rows)
    return [Payment(row, paid_for.get(row.id)) for row in rows]


def _invoices_paid(session: Session, charges: Sequence[Charge]) -> dict[str, Invoice]:
    """The invoice of each charge that was made for one."""
    intents = [charge.payment_intent for charge in charges if charge.payment_intent]
    ids = [charge.id for charge in charges]
    paired = (
        select(InvoicePayment, Invoice)
        .join(Invoice, col(Invoice.id) == InvoicePayment.invoice)
        .where(col(InvoicePayment.payment_intent).in_(intents) | col(InvoicePayment.charge).in_(ids))
    )
    return {
        charge.id: invoice
        for payment, invoice in session.exec(paired)
        for charge in charges
        if _pays(payment, charge)
    }


def paid_by(session: Session, invoices: Collection[str]) -> dict[str, list[str]]:
    """The payments (charge ids) that succeeded for these invoices, by invoice, oldest first."""
    wanted = (
        select(InvoicePayment.invoice, Charge.id)
        .join(
            Charge,
            (col(Charge.payment_intent) == InvoicePayment.payment_intent)
            | (col(Charge.id) == InvoicePayment.charge),
        )
        .where(col(InvoicePayment.invoice).in_(invoices), Charge.status == "succeeded")
        .order_by(col(Charge.created), col(Charge.id))
    )
    found: dict[str, list[str]] = {}
    for invoice, charge in session.exec(wanted):
        found.setdefault(invoice, []).append(charge)
    return found


def disputes(session: Session, customer: str) -> list[Dispute]:
    """The customer's disputes: those that wait for an answer first, the most urgent before."""
    rows = session.exec(
        select(Dispute)
        .join(Charge, col(Charge.id) == Dispute.charge)
        .where(col(Charge.customer) == customer)
        .order_by(col(Dispute.created).desc(), col(Dispute.id))
    )
    return sorted(rows, key=lambda row: (not needs_response(row), row.evidence_due_by or 0))


def needs_response(dispute: Dispute) -> bool:
    """Whether evidence is still awaited from us."""
    return dispute.status in ("needs_response", "warning_needs_response")


def cards(session: Session, customer: str, *, default: str | None) -> list[Card]:
    """The ways to pay that we have seen, the default (a payment method's id) first."""
    rows = session.exec(
        select(PaymentMethod)
        .where(col(PaymentMethod.customer) == customer, col(PaymentMethod.deleted).is_(False))
        .order_by(col(PaymentMethod.created).desc(), col(PaymentMethod.id))
    )
    return sorted((Card(row, row.id == default) for row in rows), key=lambda card: not card.default)
