"""How far is a run, and what became of each of its rows? A row stands as its action does by now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Action, BulkRow, BulkRun, Customer
from models.ledger import DECLINED, OVERTAKEN
from services.desk import bulk_kinds, bulk_preview, ledger, words
from services.errors import NotFound
from services.staff import people
from services.staff.roles import Permission, Person
from services.text import isolated

# Those that need somebody first, then what is not over.
STATES = ("failed", "unknown", "asked", OVERTAKEN, DECLINED, "skipped", "running", "waiting", "done")
_OPEN = ("waiting", "running")
_STATE = sa.case(
    (col(Action.state) == "waiting", "asked"),
    *((sa.and_(col(Action.state) == "failed", so), name) for name, so in ledger.REFUSED.items()),
    (col(Action.state) != "open", col(Action.state)),
    else_=col(BulkRow.state),
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run as people see it. `counts` are its rows by state; `is_own`: the looker began it; `why_not`: why
    the looker may not stop it or go on with it, "" where they may; `decider_name`: who allowed or declined
    it, where it was above a limit."""

    id: str
    title: str
    noun: str
    done: str
    state: str
    staff_name: str
    reason: str
    note: str
    created_at: int
    counts: dict[str, int]
    is_own: bool
    why_not: str
    decider_name: str

    @property
    def total(self) -> int:
        """How many rows it has."""
        return sum(self.counts.values())

    @property
    def over(self) -> int:
        """With how many rows it is through."""
        return self.total - sum(self.counts.get(state, 0) for state in _OPEN)

    @property
    def said(self) -> str:
        """How far it is, as a sentence: `17 of 20 trials extended.`"""
        return f"{self.counts.get('done', 0)} of {words.plural(self.total, self.noun)} {self.done}."


@dataclass(frozen=True, slots=True)
class Seen:
    """A row of a run: whom and what it is about, how it stands, and what was said of that."""

    customer: str
    name: str
    object_id: str
    state: str
    message: str


def get(session: Session, person: Person, id: str) -> BulkRun:
    """The run's row. Raises NotFound, also to those who may not see it: what waits for a second person is
    seen by everybody, and afterwards by who decided about it."""
    decided = (col(BulkRun.state) == "asked", col(BulkRun.decider) == person.id)
    run = session.exec(select(BulkRun).where(BulkRun.id == id, *_visible(person, *decided))).first()
    if run is None:
        raise NotFound("bulk run", id, remedy="Choose one from the list.")
    return run


def find(session: Session, person: Person, id: str) -> Run:
    """One run. Raises NotFound."""
    run = get(session, person, id)
    return _run(person, run, _counts(session, [id]).get(id, {}), people.names(session))


def count(session: Session, person: Person) -> int:
    """How many runs this person may see."""
    return session.scalar(sa.select(sa.func.count()).select_from(BulkRun).where(*_visible(person))) or 0


def recent(session: Session, person: Person, *, offset: int = 0, limit: int = 50) -> list[Run]:
    """One page of the runs that this person may see, newest first."""
    newest = (col(BulkRun.created_at).desc(), col(BulkRun.id))
    wanted = select(BulkRun).where(*_visible(person)).order_by(*newest).offset(offset).limit(limit)
    runs = session.exec(wanted).all()
    counts = _counts(session, [run.id for run in runs])
    names = people.names(session)
    return [_run(person, run, counts.get(run.id, {}), names) for run in runs]


def rows(session: Session, id: str, *, offset: int = 0, limit: int = 50) -> list[Seen]:
    """One page of a run's rows: those that need somebody first, then in the order of choosing."""
    rank = sa.case({state: place for place, state in enumerate(STATES)}, value=_STATE, else_=len(STATES))
    wanted = (
        _with_action(col(BulkRow.customer), Customer, col(BulkRow.object_id), _STATE, _message())
        .outerjoin(Customer, col(Customer.id) == col(BulkRow.customer))
        .where(col(BulkRow.run) == id)
        .order_by(rank, col(BulkRow.position))
    )
    page = session.execute(wanted.offset(offset).limit(limit))
    return [Seen(customer, _called(customer, row), *rest) for customer, row, *rest in page]


