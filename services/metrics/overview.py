"""What does a founder want to know first thing today, per currency, against the period before?

Every figure is one that another module here defines; this one sets it beside its comparison and says which
page shows its rows. Figures of the past are reconstructed from what the tables say now (see the modules).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo

from sqlmodel import Session

from services import clock
from services.clock import DAY
from services.metrics import periods
from services.metrics.recovery import recovery
from services.metrics.recovery.recovery import AtStake, Recovery
from services.metrics.revenue import revenue
from services.metrics.revenue.revenue import Revenue, Revenues
from services.metrics.statistics.statistics import Rate
from services.metrics.trials import conversion, trials
from services.metrics.trials.conversion import Cohort, Outcomes
from services.metrics.trials.slices import Slice
from services.metrics.trials.trials import Running

Unit = Literal["count", "money", "micros", "rate"]
Good = Literal["more", "less", "neither"]
BACK_DAYS = 30
WEEK_DAYS = 7
_MONTHS = 8


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. `key` is its definition; `value` and `before` are None where there is no data.

    Units: a count, `money` in minor units, `micros` (MRR), a Rate. `good` is the direction that pleases.
    `page` and `params` lead to its rows; `beside` is a second number of the same thing (how many, how much).
    No `page`: no list holds these rows alone. `amounts`: the money of a rate's part and whole (minor units).
    """

    key: str
    unit: Unit
    value: int | Rate | None
    before: int | Rate | None
    since: str
    page: str
    params: Mapping[str, str] = field(default_factory=dict)
    good: Good = "more"
    beside: int | None = None
    amounts: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """Today at a glance: `all` counts customers of every currency, `by_currency` the largest first.

    `window`: within how many days of its start a trial has to convert to count.
    """

    as_of: int
    window: int
    all: Sequence[Figure]
    by_currency: Mapping[str, Sequence[Figure]]


@dataclass(frozen=True, slots=True)
class _Side:
    """Everything counted at one instant, by currency. `is_counted`: revenue is known."""

    revenue: Revenues
    trials: Mapping[str, Running]
    failures: Mapping[str, AtStake]
    ended: Mapping[str, AtStake]
    disputes: Mapping[str, AtStake]
    recovered: Mapping[str, Recovery]
    is_counted: bool = True

    def parts(self) -> tuple[Mapping[str, object], ...]:
        return self.revenue.by_currency, self.trials, self.failures, self.ended, self.disputes


def read(session: Session, *, as_of: int, zone: ZoneInfo) -> Overview:
    """All figures as of now (UTC seconds); months are cut in the workspace's zone."""
    now, then = _now(session, as_of), _then(session, as_of - BACK_DAYS * DAY, zone)
    months = Slice("month", tuple(periods.last("month", _MONTHS, until=as_of, zone=zone)))
    parts = conversion.outcomes_by(session, months, "currency", as_of=as_of)
    everybody, nobody = (conversion.together(some, months, as_of) for some in (parts.values(), ()))
    window = conversion.usual_window(conversion.typical_days(session, as_of=as_of))
    return Overview(
        as_of=as_of,
        window=window,
        all=_everybody(now, then, everybody, window),
        by_currency={
            code: _one_currency(code, now, then, parts.get(code, nobody), window)
            for code in _currencies(now, then)
        },
    )


def _now(session: Session, as_of: int) -> _Side:
    return _Side(
        revenue.now(session),
        trials.running_now(session, as_of),
        *recovery.open_failures(session),
        recovery.open_disputes(session),
        recovery.recovered(session, as_of - BACK_DAYS * DAY, as_of),
    )


def _then(session: Session, at: int, zone: ZoneInfo) -> _Side:
    stood = revenue.stood(session, clock.day_start(at, zone))
    return _Side(
        stood or Revenues(0, {}),
        trials.running(session, at),
        *recovery.open_failures_at(session, at),
        recovery.open_disputes_at(session, at),
        {},
        is_counted=stood is not None,
    )


def _currencies(now: _Side, then: _Side) -> list[str]:
    """Currencies with anything to say, the one with the most paying customers first."""
    found = {code for side in (*now.parts(), *then.parts()) for code in side if code}
    return sorted(found, key=lambda code: (-now.revenue.by_currency.get(code, Revenue()).customers, code))


def _everybody(now: _Side, then: _Side, trialed: Outcomes, window: int) -> list[Figure]:
    """Counts in all currencies together; amounts are never added.

    A trial, a payment and a dispute have one currency each; a customer may pay in several.
    """
    return [
        _figure(
            "active_customers", now.revenue.customers, then.revenue.customers if then.is_counted else None
        ),
        _count("trials_running", now.trials, then.trials, "running"),
        _ending(_sum(now.trials, "ending")),
        _converted(trialed, window),
        _count("failing", now.failures, then.failures, "count"),
        _count("failing_ended", now.ended, then.ended, "count"),
        _count("disputes", now.disputes, then.disputes, "count"),
    ]


