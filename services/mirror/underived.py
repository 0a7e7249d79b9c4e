"""Whose rates and facts are still to be derived from what was committed? It is kept until they are.

Many may use what changed, so they are derived after the commit. What is kept is written in the transaction
that changes it: whatever cuts the rest short, the next drain works it off. Each row stands for one change,
as another change of the same object may be committed while the first one is derived. Customers with whom
deriving goes wrong are kept too (services/mirror/underivable).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import Customer, Underived
from services import database
from services.database import chunks
from services.mirror import facts, shared, underivable
from services.mirror.shared import Key
from services.mirror.tables import table, take_turn

Kept = Mapping[str, Key]  # by the id of the row that keeps it
Derive = Callable[[Session, Collection[str]], None]

_UNDERIVED: Any = table(Underived).c
_MODELS = {table(model).name: model for model in shared.KINDS}


def keep(session: Session, these: Collection[Key]) -> Kept:
    """Keeps what changed, in the caller's transaction."""
    kept = {uuid.uuid4().hex: key for key in these}
    if kept:
        told = {"error": "", "tried_at": None}
        rows = [
            {"id": id, "kind": table(model).name, "object_id": of, **told} for id, (model, of) in kept.items()
        ]
        session.connection().execute(sa.insert(table(Underived)), rows)
    return kept


def left() -> Kept:
    """All that is kept and due: what was cut short, what others derive now, and what failed a while ago."""
    query = sa.select(_UNDERIVED.id, _UNDERIVED.kind, _UNDERIVED.object_id).where(underivable.is_due())
    with database.session() as session:
        return {row.id: (_MODELS[row.kind], row.object_id) for row in session.connection().execute(query)}


def derive_now(session: Session, customers: Collection[str]) -> Kept:
    """Derives the rates and facts of these in the caller's transaction. Where that goes wrong with one of
    them, keeps all instead, and returns what `derive` then needs.
    """
    return _now(session, customers, facts.derive)


def refresh_now(session: Session, customer: str) -> None:
    """Recomputes the facts of a customer in the caller's transaction, from what it has added so far. Where
    that goes wrong, keeps the customer for the next drain: what the transaction is about holds all the same.
    """
    _now(session, [customer], facts.refresh)


def _now(session: Session, customers: Collection[str], derive: Derive) -> Kept:
    session.flush()  # what the caller added is not what may go wrong here
    try:
        # the end of the session's own savepoint would pass for a commit, see services/changes
        with session.connection().begin_nested():
            derive(session, customers)
    except underivable.NOBODYS_FAULT:
        raise
    except Exception:  # the `derive` that follows tells which of them it is
        return keep(session, {(Customer, id) for id in customers})
    return {}


def derive(kept: Kept, done: Collection[str] = ()) -> None:
    """Derives the rates and facts of those who use what was kept, maybe many, and forgets it; those of
    `done` are derived already, but for whoever is kept. Call it once the keeping is committed.
    """
    if not kept:
        return
    themselves = {id for model, id in kept.values() if model is Customer}
    facts.derive_in_pieces(shared.users(kept.values()).difference(done) | themselves)
    with database.transaction() as session:
        forget(session, kept)


def forget(session: Session, kept: Kept) -> None:
    """Removes what was kept, once everybody who uses it is derived."""
    take_turn(session)
    for some in chunks(kept):
        session.connection().execute(sa.delete(table(Underived)).where(_UNDERIVED.id.in_(some)))
