"""Who are the customers behind a number? The rows of a cohort's bar, of a group, of a funnel's step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Customer, JourneyFact, Product, TrialFact
from services.clock import DAY
from services.metrics.trials import slices
from services.metrics.trials.conversion import ended_recently
from services.metrics.trials.funnel import DIRECT_STEPS, TRIAL_STEPS, Path
from services.metrics.trials.slices import JOURNEYS, TRIALS, Slice
from services.metrics.trials.trial_book import LOST

_TRIAL: Any = TrialFact.__table__.c  # type: ignore[attr-defined]
_WAY: Any = JourneyFact.__table__.c  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Trials:
    """The trials of a slice; `state` "" takes all six states.

    `within`: only those that converted by that day since their start. `lost`: only those that say why they
    brought nothing, with `why` only for that reason ("": none is known). `recent`: only those that ended in
    the last 30 days.
    """

    asked: Slice
    state: str = ""
    within: int | None = None
    lost: bool = False
    why: str | None = None
    recent: bool = False


@dataclass(frozen=True, slots=True)
class Walkers:
    """Who signed up as a slice says and came at least as far as `step` of the path."""

    asked: Slice
    path: Path
    step: str


Chosen = Trials | Walkers


@dataclass(frozen=True, slots=True)
class Member:
    """One customer: `since` is the trial's start (of a step: the sign-up), `state` the trial's state or the
    last step reached, `paid_at` the first payment. Instants in UTC seconds, None where there is none.
    """

    customer: str
    name: str
    email: str
    plan: str
    source: str
    currency: str
    state: str
    since: int
    trial_end: int | None
    paid_at: int | None

    @property
    def days(self) -> int | None:
        """Days from the trial's start to the first payment, rounded up; None where it did not convert."""
        if self.state != "converted" or self.paid_at is None:
            return None
        return max(0, -(-(self.paid_at - self.since) // DAY))


def count(session: Session, chosen: Chosen, *, as_of: int) -> int:
    """How many rows `read` would give in all."""
    rows = _rows(chosen, as_of).subquery()
    return int(session.execute(sa.select(sa.func.count()).select_from(rows)).scalar_one())


def read(
    session: Session, chosen: Chosen, *, as_of: int, offset: int = 0, limit: int | None = None
) -> list[Member]:
    """The rows behind a number, youngest first; `limit` None reads them all."""
    facts = _rows(chosen, as_of)
    page = facts.order_by(sa.text("since DESC"), sa.text("customer DESC")).offset(offset).limit(limit)
    r, c, p = page.subquery().c, Customer, Product
    named = (
        sa.select(
            r.customer,
            sa.func.coalesce(col(c.name), ""),
            sa.func.coalesce(col(c.email), ""),
            sa.func.coalesce(col(p.name), r.plan),
            r.source,
            r.currency,
            r.state,
            r.since,
            r.trial_end,
            r.paid_at,
        )
        .join(c, col(c.id) == r.customer, isouter=True)
        .join(p, col(p.id) == r.plan, isouter=True)
        .order_by(r.since.desc(), r.customer.desc())
    )
    return [Member(*row) for row in session.execute(named)]


def _rows(chosen: Chosen, as_of: int) -> sa.Select[Any]:
    return _trials(chosen, as_of) if isinstance(chosen, Trials) else _walkers(chosen)


def _trials(chosen: Trials, as_of: int) -> sa.Select[Any]:
    t, wanted = _TRIAL, slices.conditions(TRIALS, chosen.asked)
    if chosen.recent:
        wanted.append(ended_recently(as_of))
    if chosen.state:
        wanted.append(t.state == chosen.state)
    if chosen.within is not None:
        wanted.append((t.state == "converted") & (t.days <= chosen.within))
    if chosen.lost:
        wanted.append(t.state.in_(LOST))
    if chosen.why is not None:
        wanted.append(t.why == chosen.why)
    columns = (t.customer, t.plan, t.source, t.currency, t.state, t.started.label("since"), t.trial_end)
    return sa.select(*columns, t.converted_at.label("paid_at")).where(*wanted)


def _walkers(chosen: Walkers) -> sa.Select[Any]:
    j, wanted = _WAY, slices.conditions(JOURNEYS, chosen.asked)
    names = TRIAL_STEPS if chosen.path == "trial" else DIRECT_STEPS
    place = names.index(chosen.step)
    if place or chosen.path == "direct":  # everybody who signed up is on the first step of the trial's path
        wanted += [j.path == chosen.path, j.depth >= place]
    reached = sa.case(
        *((j.depth + sa.case((j.path == "direct", 100), else_=0) == at, step) for at, step in _STEPS.items()),
        else_="",
    )
    columns = (j.customer, j.plan, j.source, j.currency, reached.label("state"), j.created.label("since"))
    return sa.select(*columns, j.trial_end, j.paid_at).where(*wanted)


_STEPS = dict(enumerate(TRIAL_STEPS)) | {100 + at: step for at, step in enumerate(DIRECT_STEPS)}
