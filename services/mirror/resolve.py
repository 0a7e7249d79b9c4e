"""What should be done with some events, object by object, and which objects must be read again for it?

Of an object's events only the newest second counts. It is applied as it stands when it is one event, newer
than the row, and whole. Otherwise the object is read; a read counts for certain once the second is over, so
until then its events wait, and the tables keep what it showed: it began after the events were here, so that
it is as new as any of them, while of one second's snapshots nothing says which is the last.

A write's answer shows its end and is dated from its beginning, so that the events of all its steps are newer:
where one comes alone, the object is read with it. What was read while somebody else wrote may be older than
the answer that they wrote: it is read once more.

A request of ours to read an object tells nothing of when: it is read, whatever the row says of its age. Nor
does an event that is dated later than Stripe's clock says it is. A row that is has to be read, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import ActionStep
from services.among import among
from services.database import chunks
from services.errors import TrialdeskError, Unavailable
from services.mirror import ahead, complete, gaps, shapes
from services.mirror.batch import Batch
from services.mirror.shapes import UnreadableObject
from services.mirror.shapes.reading import Object, cut, dig, ident
from services.mirror.tables import THESE, table
from services.stripe_api import errands
from services.stripe_api.client import Answer

Key = tuple[str, str]
DELETIONS = frozenset(
    f"{name}.deleted" for name in ("customer", "product", "price", "coupon", "invoice", "invoiceitem")
) | {"customer.discount.deleted"}
READ_AGAIN = "read_again"  # the type of what is no event of Stripe's: it asks for a read of its object
FORECASTS = frozenset(("invoice.upcoming",))  # the object is not in the account
FOR_EVER = 2**62  # a second after all others
_PATIENCE = 20  # drains; a clock that stands still would make a second last for ever
_READERS = 4


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event, and how often it has been tried. `is_ahead`: it claims to be of a time that has not come."""

    event: Object
    attempts: int = 0
    is_ahead: bool = False

    @property
    def id(self) -> str:
        """The event's id."""
        return str(self.event["id"])

    @property
    def is_request(self) -> bool:
        """Whether it is no event, but asks for a read."""
        return bool(self.event["type"] == READ_AGAIN)

    @property
    def tells_when(self) -> bool:
        """Whether it is of a time; else it asks for a read."""
        return not (self.is_request or self.is_ahead)

    @property
    def created(self) -> int:
        """The event's second (Stripe's clock); 0 where it tells none."""
        return int(self.event["created"]) if self.tells_when else 0

    @property
    def object(self) -> Object:
        """The object's snapshot."""
        found: Object = self.event["data"]["object"]
        return found

    @property
    def previous(self) -> Object:
        """The values before the change."""
        found: Object = self.event["data"].get("previous_attributes") or {}
        return found

    @property
    def written_under(self) -> str:
        """The idempotency key of the request that led to it, "" where none did."""
        return str(dig(self.event, "request", "idempotency_key") or "")

    @property
    def key(self) -> Key | None:
        """Kind and id of the object, None where we do not mirror it (or it is a forecast)."""
        kind = None if self.event["type"] in FORECASTS else shapes.kind_of(self.object)
        return (kind, self.object["id"]) if kind and ident(self.object) else None


@dataclass(slots=True)
class Plan:
    """`batch`: snapshots to apply. `reads`: what to read, and the second that must be over.
    `because`: the events that wait for a read. `problems`: reasons by event id."""

    batch: Batch = field(default_factory=Batch)
    reads: dict[Key, int] = field(default_factory=dict)
    because: dict[Key, list[Incoming]] = field(default_factory=lambda: defaultdict(list))
    problems: dict[str, str] = field(default_factory=dict)

    def leave_to_reads(self) -> set[str]:
        """Takes out what is to be read; returns the ids of its events."""
        for name, id in self.reads:
            self.batch.drop(name, id)
        return {one.id for some in self.because.values() for one in some}

    def need(self, key: Key, why: Iterable[Incoming]) -> None:
        """Asks for a fresh read of an object on behalf of some events."""
        events = list(why)
        self.reads[key] = max(self.reads.get(key, 0), *(event.created for event in events))
        self.because[key] += events


@dataclass(slots=True)
class Answers:
    """What was read: as a batch, and of which objects for certain after the second that had to be over.
    `unread`: by event id, why Stripe fails with the object that it waits for.
    """

    batch: Batch = field(default_factory=Batch)
    certain: set[Key] = field(default_factory=set)
    unread: dict[str, str] = field(default_factory=dict)


def dated(incoming: list[Incoming]) -> list[Incoming]:
    """The events, and of each whether it is ahead. Asks Stripe for the time where one seems to be: our clock
    may be behind. Raises Unavailable and KeyRejected.
    """
    newest = max((one.created for one in incoming), default=0)
    if newest <= ahead.limit():
        return incoming
    limit = ahead.limit_by_stripe()
    return [replace(one, is_ahead=one.created > limit) for one in incoming]


def plan(session: Session, incoming: Iterable[Incoming]) -> Plan:
    """Decides for each object that the events are about."""
    made = Plan()
    groups: dict[Key, list[Incoming]] = defaultdict(list)
    for one in incoming:
        if one.tells_when:
            if one.key is not None:
                groups[one.key].append(one)
        elif one.key is not None and complete.readable(one.key[0]):
            made.need(one.key, [one])
        elif one.is_ahead:
            made.problems[one.id] = str(ahead.NotYet())
    known = as_of(session, groups)
    newest = {key: _newest(group) for key, group in groups.items()}
    applied = {key for key in groups if known.get(key, -1) < newest[key][0].created}
    lacking = gaps.of(session, [newest[key][-1].object for key in applied])
    ours = _ours(session, {one.written_under for some in newest.values() for one in some})
    limit = ahead.limit()
    for key, group in groups.items():
        tied = known.get(key) == newest[key][0].created or limit < known.get(key, 0) < FOR_EVER
        if key in applied or tied:
            answered = key in known and any(one.written_under in ours for one in newest[key])
            _decide(made, key, group, newest[key], tied or answered, lacking)
    return made


