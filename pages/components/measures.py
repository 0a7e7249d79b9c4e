"""The numbers behind the Overview and the Conversion page, computed once for each change of the data.

An answer belongs to a database, a role, the version of the data and ten minutes of the clock (a trial grows
older without anything changing). See services/metrics/kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from services import clock, config, database
from services.customers import search
from services.customers.conditions import Condition
from services.customers.filters import CustomerFilter
from services.desk.goals import Kept
from services.metrics import goals, kept, overview, periods, version
from services.metrics.goals import Walked
from services.metrics.kept import Answer
from services.metrics.overview import Overview
from services.metrics.periods import Period
from services.metrics.recovery import dunning, dunning_curve, recovery
from services.metrics.recovery.dunning import Asked, Numbers
from services.metrics.recovery.recovery import AtStake
from services.metrics.revenue import revenue_history
from services.metrics.statistics.statistics import Rate
from services.metrics.statistics.survival import Watched
from services.metrics.trials import conversion, curves, forecast, funnel, slices, why
from services.metrics.trials.conversion import Group, Outcomes, Priced
from services.metrics.trials.forecast import Forecast
from services.metrics.trials.slices import Options, Segment, Slice
from services.metrics.trials.why import Reason
from services.staff.roles import Person

T = TypeVar("T")
_TICK = 600  # seconds


class Measures:
    """What one run of a page asks; the version of the data is read once for the run."""

    def __init__(self, person: Person) -> None:
        self._role = person.role
        self._database = str(database.engine().url)
        with database.session() as session:
            self._version = (version.data_version(session), clock.now() // _TICK)

    def glance(self) -> Overview:
        """Today at a glance."""
        zone = config.settings().zone
        return self._ask("overview", lambda s: overview.read(s, as_of=clock.now(), zone=zone))

    def options(self) -> Options:
        """What trials can be filtered by."""
        return self._ask("options", slices.options)

    def outcomes(self, asked: Slice) -> Outcomes:
        """What became of a slice's trials."""
        return self._ask(("outcomes", asked), lambda s: conversion.outcomes(s, asked, as_of=clock.now()))

    def breakdown(self, asked: Slice, dim: str, window: int | None) -> Sequence[Group]:
        """The closed cohorts of a slice by the values of a dimension."""
        return self._ask(
            ("breakdown", asked, dim, window),
            lambda s: conversion.breakdown(s, asked, dim, window, as_of=clock.now()),
        )

    def period_rate(self, segment: Segment) -> Rate:
        """Conversion of the last 30 days, as Stripe shows it."""
        return self._ask(
            ("period rate", segment), lambda s: conversion.period_rate(s, segment, as_of=clock.now())
        )

    def running(self, segment: Segment) -> int:
        """How many trials still run, whenever they started."""
        return self._ask(("running", segment), lambda s: conversion.running(s, segment))

    def curve(self, asked: Slice) -> Watched:
        """All trials of a slice together, by day since their start."""
        return self._ask(("curve", asked), lambda s: curves.curve(s, asked, as_of=clock.now()))

    def curves(self, asked: Slice) -> Mapping[Period, Watched]:
        """The trials of each period, by day since their start."""
        return self._ask(("curves", asked), lambda s: curves.curves(s, asked, as_of=clock.now()))

    def curves_by(self, asked: Slice, dim: str) -> Mapping[str, Watched]:
        """The trials of a slice by the values of a dimension, by day since their start."""
        return self._ask(
            ("curves by", asked, dim), lambda s: curves.curves_by(s, asked, dim, as_of=clock.now())
        )

    def reasons(self, asked: Slice) -> Sequence[Reason]:
        """Why a slice's trials brought nothing."""
        return self._ask(("reasons", asked), lambda s: why.reasons(s, asked))

    def walked(self, asked: Slice) -> Sequence[funnel.Cell]:
        """Who signed up as a slice says, counted by how far they came."""
        return self._ask(("walked", asked), lambda s: funnel.walked(s, asked))

    def walked_by(self, asked: Slice, dim: str) -> Mapping[str, Sequence[funnel.Cell]]:
        """The same by the values of a dimension."""
        return self._ask(("walked by", asked, dim), lambda s: funnel.walked_by(s, asked, dim))

    def forecast(self) -> Forecast:
        """What to expect of the trials that run now."""
        return self._ask("forecast", lambda s: forecast.now(s, clock.now()))

    def forecasts(self, months: int) -> Sequence[Forecast]:
        """What was expected on the first day of the last months, and what came."""
        past = periods.last("month", months, until=clock.now(), zone=config.settings().zone)
        return self._ask(("forecasts", months), lambda s: forecast.tried(s, past, clock.now()))

    def prices(self) -> Mapping[str, Priced]:
        """Every price by its id."""
        return self._ask("prices", conversion.prices)

    def plan_names(self) -> dict[str, str]:
        """Every plan's name by its product id."""
        return self._ask("plans", conversion.plan_names)

    def payments(self, asked: Asked) -> Numbers:
        """What became of the payments of a question."""
        return self._ask(("payments", asked), lambda s: dunning.read(s, asked, as_of=clock.now()))

    def recovered_by_day(self, asked: Asked) -> Watched:
        """The failed payments of a question by day since their first failure."""
        numbers = self.payments(asked)
        return self._ask(("recovered", asked), lambda s: dunning_curve.watched(s, numbers))

    def tried(self) -> tuple[Mapping[str, int], Sequence[str]]:
        """In which currencies payments were tried, with how many, and of which plans."""
        return self._ask("tried", lambda s: (dunning.currencies(s), dunning.plans(s)))

    def mrr_currencies(self) -> Sequence[str]:
        """The currencies in which there ever was any MRR, that of most customers first."""
        return self._ask("mrr currencies", lambda s: revenue_history.options(s, clock.now()).currencies)

    def on_the_way(self, goal: Kept) -> Walked:
        """Where a goal's measure stands, and what became known of it since the goal was set."""
        about, zone = (goal.measure, goal.currency, goal.begins), config.settings().zone
        return self._ask(("goal", *about), lambda s: goals.walked(s, *about, as_of=clock.now(), zone=zone))

    def at_stake(self) -> Mapping[str, AtStake]:
        """What open failed payments of subscriptions that have not ended still ask for, by currency."""
        return self._ask("at stake", lambda s: recovery.open_failures(s).at_stake)

    def mrr_of(
        self, wanted: CustomerFilter, where: Sequence[Condition], until: int | None
    ) -> Mapping[str, int]:
        """What all customers of a filter pay in a month: micros by currency; `until` as in `search.page`."""
        return self._ask(f"mrr {wanted} {until}", lambda s: search.mrr(s, where, until=until))

    def disputed_by(
        self, wanted: CustomerFilter, where: Sequence[Condition], until: int | None
    ) -> Mapping[str, int]:
        """What all customers of a filter dispute: minor units by currency."""
        return self._ask(f"disputed {wanted} {until}", lambda s: search.disputed(s, where, until=until))

    def usual_window(self) -> int:
        """The days after its start within which a trial is usually decided here."""
        return self._ask(
            "window", lambda s: conversion.usual_window(conversion.typical_days(s, as_of=clock.now()))
        )

    def _ask(self, question: Hashable, answer: Answer[T]) -> T:
        return kept.ask((self._database, self._role, question), self._version, answer)
