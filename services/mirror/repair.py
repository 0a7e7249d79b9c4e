"""What the account has just said is compared with the tables, and written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import Discount
from services import clock, database
from services.errors import TrialdeskError
from services.mirror import ahead, aside, discounts, drift, shapes, underived, writer
from services.mirror.batch import Batch
from services.mirror.discounts import Missed
from services.mirror.drift import Found
from services.mirror.tables import table, take_turn
from services.mirror.writer import Written

_OWNERS = frozenset(("customer", "subscription"))  # what has no list comes with these
_OWNED = frozenset(("payment_method", "discount"))


@dataclass(slots=True)
class Repaired:
    """How the tables differed; how many rows the database refused, which are put aside; and what could not be
    compared, as sentences.
    """

    found: list[Found] = field(default_factory=list)
    aside: int = 0
    left_out: list[str] = field(default_factory=list)


def write(batch: Batch, kinds: Collection[str]) -> Repaired:
    """Compares the tables with a batch, of objects of these kinds, and writes it. Reads the owners of
    discounts that seem to be gone; raises Unavailable and KeyRejected.
    """
    with database.session() as session:
        missed = discounts.missed(session, batch, kinds)
    done = Repaired()
    _write(done, batch, kinds)
    for (kind, id), fresh in discounts.of_owners_read_again(missed):
        if isinstance(fresh, TrialdeskError):
            done.left_out.append(f"The discounts of the {kind} {id} could not be compared: {fresh}")
            continue
        done.found += [_gone(one) for one in fresh.gone if not one.is_known]
        _write(done, fresh.batch, kinds)
    return done


def _write(done: Repaired, batch: Batch, kinds: Collection[str]) -> None:
    parts, put_aside = aside.write_with(partial(_compare_and_write, kinds=kinds), batch)
    for found, written in parts:
        underived.derive(written.kept)
        done.found += found
    done.aside += len(put_aside)


def _compare_and_write(session: Session, batch: Batch, kinds: Collection[str]) -> tuple[list[Found], Written]:
    take_turn(session)
    found = drift.of(session, batch, _OWNED.union(kinds) if _OWNERS.intersection(kinds) else kinds)
    write_it = writer.write_and_keep if found else writer.write
    return found, write_it(session, batch)


def _gone(one: Missed) -> Found:
    """A discount that went in silence: its owner's row still names it."""
    return Found(one.at, table(Discount).name, one.id, one.owner[1], "gone", as_of=one.as_of)


def buried(batch: Batch, kind: str) -> list[Found]:
    """The objects that a batch tells the deletion of and the tables do not know as deleted, as differences.
    Call it before the batch is written.
    """
    model = shapes.KINDS[kind].model
    columns: Any = table(model).c
    alive = sa.select(columns.id).where(columns.id.in_(batch.tombs[model]), columns.deleted.is_(False))
    with database.session() as session:
        ids = session.connection().execute(alive).scalars().all()
    return [Found(clock.now(), table(model).name, id, id, "gone") for id in ids]


def untouched(session: Session, kind: str, since: int, customer: str | None = None) -> list[str]:
    """Rows that are older than an instant (s, account's clock), or of a time that has not come, of one
    customer or of all.

    Hearsay (`as_of` 0) is in no list.
    """
    columns: Any = table(shapes.KINDS[kind].model).c
    old = sa.and_(columns.as_of > 0, columns.as_of < since)
    query = sa.select(columns.id).where(
        columns.deleted.is_(False), sa.or_(old, columns.as_of > ahead.limit())
    )
    if customer is not None:
        query = query.where(columns.customer == customer)
    return list(session.connection().execute(query).scalars())