def _ours(session: Session, keys: Iterable[str]) -> set[str]:
    """Those idempotency keys under which the desk wrote."""
    column, found = table(ActionStep).c.idempotency_key, set[str]()
    tokens = table(ActionStep).c.token
    for some in chunks(set(keys) - {""}):
        begun = {key.rpartition(":")[0] for key in some}  # a key begins with its token, which is indexed
        query = sa.select(column).where(tokens.in_(begun), column.in_(some))
        found |= set(session.connection().execute(query).scalars())
    return found


def _decide(
    made: Plan, key: Key, group: list[Incoming], newest: list[Incoming], tied: bool, lacking: set[str]
) -> None:
    name, id = key
    last = newest[-1]
    if name == "discount":
        _ask_owner(made, last)
    if any(one.event["type"] in DELETIONS for one in newest):
        _apply(made, key, last, group)
        made.batch.bury(name, id, last.created, last.object.get("created") or last.created)
        return
    _apply(made, key, last, group)
    uncertain = tied or len(newest) > 1 or id in lacking or _partial(name, last.object)
    if uncertain and complete.readable(name):
        made.need(key, newest)


def _apply(made: Plan, key: Key, last: Incoming, group: list[Incoming]) -> None:
    """Takes the snapshot as it stands; one that cannot be read asks for a fresh read instead."""
    name, id = key
    try:
        made.batch.add(last.object, last.created)
    except UnreadableObject as error:
        if complete.readable(name):
            made.need(key, group)
        else:
            made.problems |= {one.id: str(error) for one in group}
        return
    if name == "subscription":
        row = made.batch.rows[shapes.KINDS[name].model][id]
        row["first_trial_end"] = _first_trial_end(group) or row["trial_end"]


def _ask_owner(made: Plan, one: Incoming) -> None:
    """A discount says whose it is, but its coming and going changes the owner too."""
    for name in ("subscription", "customer"):
        owner = ident(one.object.get(name))
        if owner:
            made.need((name, owner), [one])
            return


def _partial(name: str, source: Object) -> bool:
    kind = shapes.KINDS[name]
    return kind.events_lack or (kind.children is not None and cut(source.get(kind.children.field)))


def _newest(group: list[Incoming]) -> list[Incoming]:
    latest = max(one.created for one in group)
    return [one for one in group if one.created == latest]


def _first_trial_end(group: list[Incoming]) -> int | None:
    """The end of the trial before the oldest of these events, where it had the same start."""
    oldest = min(group, key=lambda one: (one.created, one.id))
    start, latest = oldest.object.get("trial_start"), group[-1].object.get("trial_start")
    before = oldest.previous.get("trial_end") or oldest.object.get("trial_end")
    return before if start == latest else None


def as_of(session: Session, keys: Iterable[Key]) -> dict[Key, int]:
    """The `as_of` of the rows that there are (s, Stripe's clock); a tombstone is newer than anything."""
    ids: dict[str, set[str]] = defaultdict(set)
    for name, id in keys:
        ids[name].add(id)
    found: dict[Key, int] = {}
    for name, some in ids.items():
        for part in chunks(some):
            rows = session.connection().execute(_ages(name), {"ids": part})
            found |= {(name, row.id): FOR_EVER if row.deleted else row.as_of for row in rows}
    return found


@cache
def _ages(name: str) -> Any:
    columns: Any = table(shapes.KINDS[name].model).c
    return sa.select(columns.id, columns.as_of, columns.deleted).where(among(columns.id, THESE))


def read(made: Plan, problems: dict[str, str]) -> Answers:
    """Reads what the plan asks for; adds to `problems` what cannot be understood. What Stripe fails with,
    while it answers the others, is taken out of the plan.

    Raises Unavailable and KeyRejected.
    """
    wanted, answers = list(made.reads), Answers()
    with errands.pool(_READERS) as pool:
        found = pool.map(complete.read_or_why, *zip(*wanted, strict=True)) if wanted else ()
        for key, answer in zip(wanted, found, strict=True):
            try:
                _take(made, answers, key, answer)
            except Unavailable as error:
                why = f"The {key[0].replace('_', ' ')} “{key[1]}” cannot be read. {error.message}"
                answers.unread |= {one.id: why for one in made.because[key]}
                made.batch.drop(*key)
            except TrialdeskError as error:
                problems |= {one.id: str(error) for one in made.because[key]}
    return answers


def _take(made: Plan, answers: Answers, key: Key, answer: Answer | TrialdeskError) -> None:
    """Takes an answer as of its own instant, or of the events' second, as it began after they came in; never
    as of later than Stripe's clock says."""
    if isinstance(answer, TrialdeskError):
        raise answer
    second, hurried = made.reads[key], _impatient(made, key)
    answers.batch.add(answer.object, max(answer.as_of, min(second, answer.date)))
    if hurried or answer.as_of > second:
        answers.certain.add(key)


def too_early(made: Plan, answers: Answers) -> set[str]:
    """The ids of events whose object must be read once more, when their second is over."""
    return {one.id for key in made.reads if key not in answers.certain for one in made.because[key]}


def is_impatient(made: Plan) -> bool:
    """Whether some of the events have waited for long enough."""
    return any(_impatient(made, key) for key in made.reads)


def _impatient(made: Plan, key: Key) -> bool:
    return any(one.attempts >= _PATIENCE for one in made.because[key])
