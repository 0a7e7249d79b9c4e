"""How does the object that a write (or a read) returned get into the tables at once, with facts?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from operator import or_

from sqlmodel import Session

from models import PaymentMethod
from services import database
from services.mirror import aside, complete, drift, gaps, resolve, shapes, underived, writer
from services.mirror.batch import HEARSAY, Batch, is_card_of_charge
from services.mirror.shapes.reading import Object
from services.mirror.tables import take_turn
from services.mirror.writer import Written
from services.stripe_api.client import Answer

Write = Callable[[Session, Batch], Written]


def apply(answer: Answer) -> set[str]:
    """Stores the object of an answer, and what is derived from it; returns the customers touched.

    An answer that Stripe replayed from an earlier attempt is of unknown age, and one may name what the
    tables lack: then the object is read again. So is what the tables show newer than the answer is dated:
    while it was under way, an event of one of its steps may have brought a state from between. Raises
    UnreadableObject; and Unstorable once what the database refuses is put aside and the rest is stored.
    """
    return _apply(answer, _write)


def apply_read(answer: Answer) -> set[str]:
    """Like `apply`, for what was only looked at: mostly the tables say all of it already, and then nothing is
    derived, and no page has anything new to show."""
    return _apply(answer, _write_news)


def _apply(answer: Answer, write: Write) -> set[str]:
    again = answer.replayed or _lacks(answer.object)
    fresh = complete.read_again(answer) if again else answer
    batch = Batch()
    batch.add(complete.whole(fresh.object), fresh.as_of)
    touched = _store(batch, write)
    if overtaken := _overtaken(batch):
        touched |= _store(_read(overtaken), write)
    return touched


def _overtaken(batch: Batch) -> dict[resolve.Key, int]:
    """Of which objects the tables hold something that is dated later than in the batch, and when."""
    told = {
        (name, id): row["as_of"]
        for name, kind in shapes.KINDS.items()
        if complete.readable(name)
        for id, row in batch.rows[kind.model].items()
        if row["as_of"] != HEARSAY and not is_card_of_charge(kind.model, row)
    }
    with database.session() as session:
        known = resolve.as_of(session, told)
    return {key: known[key] for key in known if told[key] < known[key] < resolve.FOR_EVER}


def _read(keys: dict[resolve.Key, int]) -> Batch:
    """Those objects as they are by now, as of no earlier than what is in the tables already."""
    batch = Batch()
    for key, known in keys.items():
        answer = complete.read(*key)
        batch.add(answer.object, max(answer.as_of, min(known, answer.date)))
    return batch


def _store(batch: Batch, write: Write) -> set[str]:
    written, problems = aside.write_with(write, batch)
    together = reduce(or_, written, Written())
    underived.derive(together.kept, done=together.own)
    if problems:
        raise problems[0]
    return together.own


def _write(session: Session, batch: Batch) -> Written:
    written = writer.write(session, batch)
    return replace(written, kept={**written.kept, **underived.derive_now(session, written.own)})


def _write_news(session: Session, batch: Batch) -> Written:
    take_turn(session)
    if _is_news(session, batch):
        return _write(session, batch)
    writer.renew(session, batch)
    return Written()


def _is_news(session: Session, batch: Batch) -> bool:
    kinds = [name for name, kind in shapes.KINDS.items() if batch.rows[kind.model]]
    cards = [("payment_method", id) for id in batch.rows[PaymentMethod]]  # charges' cards are no drift
    return (
        bool(batch.tombs or drift.of(session, batch, kinds))
        or len(resolve.as_of(session, cards)) < len(cards)
        or writer.is_unlinked(session, batch)
    )


def _lacks(source: Object) -> bool:
    with database.session() as session:
        return bool(gaps.of(session, [source]))
