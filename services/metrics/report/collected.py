"""What does a report say of a month? Asked of the same functions as the pages, so that it cannot differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col

from models import SyncCursor, Workspace
from services import clock
from services.metrics.counting import counting
from services.metrics.periods import Period
from services.metrics.recovery import dunning, dunning_rows
from services.metrics.recovery.dunning import Asked, Numbers
from services.metrics.recovery.dunning_rows import Chosen, FailedPayment
from services.metrics.report import months
from services.metrics.revenue import exchange, leaving, revenue_history, revenue_rows
from services.metrics.revenue.revenue_history import Level, Movements, View
from services.metrics.revenue.revenue_rows import Moved, Moves
from services.metrics.statistics.statistics import Rate
from services.metrics.trials import conversion, funnel
from services.metrics.trials.conversion import Cohort, Outcomes
from services.metrics.trials.funnel import Step
from services.metrics.trials.slices import Slice

MONTHS = 12  # that charts and tables look back
_NAMED = 5  # customers in a list
_FEED = "feed"  # the cursor of the events


@dataclass(frozen=True, slots=True)
class Money:
    """One currency: every month up to the report's, the level day by day, and who moved it most.

    `canceled`: how many paying subscriptions were canceled in the month, whenever they end.
    """

    view: View
    months: Sequence[Movements]
    daily: Sequence[tuple[int, Level]]
    canceled: int
    churned: Sequence[Moved]
    won: Sequence[Moved]

    @property
    def now(self) -> Movements:
        """The report's month."""
        return self.months[-1]

    @property
    def currency(self) -> str:
        """Its code."""
        return self.view.currency


@dataclass(frozen=True, slots=True)
class Failures:
    """One currency's failed payments by the month of their first try, and the largest of the month that are
    not recovered."""

    numbers: Numbers
    largest: Sequence[FailedPayment]


@dataclass(frozen=True, slots=True)
class Trials:
    """Trials and those who signed up, in all currencies: they are counted, not added.

    `window` is in days; `closed` the youngest cohort old enough for it, `before` the one before that, `own`
    the month's. `walked` are the funnel's steps of who signed up in a month, by its key.
    """

    window: int
    outcomes: Outcomes
    own: Cohort
    closed: Cohort | None
    before: Cohort | None
    recent: Rate
    walked: Mapping[str, Sequence[Step]]
    by_currency: Mapping[str, tuple[Cohort, Cohort | None]]


@dataclass(frozen=True, slots=True)
class Source:
    """Which data a report is made of: of whose account, with everything that happened until `read_to`;
    `left` customers are still to be counted. Before `exact_since` history is reconstructed."""

    account: str
    mode: str
    read_to: int | None
    left: int
    exact_since: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report says. `converted` is everything in the reporting currency, None where none is set;
    `without_rate` are the currencies that it leaves out. Currencies: the one with most customers first."""

    month: Period
    as_of: int
    zone: ZoneInfo
    source: Source
    money: Sequence[Money]
    converted: Money | None
    without_rate: Sequence[str]
    failures: Mapping[str, Failures]
    trials: Trials


def collect(session: Session, month: Period, *, as_of: int, zone: ZoneInfo) -> Report:
    """Asks for everything that a report of the month says, as it is known at an instant (UTC seconds)."""
    looked_at = months.until(month, MONTHS, zone)
    codes = revenue_history.options(session, month.ends).currencies
    money = [one for code in codes if _has_any(one := _money(session, View(code), looked_at))]
    converted = _converted(session, looked_at, codes, zone)
    return Report(
        month=month,
        as_of=as_of,
        zone=zone,
        source=_source(session),
        money=money,
        converted=converted,
        without_rate=tuple(
            revenue_history.left_out(session, converted.view, month.ends) if converted else ()
        ),
        failures=_failures(session, looked_at, as_of),
        trials=_trials(session, looked_at, as_of),
    )


def _source(session: Session) -> Source:
    held = session.get(Workspace, 1)
    read_to = session.execute(
        sa.select(col(SyncCursor.cursor)).where(col(SyncCursor.resource) == _FEED)
    ).scalar()
    return Source(
        account=(held.account_name or held.account) if held else "",
        mode=held.mode if held else "",
        read_to=int(read_to) if read_to else None,
        left=counting.progress(session).left,
        exact_since=revenue_history.exact_since(session),
    )


def _money(session: Session, view: View, looked_at: Sequence[Period]) -> Money:
    month = looked_at[-1]
    return Money(
        view=view,
        months=revenue_history.movements(session, view, looked_at),
        daily=revenue_history.daily(session, view, looked_at[0].begins, month.ends),
        canceled=leaving.count(session, view, month),
        churned=_most(session, view, month, "churn"),
        won=_most(session, view, month, "new"),
    )


def _most(session: Session, view: View, month: Period, kind: str) -> Sequence[Moved]:
    """Whose MRR moved most; nobody's of several currencies, whose amounts cannot be compared."""
    if view.rates:
        return ()
    chosen = Moves(view, month.begins, month.ends, (kind,))
    return revenue_rows.moved(session, chosen, largest_first=True, limit=_NAMED)