def failed(session: Session, id: str) -> Sequence[tuple[BulkRow, bool]]:
    """The rows that may be tried again, each with whether its action had begun. What a colleague has said no
    to, or has done before it, is not asked for again."""
    wanted = _with_action(BulkRow, Action).where(col(BulkRow.run) == id, _STATE == "failed")
    return [
        (row, action is not None and action.state != "open")
        for row, action in session.execute(wanted)
        if action is None or not action.error.get("left")
    ]


def is_moving(session: Session, id: str) -> bool:
    """Whether a row of the run is under way."""
    moving = sa.select(col(BulkRow.token)).where(col(BulkRow.run) == id, col(BulkRow.state) == "running")
    return bool(session.scalar(sa.select(moving.exists())))


def accounts(session: Session, id: str) -> int:
    """How many accounts a run takes."""
    taken = sa.select(sa.func.count(sa.distinct(col(BulkRow.customer))))
    return session.scalar(taken.where(col(BulkRow.run) == id, col(BulkRow.state) != "skipped")) or 0


def too_many(session: Session, person: Person, run: BulkRun) -> list[str]:
    """That a run takes more accounts than who began it may take by now, where nobody has allowed so many."""
    return [] if run.decider else bulk_preview.too_many(person, accounts(session, run.id))


def why_not(session: Session, person: Person, run: BulkRun) -> str:
    """Why who began a run may not go on with it by now; "" where they may."""
    if reason := person.why_not(bulk_kinds.find(run.command).command.permission):
        return reason
    return " ".join(too_many(session, person, run))


def name_of(session: Session, staff: int | None) -> str:
    """Who began a run."""
    return _name(people.names(session), staff)


def _name(names: Mapping[int, str], staff: int | None) -> str:
    return names.get(staff or 0, "Somebody")


def _visible(person: Person, *also: sa.ColumnElement[bool]) -> list[sa.ColumnElement[bool]]:
    return [] if person.may(Permission.SEE_ACTIVITY) else [sa.or_(col(BulkRun.staff) == person.id, *also)]


def _counts(session: Session, ids: Collection[str]) -> dict[str, dict[str, int]]:
    each = _with_action(col(BulkRow.run), _STATE.label("now")).where(col(BulkRow.run).in_(ids)).subquery().c
    found: dict[str, dict[str, int]] = {}
    counted = sa.select(each.run, each.now, sa.func.count()).group_by(each.run, each.now)
    for run, state, number in session.execute(counted):
        found.setdefault(run, {})[state] = number
    return found


def _with_action(*columns: Any) -> Any:
    return sa.select(*columns).select_from(BulkRow).outerjoin(Action, col(Action.token) == col(BulkRow.token))


def _message() -> Any:
    """What was said when the run was through with the row, or why it was refused; nothing where it stands
    otherwise by now."""
    why = sa.func.coalesce(col(Action.error)["message"].as_string(), "")
    return sa.case(
        (col(BulkRow.state) == _STATE, col(BulkRow.message)),
        (_STATE.in_(list(ledger.REFUSED)), why),
        else_="",
    )


def _run(person: Person, run: BulkRun, counts: dict[str, int], names: Mapping[int, str]) -> Run:
    kind = bulk_kinds.find(run.command)
    return Run(
        run.id, kind.run_title(run.form), kind.noun, kind.done, run.state,
        _name(names, run.staff), run.reason, run.note, run.created_at, counts, run.staff == person.id,
        person.why_not(kind.command.permission), run.decider_name,
    )  # fmt: skip


def _called(id: str, customer: Customer | None) -> str:
    return isolated((customer and (customer.name or customer.email)) or id)
