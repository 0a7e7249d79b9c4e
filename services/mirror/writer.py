"""How does what Stripe said get into the tables?

Newer-only, from a batch that took the objects apart. Children are written only with the parent row that was
accepted, in its transaction: the parent's lock keeps older and newer families apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import Customer, Invoice, InvoiceItem, SubscriptionItem
from services import changes
from services.database import chunks
from services.mirror import discounts, leftovers, owners, shapes, shared, states, underived
from services.mirror.batch import Batch, Family
from services.mirror.tables import bury, table, take_turn, upsert


@dataclass(frozen=True, slots=True)
class Written:
    """Whom it reaches that a batch was written: the customers whose rows it held, and who uses what changed,
    which is `kept` until they are derived.
    """

    own: set[str] = field(default_factory=set)
    kept: underived.Kept = field(default_factory=dict)

    def __or__(self, other: Written) -> Written:
        return Written(self.own | other.own, {**self.kept, **other.kept})


def write(session: Session, batch: Batch, *, exact: bool = True) -> Written:
    """Writes a batch where it is newer than the tables; whoever calls derives rates and facts: those of its
    `own` customers in this transaction, or where all are derived afterwards; from what is `kept` after it.

    `exact` for reads and writes' answers, False for events' snapshots.
    """
    take_turn(session)
    before = shared.said(session, batch)
    write_rows(session, batch, exact=exact)
    changed = shared.changed(before, shared.said(session, batch))
    return Written(owners.of(session, batch), underived.keep(session, changed))


def write_and_keep(session: Session, batch: Batch) -> Written:
    """Like `write`, where the `own` customers too are derived after the commit: they are kept."""
    written = write(session, batch)
    own = underived.keep(session, {(Customer, id) for id in written.own})
    return replace(written, kept={**written.kept, **own})


def write_rows(session: Session, batch: Batch, *, exact: bool) -> None:
    """Like `write`, where everybody's rates and facts are derived afterwards."""
    changes.note(session)
    renew(session, batch, exact=exact)
    states.note(session, batch)


def renew(session: Session, batch: Batch, *, exact: bool = True) -> None:
    """Writes rows of which the tables say all already, as of an earlier time: pages show nothing of that."""
    take_turn(session)
    invoices: dict[str, Family] = {}
    for name, kind in shapes.KINDS.items():
        accepted = upsert(session, kind.model, list(batch.rows[kind.model].values()), exact=exact)
        if kind.children is None:
            continue
        families = {id: family for id, family in batch.families[name].items() if id in accepted}
        _write_families(session, kind.children, families)
        if kind.model is Invoice:
            invoices = families
    for model, tombs in batch.tombs.items():
        bury(session, model, list(tombs.values()))
    _link_items(session, invoices, batch.tombs[Invoice])
    leftovers.clear(session, batch.as_of())


def is_unlinked(session: Session, batch: Batch) -> bool:
    """Whether the tables know an item of one of these invoices as one that waits for its invoice."""
    columns: Any = table(InvoiceItem).c
    for some in chunks(_billed(batch.families["invoice"])):
        waiting = sa.select(columns.id).where(columns.id.in_(some), columns.invoice.is_(None)).limit(1)
        if session.connection().execute(waiting).first():
            return True
    return False


def _write_families(session: Session, children: shapes.Children, families: dict[str, Family]) -> None:
    rows = [row for family in families.values() for row in family.rows]
    whole = {id for id, family in families.items() if family.whole}
    _remove_vanished(session, children, whole, {row["id"] for row in rows})
    upsert(session, children.model, rows, exact=True)


def _link_items(session: Session, invoices: dict[str, Family], deleted: Iterable[str]) -> None:
    """An item's invoice, as the invoice's lines tell it: no event tells that a pending item was billed."""
    billed = _billed(invoices)
    columns: Any = table(InvoiceItem).c
    connection = session.connection()
    if billed:
        pending = sa.update(table(InvoiceItem)).where(
            columns.id == sa.bindparam("item"), columns.invoice.is_(None)
        )
        links = [{"item": item, "billed_by": billed[item]} for item in sorted(billed)]
        connection.execute(pending.values(invoice=sa.bindparam("billed_by")), links)
    for some in chunks(deleted):
        freed = sa.update(table(InvoiceItem)).where(columns.invoice.in_(some))
        connection.execute(freed.values(invoice=None))


def _billed(invoices: Mapping[str, Family]) -> dict[str, str]:
    """The invoices by their items."""
    return {
        row["invoice_item"]: invoice
        for invoice, family in invoices.items()
        for row in family.rows
        if row["invoice_item"]
    }


def _remove_vanished(
    session: Session, children: shapes.Children, parents: set[str], present: set[str]
) -> None:
    columns: Any = table(children.model).c
    connection = session.connection()
    for some in chunks(parents):
        known = connection.execute(sa.select(columns.id).where(columns[children.parent].in_(some))).scalars()
        gone = [id for id in known if id not in present]
        if gone and children.model is SubscriptionItem:
            discounts.hand_over(session, gone)
        if gone:
            connection.execute(sa.delete(table(children.model)).where(columns.id.in_(gone)))