def _has_any(money: Money) -> bool:
    """Whether anything stood or moved in the months that the report looks at."""
    first = money.months[0].before
    moved = any(any(one.moved.values()) or one.after.trial for one in money.months)
    return bool(moved or first.mrr or money.now.after.mrr)


def _converted(
    session: Session, looked_at: Sequence[Period], codes: Sequence[str], zone: ZoneInfo
) -> Money | None:
    """Everything in the reporting currency, by the rates in force on the month's last day."""
    into = exchange.reporting(session)
    if not set(codes) - {into} or not into:
        return None
    day = clock.local(looked_at[-1].ends - 1, zone).date().isoformat()
    rates = tuple(rate for rate in exchange.in_force(session, into, day) if rate.currency in codes)
    return _money(session, View(into, rates=rates), looked_at)


def _failures(session: Session, looked_at: Sequence[Period], as_of: int) -> dict[str, Failures]:
    found = {}
    for code in dunning.currencies(session):
        numbers = dunning.read(session, Asked(code, tuple(looked_at)), as_of=as_of)
        if numbers.all.failure.whole:
            found[code] = Failures(numbers, _largest_failed(session, code, looked_at[-1]))
    return found


def _largest_failed(session: Session, code: str, month: Period) -> Sequence[FailedPayment]:
    """Those of the month that are lost or in recovery."""
    asked = Asked(code, (month,))
    open_states = (Chosen(asked, "in_recovery"), Chosen(asked, "lost"))
    rows = [
        row
        for chosen in open_states
        for row in dunning_rows.read(session, chosen, largest_first=True, limit=_NAMED)
    ]
    return sorted(rows, key=lambda row: (-row.amount, row.invoice))[:_NAMED]


def _trials(session: Session, looked_at: Sequence[Period], as_of: int) -> Trials:
    asked = Slice("month", tuple(looked_at))
    window = conversion.usual_window(conversion.typical_days(session, as_of=as_of))
    outcomes = conversion.outcomes(session, asked, as_of=as_of)
    cohorts = outcomes.cohorts(window)
    closed, before = conversion.last_closed(cohorts)
    shown = {looked_at[-1]} | ({closed.period} if closed else set())
    by_currency = conversion.outcomes_by(session, asked, "currency", as_of=as_of)
    return Trials(
        window=window,
        outcomes=outcomes,
        own=cohorts[-1],
        closed=closed,
        before=before,
        recent=conversion.period_rate(session, as_of=min(as_of, looked_at[-1].ends)),
        walked={one.key: funnel.steps(funnel.walked(session, asked.during([one])), "trial") for one in shown},
        by_currency={code: _of_currency(one, window) for code, one in by_currency.items()},
    )


def _of_currency(outcomes: Outcomes, window: int) -> tuple[Cohort, Cohort | None]:
    cohorts = outcomes.cohorts(window)
    return cohorts[-1], conversion.last_closed(cohorts)[0]
