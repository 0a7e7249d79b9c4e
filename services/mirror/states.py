"""How did each subscription stand, and since when? A log of what Stripe said, in whatever order it came.

Every snapshot of a subscription goes into it, those too that came late and change no row any more: a number
of a past day can be counted again from it. A state is kept once, with the later instants at which the same
was told: a snapshot that comes late may show that it was another one in between.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import Subscription, SubscriptionState
from services import database
from services.among import among
from services.clock import DAY
from services.database import chunks
from services.mirror import shapes
from services.mirror.batch import HEARSAY, Batch
from services.mirror.resolve import Incoming
from services.mirror.shapes.reading import Object, Row, cut
from services.mirror.tables import THESE, table

_KIND = "subscription"
_STATE: Any = table(SubscriptionState).c
_PLAIN = ("status", "pause_collection", "cancellation_reason", "canceled_at", "paused_at", "trial_start",
          "trial_end")  # fmt: skip
_SAID = (*_PLAIN, "cancels", "items", "discounts")
History = dict[int, Row]  # of one subscription, by the instant since when
# A subscription that begins, is paid or fails within one second goes on in this order.
_COURSE = (
    "incomplete", "trialing", "paused", "active", "past_due", "unpaid", "canceled", "incomplete_expired",
)  # fmt: skip
_LATEST = 40 * DAY  # no event is delivered, or listed, so long after it happened


def note(session: Session, batch: Batch) -> None:
    """Keeps how the subscriptions of a batch stand."""
    families = batch.families[_KIND]
    _keep(
        session,
        (
            _state(row, families[id].rows, row["as_of"])
            for id, row in batch.rows[Subscription].items()
            if row["as_of"] != HEARSAY and id in families and families[id].whole
        ),
    )


def note_events(session: Session, incoming: Iterable[Incoming]) -> None:
    """Keeps how subscriptions stood as events show them, those that are outdated by now too."""
    told = (one for one in incoming if one.tells_when and one.key is not None and one.key[0] == _KIND)
    _keep(session, (state for one in told for state in _states(one.object, one.created)))


def _states(source: Object, at: int) -> Iterator[Row]:
    """What a snapshot says; nothing where it is cut or of a shape that we do not know: then it is read."""
    children = shapes.KINDS[_KIND].children
    assert children is not None
    try:
        row = shapes.row_of(_KIND, source)
        if not cut(source[children.field]):
            yield _state(row, shapes.child_rows(_KIND, source, row), at)
    except shapes.UnreadableObject:
        return


def _state(row: Row, items: Iterable[Row], at: int) -> Row:
    return {
        "subscription": row["id"],
        "at": at,
        **{name: row[name] for name in _PLAIN},
        "cancels": bool(row["cancel_at"] or row["cancel_at_period_end"]),
        "items": [
            [item["price"], item["quantity"], item["discounts"]]
            for item in sorted(items, key=itemgetter("created", "id"))
        ],
        "discounts": row["discounts"],
        "told": [],
    }


def _keep(session: Session, states: Iterable[Row]) -> None:
    told: dict[str, list[Row]] = defaultdict(list)
    for state in states:
        told[state["subscription"]].append(state)
    connection = session.connection()
    for some in chunks(told):
        known = _known(connection, some)
        _save(connection, ((known[id], _with(known[id], told[id])) for id in some))


def _known(connection: sa.Connection, subscriptions: list[str]) -> dict[str, History]:
    found: dict[str, History] = defaultdict(dict)
    for row in connection.execute(_states_of(), {"ids": subscriptions}).mappings():
        found[row["subscription"]][row["at"]] = dict(row)
    return found


def _with(history: History, told: Iterable[Row]) -> History:
    """The log of one subscription with more snapshots in it: the same in whatever order they come.

    Of two states of one second the one is kept that can only have come last by its status; where that tells
    nothing, always the same one. The object is read again once the second is over.
    """
    points = {at: row for row in history.values() for at in (row["at"], *row["told"])}
    for state in told:
        other = points.get(state["at"])
        if other is None or _place(other) < _place(state):
            points[state["at"]] = state
    found: History = {}
    last: Row | None = None
    for at in sorted(points):
        if last is not None and _said(points[at]) == _said(last):
            last["told"].append(at)
        else:
            last = found[at] = {**points[at], "at": at, "told": []}
    for row in found.values():
        row["told"] = [at for at in row["told"] if at > max(points) - _LATEST]
    return found


def _place(state: Row) -> tuple[int, str]:
    """Which of the states of one second comes last: the largest."""
    status = state["status"]
    return _COURSE.index(status) if status in _COURSE else -1, _said(state)


def _said(state: Row) -> str:
    return json.dumps([state[name] for name in _SAID])


def _save(connection: sa.Connection, logs: Iterable[tuple[History, History]]) -> None:
    changed, gone = list[Row](), list[Row]()
    for before, after in logs:
        changed += [row for at, row in after.items() if before.get(at) != row]
        gone += [{"id": row["subscription"], "since": at} for at, row in before.items() if at not in after]
    if gone:
        connection.execute(_remove(), gone)
    if changed:
        connection.execute(_upsert(connection.dialect.name), changed)


@cache
def _states_of() -> Any:
    return sa.select(table(SubscriptionState)).where(among(_STATE.subscription, THESE))


@cache
def _remove() -> Any:
    this = (_STATE.subscription == sa.bindparam("id"), _STATE.at == sa.bindparam("since"))
    return sa.delete(table(SubscriptionState)).where(*this)


@cache
def _upsert(dialect: str) -> Any:
    insert = database.insert(SubscriptionState, dialect)
    changed = {name: insert.excluded[name] for name in (*_SAID, "told")}
    return insert.on_conflict_do_update(index_elements=["subscription", "at"], set_=changed)
