"""Which subscription or invoice is a command meant for where nobody said?"""

from __future__ import annotations

from collections.abc import Callable

from sqlmodel import Session, col, select

from models import Invoice, Subscription
from services.desk.loading import load
from services.desk.subject import About, Subject


def choose(
    session: Session, customer: str, about: frozenset[About], offered: Callable[[Subject], str]
) -> str | None:
    """Which subscription or invoice a command is meant for where nobody said: the newest it is offered for.

    Without one the newest at all, so that its reason can be shown; None for the customer as a whole.
    """
    candidates = [
        id for kind in ("invoice", "subscription") if kind in about for id in _ids(session, customer, kind)
    ]
    fitting = (id for id in candidates if not offered(load(session, customer, id)))
    chosen = next(fitting, None)
    return chosen or (None if "customer" in about or not candidates else candidates[0])


def _ids(session: Session, customer: str, kind: About) -> list[str]:
    model: type[Invoice] | type[Subscription] = Invoice if kind == "invoice" else Subscription
    shown = select(model.id).where(model.customer == customer, col(model.deleted).is_(False))
    if kind == "invoice":
        shown = shown.where(Invoice.status == "open")
    return list(session.exec(shown.order_by(col(model.created).desc(), col(model.id)).limit(100)))
