"""Counts what tests have written, as the desk does after a pull."""

from __future__ import annotations

from types import ModuleType
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import col, select

from models import Customer, Subscription, SubscriptionItem, SubscriptionState
from services import clock
from services.metrics.counting import counting, waiting
from services.metrics.counting.books import BOOKS

UTC = ZoneInfo("UTC")


def everybody(database: ModuleType, zone: ZoneInfo = UTC, *, now: int | None = None) -> None:
    """Counts all customers anew, with the account's clock at an instant where one is given."""
    if now is not None:
        clock.follow(clock.offset() + now - clock.now())
    with database.transaction() as session:
        waiting.mark(session, session.execute(sa.select(col(Customer.id))).scalars().all())
    counting.work(BOOKS, zone)
    with database.session() as session:
        assert waiting.failed(session) == []


def see(database: ModuleType, at: int) -> None:
    """Puts how all subscriptions stand into the log, as a pull at an instant does; those that are no longer
    in the account as they stood before they went."""
    with database.transaction() as session:
        items = session.exec(select(SubscriptionItem).order_by(col(SubscriptionItem.id))).all()
        for one in session.exec(select(Subscription)):
            session.merge(
                SubscriptionState(
                    subscription=one.id,
                    at=min(at, one.as_of - 1) if one.deleted else at,
                    status=one.status,
                    pause_collection=one.pause_collection,
                    cancels=bool(one.cancel_at or one.cancel_at_period_end),
                    cancellation_reason=one.cancellation_reason,
                    canceled_at=one.canceled_at,
                    paused_at=one.paused_at,
                    trial_start=one.trial_start,
                    trial_end=one.trial_end,
                    items=[
                        [item.price, item.quantity, item.discounts]
                        for item in items
                        if item.subscription == one.id and not item.deleted
                    ],
                    discounts=one.discounts,
                )
            )
