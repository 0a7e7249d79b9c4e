"""Who are the customers behind a number? The rows of a cohort's bar, of a group, of a funnel's step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Customer, Product
from services.metrics.conversion import ended_recently
from services.metrics.funnel import DIRECT_STEPS, TRIAL_STEPS, Path, journeys
from services.metrics.periods import Period, within
from services.metrics.trials import EVERYONE, Segment, trials


@dataclass(frozen=True, slots=True)
class Trials:
    """Trials that started in one of the periods (None: whenever); `state` "" takes all six states.

    `recent`: only those that ended in the last 30 days.
    """

    periods: tuple[Period, ...] | None
    state: str = ""
    segment: Segment = EVERYONE
    recent: bool = False


@dataclass(frozen=True, slots=True)
class Walkers:
    """Who signed up in one of the periods and came at least as far as `step` of the path."""

    periods: tuple[Period, ...]
    path: Path
    step: str
    segment: Segment = EVERYONE


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


def count(session: Session, chosen: Chosen, *, as_of: int) -> int:
    """How many rows `read` would give in all."""
    return int(session.execute(sa.select(sa.func.count()).select_from(_rows(chosen, as_of))).scalar_one())


def read(
    session: Session, chosen: Chosen, *, as_of: int, offset: int = 0, limit: int | None = None
) -> list[Member]:
    """The rows behind a number, youngest first; `limit` None reads them all."""
    r, c, p = _rows(chosen, as_of).c, Customer, Product
    page = (
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
        .order_by(r.since.desc(), r.customer)
    )
    return [Member(*row) for row in session.execute(page.offset(offset).limit(limit))]


def _rows(chosen: Chosen, as_of: int) -> sa.Subquery:
    return _trials(chosen, as_of) if isinstance(chosen, Trials) else _walkers(chosen, as_of)


def _trials(chosen: Trials, as_of: int) -> sa.Subquery:
    t = trials(as_of, chosen.segment).c
    wanted: list[Any] = [] if chosen.periods is None else [within(t.started, chosen.periods)]
    if chosen.recent:
        wanted.append(ended_recently(t, as_of))
    if chosen.state:
        wanted.append(t.state == chosen.state)
    columns = (t.customer, t.plan, t.source, t.currency, t.state, t.started.label("since"), t.trial_end)
    return sa.select(*columns, t.converted_at.label("paid_at")).where(*wanted).subquery()


def _walkers(chosen: Walkers, as_of: int) -> sa.Subquery:
    j = journeys(as_of, chosen.segment).c
    names = TRIAL_STEPS if chosen.path == "trial" else DIRECT_STEPS
    place = names.index(chosen.step)
    wanted: list[Any] = [within(j.created, chosen.periods)]
    if place or chosen.path == "direct":  # everybody who signed up is on the first step of the trial's path
        wanted += [j.path == chosen.path, j.depth >= place]
    reached = sa.case(
        *((j.depth + sa.case((j.path == "direct", 100), else_=0) == at, step) for at, step in _STEPS.items()),
        else_="",
    )
    columns = (j.customer, j.plan, j.source, j.currency, reached.label("state"), j.created.label("since"))
    return sa.select(*columns, j.trial_end, j.paid_at).where(*wanted).subquery()


_STEPS = dict(enumerate(TRIAL_STEPS)) | {100 + at: step for at, step in enumerate(DIRECT_STEPS)}
