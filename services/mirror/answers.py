"""How does the object that a write (or a read) returned get into the tables at once, with facts?"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import or_

from sqlmodel import Session

from services import database
from services.mirror import aside, complete, gaps, underived, writer
from services.mirror.batch import Batch
from services.mirror.shapes.reading import Object
from services.mirror.writer import Written
from services.stripe_api.client import Answer


def apply(answer: Answer) -> set[str]:
    """Stores the object of an answer, and what is derived from it; returns the customers touched.

    An answer that Stripe replayed from an earlier attempt is of unknown age, and one may name what the
    tables lack: then the object is read again. Raises UnreadableObject; and Unstorable once what the
    database refuses is put aside and the rest is stored.
    """
    again = answer.replayed or _lacks(answer.object)
    fresh = complete.read_again(answer) if again else answer
    batch = Batch()
    batch.add(complete.whole(fresh.object), fresh.as_of)
    written, problems = aside.write_with(_write, batch)
    together = reduce(or_, written, Written())
    underived.derive(together.kept, done=together.own)
    if problems:
        raise problems[0]
    return together.own


def _write(session: Session, batch: Batch) -> Written:
    written = writer.write(session, batch)
    return replace(written, kept={**written.kept, **underived.derive_now(session, written.own)})


def _lacks(source: Object) -> bool:
    with database.session() as session:
        return bool(gaps.of(session, [source]))