def _one_currency(code: str, now: _Side, then: _Side, trialed: Outcomes, window: int) -> list[Figure]:
    paid, before = now.revenue.by_currency, then.revenue.by_currency if then.is_counted else None
    return [
        _of("mrr", code, paid, before, "mrr"),
        _of("active_customers", code, paid, before, "customers"),
        _of("trials_running", code, now.trials, then.trials, "running"),
        _ending(now.trials.get(code, Running()).ending, code),
        _of("trial_mrr", code, now.trials, then.trials, "micros"),
        _converted(trialed, window, code),
        _of("at_stake", code, now.failures, then.failures, "amount", beside="count"),
        _of("at_stake_ended", code, now.ended, then.ended, "amount"),
        _recovered(now.recovered.get(code, Recovery()), code),
        _of("disputed", code, now.disputes, then.disputes, "amount", beside="count"),
        *_unvalued(paid.get(code, Revenue())),
    ]


def _unvalued(revenue: Revenue) -> list[Figure]:
    """What MRR is without, where there is any. Not compared, and no list holds these rows alone."""
    return [Figure("unvalued", "count", revenue.unvalued, None, "", "")] if revenue.unvalued else []


_AT_STAKE, _ENDED = {"subscription": "Not ended"}, {"subscription": "Ended"}
_PAYING, _DISPUTED = {"only": "paying"}, {"only": "open dispute"}
_KINDS: dict[str, tuple[Unit, Good, str, Mapping[str, str]]] = {
    "mrr": ("micros", "more", "customers", _PAYING | {"sort": "MRR"}),
    "active_customers": ("count", "more", "customers", _PAYING),
    "trials_running": ("count", "more", "trials", {}),
    "trial_mrr": ("micros", "more", "trials", {"trial_sort": "Plan value"}),
    "failing": ("count", "less", "failed-payments", _AT_STAKE),
    "failing_ended": ("count", "neither", "failed-payments", _ENDED),
    "at_stake": ("money", "less", "failed-payments", _AT_STAKE),
    "at_stake_ended": ("money", "neither", "failed-payments", _ENDED),
    "disputes": ("count", "less", "customers", _DISPUTED),
    "disputed": ("money", "less", "customers", _DISPUTED),
}


def _count(key: str, now: Mapping[str, object], then: Mapping[str, object], name: str) -> Figure:
    return _figure(key, _sum(now, name), _sum(then, name))


def _of(
    key: str,
    code: str,
    now: Mapping[str, object],
    then: Mapping[str, object] | None,
    name: str,
    beside: str = "",
) -> Figure:
    here = getattr(now.get(code), name, 0)
    there = None if then is None else getattr(then.get(code), name, 0)
    return _figure(key, here, there, code, getattr(now.get(code), beside, 0) if beside else None)


def _figure(key: str, value: int, before: int | None, code: str = "", beside: int | None = None) -> Figure:
    unit, good, page, params = _KINDS[key]
    since = f"{BACK_DAYS} days ago"
    return Figure(key, unit, value, before, since, page, {**params, **_in(code, page)}, good, beside)


def _ending(number: int, code: str = "") -> Figure:
    """Not compared: when a trial was to end a week ago is not known once it was moved or ended early."""
    params = {"days": str(WEEK_DAYS), **_in(code, "trials")}
    return Figure("trials_ending", "count", number, None, "", "trials", params)


def _converted(trialed: Outcomes, window: int, code: str = "") -> Figure:
    """The youngest cohort that is old enough for the window, against the one before it."""
    last, before = conversion.last_closed(trialed.cohorts(window))
    shown = {"show": f"cohort:{last.period.key}"} if last else {}
    params = {"within": f"{window} days", **shown, **_in(code, "conversion")}
    return Figure("cohort_rate", "rate", _rate(last), _rate(before), _name(before), "conversion", params)


def _recovered(found: Recovery, code: str) -> Figure:
    """Not compared: payments that failed earlier had more time to come back."""
    money = (found.recovered_amount, found.failed_amount)
    params = {"show": f"recovered:{code}"}
    return Figure("recovery_rate", "rate", found.rate, None, "", "failed-payments", params, amounts=money)


def _in(code: str, page: str) -> dict[str, str]:
    return {"trial_currency" if page == "trials" else "currency": code.upper()} if code else {}


def _rate(cohort: Cohort | None) -> Rate | None:
    return cohort.rate if cohort else None


def _name(cohort: Cohort | None) -> str:
    return cohort.period.key if cohort else ""


def _sum(side: Mapping[str, object], name: str) -> int:
    return sum(getattr(part, name) for part in side.values())
