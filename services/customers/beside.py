"""What stands beside the rows of a work list: plans by subscription, decline codes by invoice?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Charge, InvoicePayment, PaymentIntent, Product, SubscriptionItem


def plan_names(session: Session, subscriptions: Sequence[str]) -> dict[str, str]:
    """The names of each subscription's products, joined by “ + ”."""
    found = session.execute(
        sa.select(col(SubscriptionItem.subscription), col(Product.name))
        .join(Product, col(Product.id) == col(SubscriptionItem.product))
        .where(
            col(SubscriptionItem.subscription).in_(subscriptions), col(SubscriptionItem.deleted).is_(False)
        )
        .order_by(col(SubscriptionItem.created), col(SubscriptionItem.id))
    )
    names: dict[str, list[str]] = {}
    for subscription, name in found:
        names.setdefault(subscription, []).append(name)
    return {subscription: " + ".join(dict.fromkeys(each)) for subscription, each in names.items()}


def decline_codes(session: Session, invoices: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Decline (else failure) code and advice code of each invoice's latest failed try."""
    latest_charge = sa.func.coalesce(col(InvoicePayment.charge), col(PaymentIntent.latest_charge))
    found: Any = session.execute(
        sa.select(
            col(InvoicePayment.invoice),
            sa.func.coalesce(
                col(PaymentIntent.decline_code),
                col(Charge.decline_code),
                col(PaymentIntent.error_code),
                col(Charge.failure_code),
            ),
            sa.func.coalesce(col(PaymentIntent.advice_code), col(Charge.advice_code)),
        )
        .outerjoin(PaymentIntent, col(PaymentIntent.id) == col(InvoicePayment.payment_intent))
        .outerjoin(Charge, col(Charge.id) == latest_charge)
        .where(col(InvoicePayment.invoice).in_(invoices))
        .order_by(col(InvoicePayment.created))
    )
    return {invoice: (code, advice or "") for invoice, code, advice in found if code}
