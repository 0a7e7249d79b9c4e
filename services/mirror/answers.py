"""How does the object that a write (or a read) returned get into the tables at once, with facts?"""

from __future__ import annotations

from services import database
from services.mirror import aside, complete, facts, gaps, owners, rates, writer
from services.mirror.batch import Batch
from services.mirror.shapes.reading import Object
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
    with database.session() as session:
        repriced = owners.of_repriced(session, batch)
    try:
        with database.transaction() as session:
            touched = writer.write(session, batch, exact=True)
            facts.refresh(session, touched)
    except aside.REFUSED:
        touched, problems = _apply_row_by_row(batch)
    else:
        problems = []
    facts.refresh_in_pieces(repriced - touched)
    if problems:
        raise problems[0]
    return touched


def _apply_row_by_row(batch: Batch) -> tuple[set[str], list[aside.Unstorable]]:
    problems = aside.write(batch)
    with database.transaction() as session:
        touched = owners.of(session, batch)
        rates.refresh(session, touched)
        facts.refresh(session, touched)
    return touched, problems


def _lacks(source: Object) -> bool:
    with database.session() as session:
        return bool(gaps.of(session, [source]))
