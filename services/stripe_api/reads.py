"""How many reads has Stripe been asked for, per UTC day and purpose?

Counted in memory, and added to the table now and then: at most one statement each time, however many reads.
"""

from __future__ import annotations

import threading
from collections import Counter

from models import StripeReads
from services import clock, database
from services.stripe_api import errands

Key = tuple[int, str]  # the first second of a UTC day, and a purpose
_counted: Counter[Key] = Counter()
_lock = threading.Lock()


def note() -> None:
    """Counts one read of the errand that this thread is on."""
    key = clock.now() // clock.DAY * clock.DAY, errands.current().purpose
    with _lock:
        _counted[key] += 1


def keep() -> None:
    """Adds what was counted since to the table; where that fails it stays counted."""
    taken = _take()
    if not taken:
        return
    try:
        _add(taken)
    except BaseException:
        with _lock:
            _counted.update(taken)
        raise


def forget() -> None:
    """Drops what is counted and not in the table yet."""
    _take()


def _take() -> Counter[Key]:
    with _lock:
        taken = Counter(_counted)
        _counted.clear()
    return taken


def _add(counted: Counter[Key]) -> None:
    rows = [{"day": day, "purpose": purpose, "reads": reads} for (day, purpose), reads in counted.items()]
    rows.sort(
        key=lambda row: (row["day"], row["purpose"])
    )  # as every process does, so that none waits for another
    with database.transaction() as session:
        connection = session.connection()
        insert = database.insert(StripeReads, connection.dialect.name).values(rows)
        columns = StripeReads.__table__.c  # type: ignore[attr-defined]
        more = {"reads": columns.reads + insert.excluded.reads}
        connection.execute(insert.on_conflict_do_update(index_elements=["day", "purpose"], set_=more))
