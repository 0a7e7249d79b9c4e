"""Which invoices of a subscription does its dialog have to know of?"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Invoice, Subscription

_MADE = {"keep_as_draft": "draft", "mark_uncollectible": "uncollectible"}  # else void


def latest(session: Session, subscriptions: Collection[Subscription]) -> dict[str, Invoice]:
    """The latest invoices of subscriptions, by subscription."""
    named = {row.latest_invoice: row.id for row in subscriptions if row.latest_invoice}
    if not named:
        return {}
    return {named[row.id]: row for row in session.exec(select(Invoice).where(col(Invoice.id).in_(named)))}


def set_aside(session: Session, subscriptions: Collection[Subscription]) -> dict[str, int]:
    """How many drafts, or voided or uncollectible invoices, by subscription whose collection is paused so."""
    paused = {
        row.id: _MADE.get(row.pause_collection, "void") for row in subscriptions if row.pause_collection
    }
    if not paused:
        return {}
    of, status = col(Invoice.subscription), col(Invoice.status)
    kept = sa.or_(status != "draft", ~col(Invoice.auto_advance))  # a new draft is finalized within the hour
    found = session.execute(
        sa.select(of, status, sa.func.count())
        .where(of.in_(paused), status.in_(set(paused.values())), kept, ~col(Invoice.deleted))
        .group_by(of, status)
    )
    return {subscription: count for subscription, made, count in found if paused[subscription] == made}
