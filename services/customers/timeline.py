"""What happened with this customer, in one line of time: Stripe, actions, messages, calls, tasks, notes?

Each source is read no further than the page needs, newest first, and merged. The entries' titles are
ready sentences; `detail` is what people wrote, word for word. Everybody who sees the customer sees which
actions were taken, by whom and how they ended; why is for who took them and for who may see all activity.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final, Literal, get_args

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Action, AuditEntry, CallRequest, Event, Message, Note, Task
from services.customers import audit, history, names, sentences, trial_ends
from services.customers.sentences import Words
from services.staff import people
from services.staff.roles import Permission, Person

Kind = Literal["Billing", "Actions", "Messages", "Calls", "Tasks", "Notes", "Changes", "Technical"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
USUAL: Final[tuple[Kind, ...]] = KINDS[:-1]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `who` is a staff member's name or "", `state` a code with a badge or "".

    `rank` orders what happened in the same second, causes first.
    """

    at: int
    kind: Kind
    id: str
    title: str
    detail: str = ""
    who: str = ""
    state: str = ""
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """The latest entries, newest first; `more` when there are older ones."""

    entries: tuple[Entry, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose timeline, who looks at it, how many entries at most, and how amounts and days are written."""

    customer: str
    person: Person
    limit: int
    words: Words


def latest(
    session: Session, person: Person, customer: str, kinds: Collection[Kind], words: Words, *, limit: int
) -> Page:
    """The last `limit` entries of these kinds, as `person` may see them."""
    asked = _Asked(customer, person, limit + 1, words)
    found = [entry for kind in kinds for entry in _SOURCES[kind](session, asked)]
    found.sort(key=lambda entry: (entry.at, entry.rank, entry.kind, entry.id), reverse=True)
    return Page(tuple(found[:limit]), len(found) > limit)


def _billing(session: Session, asked: _Asked) -> Iterator[Entry]:
    """Stripe's events that are news, and what happened before the first of them."""
    yield from _events(session, asked, "Billing")
    for fact in history.latest(session, asked.customer, limit=asked.limit):
        title = sentences.sentence(fact.name, fact.facts, asked.words)
        rank = sentences.RANKS.get(fact.name, sentences.USUAL_RANK)
        yield Entry(fact.at, "Billing", f"{fact.name}:{fact.id}", title, state=fact.state, rank=rank)


def _technical(session: Session, asked: _Asked) -> Iterator[Entry]:
    return _events(session, asked, "Technical")


def _events(session: Session, asked: _Asked, kind: Kind) -> Iterator[Entry]:
    """Stripe's events: those that are news, or all the others; read on until there are enough."""
    told, step = 0, 2 * asked.limit
    newest_first = (col(Event.created).desc(), history.rank(col(Event.type)).desc(), col(Event.id).desc())
    of_kind = (
        col(Event.type).in_(sorted({*sentences.NEWS, sentences.DEPENDS}))
        if kind == "Billing"
        else col(Event.type).not_in(sorted(sentences.NEWS))
    )
    found = select(Event, trial_ends.told_by(Event)).where(col(Event.customer) == asked.customer, of_kind)
    wanted = found.order_by(*newest_first)
    for offset in count(0, step):
        rows = session.exec(wanted.offset(offset).limit(step)).all()
        for row, without_method in rows:
            if sentences.is_news(row.type, row.facts) == (kind == "Billing"):
                told += 1
                yield _event(row, kind, asked.words, without_method)
        if told >= asked.limit or len(rows) < step:
            return


def _event(row: Event, kind: Kind, words: Words, without_method: bool) -> Entry:
    facts = row.facts | ({"cancel_reason": sentences.NO_METHOD} if without_method else {})
    title = sentences.sentence(row.type, facts, words)
    rank = sentences.RANKS.get(row.type, sentences.USUAL_RANK)
    return Entry(row.created, kind, row.id, title, row.type if kind == "Technical" else "", rank=rank)


def _actions(session: Session, asked: _Asked) -> Iterator[Entry]:
    at = sa.func.coalesce(col(Action.finished_at), col(Action.started_at), col(Action.opened_at))
    begun = (col(Action.customer) == asked.customer, col(Action.state) != "open")
    wanted = select(Action).where(*begun).order_by(at.desc(), col(Action.token).desc()).limit(asked.limit)
    for row in session.exec(wanted):
        yield Entry(
            at=row.finished_at or row.started_at or row.opened_at,
            kind="Actions",
            id=row.token,
            title=names.of_action(row.command, row.params),
            detail="\n".join(
                part
                for part in (*_announced(row), *_why(row, asked.person), row.error.get("message", ""))
                if part
            ),
            who=names.of_those(row.staff_name, row.end, row.decider_name),
            state=row.end,
        )


def _announced(row: Action) -> list[str]:
    """What the dialog said first, with the amount or the day, and what a charge is for: it tells two actions
    of one kind apart.

    Of what was not done, or may not have been, it is said to be no more than that; what was done and is the
    same each time is told as done.
    """
    if row.state == "done" and (came_of := names.CAME_OF.get(row.command)):
        return [came_of]
    told = names.with_purpose(row.preview.get("happens", [])[:1], row.params)
    return told if row.state == "done" else [f"Announced: {said}" for said in told]


def _why(row: Action, person: Person) -> tuple[str, ...]:
    """What its author and those who looked after it wrote, for who may read that."""
    return (row.reason, row.comment) if _may_read(row, person) else ()


def _may_read(row: Action | AuditEntry, person: Person) -> bool:
    """Whether they may read why it was done."""
    return row.staff == person.id or person.may(Permission.SEE_ACTIVITY)


def _messages(session: Session, asked: _Asked) -> Iterator[Entry]:
    newest_first = (col(Message.created_at).desc(), col(Message.token).desc())
    wanted = (
        select(Message).where(Message.customer == asked.customer).order_by(*newest_first).limit(asked.limit)
    )
    for row in session.exec(wanted):
        yield Entry(
            at=row.created_at,
            kind="Messages",
            id=row.token,
            title=f"{names.SEND_MESSAGE}: {row.subject}" if row.subject else names.SEND_MESSAGE,
            detail=row.error,
            who=row.staff_name,
            state=row.state,
        )


def _calls(session: Session, asked: _Asked) -> Iterator[Entry]:
    """Each request, and its end as an entry of its own."""
    newest_first = (sa.func.coalesce(col(CallRequest.closed_at), col(CallRequest.created_at)).desc(),)
    wanted = (
        select(CallRequest)
        .where(CallRequest.customer == asked.customer)
        .order_by(*newest_first)
        .limit(asked.limit)
    )
    rows = session.exec(wanted).all()
    first = audit.at_first(session, [asked.customer], [row.token for row in rows])
    for row in rows:
        due_at = first.get(row.token, {}).get("due_at", row.due_at)
        due = f", due {asked.words.day(due_at)}" if due_at else ""
        yield Entry(
            at=row.created_at,
            kind="Calls",
            id=row.token,
            title=f"{names.REQUEST_CALL}{due}",
            detail=row.note,
            who=row.requested_by_name,
            state=row.state if row.closed_at is None else "",
        )
        if row.closed_at is not None:
            yield Entry(
                at=row.closed_at,
                kind="Calls",
                id=f"{row.token}-closed",
                title=f"{names.CALL_OUTCOME}: {names.of_outcome(row.state, row.outcome or '')}",
                detail=row.outcome_note,
                who=row.closed_by_name,
                state=row.state,
            )


def _tasks(session: Session, asked: _Asked) -> Iterator[Entry]:
    """Each task, and that it was done as an entry of its own."""
    newest_first = (
        sa.func.coalesce(col(Task.done_at), col(Task.created_at)).desc(),
        col(Task.id).desc(),
    )
    wanted = select(Task).where(Task.customer == asked.customer).order_by(*newest_first).limit(asked.limit)
    rows = session.exec(wanted).all()
    staff = people.names(session) if rows else {}
    first = audit.at_first(session, [asked.customer], [str(row.id) for row in rows])
    for row in rows:
        was = first.get(str(row.id), {})
        due_at, assignee = was.get("due_at", row.due_at), was.get("assignee", row.assignee)
        due = f", due {asked.words.day(due_at)}" if due_at else ""
        for_whom = f" for {staff[assignee]}" if assignee in staff else ""
        yield Entry(
            at=row.created_at,
            kind="Tasks",
            id=str(row.id),
            title=f"{names.ADD_TASK}{for_whom}{due}",
            detail=row.title,
            who=staff.get(row.created_by or 0, ""),
            state="open" if row.done_at is None else "",
        )
        if row.done_at is not None:
            yield Entry(
                at=row.done_at,
                kind="Tasks",
                id=f"{row.id}-done",
                title=names.TASK_DONE,
                detail=row.title,
                who=staff.get(row.done_by or 0, ""),
                state="done",
            )


def _notes(session: Session, asked: _Asked) -> Iterator[Entry]:
    newest_first = (col(Note.created_at).desc(), col(Note.id).desc())
    wanted = select(Note).where(Note.customer == asked.customer).order_by(*newest_first).limit(asked.limit)
    for row in session.exec(wanted):
        yield Entry(
            at=row.created_at,
            kind="Notes",
            id=str(row.id),
            title="Note",
            detail=row.body,
            who=row.author_name,
        )


def _changes(session: Session, asked: _Asked) -> Iterator[Entry]:
    """Owner, tags, and what was changed about calls, tasks, notes and messages."""
    newest_first = (col(AuditEntry.at).desc(), col(AuditEntry.id).desc())
    wanted = (
        select(AuditEntry)
        .where(AuditEntry.customer == asked.customer)
        .order_by(*newest_first)
        .limit(asked.limit)
    )
    rows = session.exec(wanted).all()
    staff = people.names(session) if rows else {}
    for row in rows:
        but, why = ((), audit.reason(row)) if _may_read(row, asked.person) else (audit.REASONS, "")
        changed = audit.sentence(audit.differences(row, staff, asked.words.moment, but=but))
        yield Entry(
            at=row.at,
            kind="Changes",
            id=str(row.id),
            title=audit.TITLES.get(row.kind, row.kind),
            detail=f"Why: {why}" if why else changed,
            who=row.staff_name,
        )


_SOURCES: Final[dict[Kind, Callable[[Session, _Asked], Iterator[Entry]]]] = {
    "Billing": _billing,
    "Actions": _actions,
    "Messages": _messages,
    "Calls": _calls,
    "Tasks": _tasks,
    "Notes": _notes,
    "Changes": _changes,
    "Technical": _technical,
}
