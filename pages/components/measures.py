"""The numbers behind the Overview and the Conversion page, computed once for each change of the data.

An answer belongs to a database, a role, the version of the data and ten minutes of the clock (a trial grows
older without anything changing). See services/metrics/kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from services import clock, config, database
from services.customers import search
from services.customers.conditions import Condition
from services.customers.filters import CustomerFilter
from services.metrics import conversion, funnel, kept, overview, periods, version
from services.metrics.conversion import Cube
from services.metrics.kept import Answer
from services.metrics.overview import Overview
from services.metrics.trials import Segment
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

    def trials(self, months: int) -> Cube:
        """All trials counted, with the last `months` as cohorts."""
        cohorts = _last(months)
        return self._ask(f"trials {months}", lambda s: conversion.cube(s, cohorts, as_of=clock.now()))

    def walkers(self, months: int) -> Sequence[funnel.Cell]:
        """Everybody who signed up in the last `months`, counted by how far they came."""
        signed_up = _last(months)
        return self._ask(f"walkers {months}", lambda s: funnel.cells(s, signed_up, as_of=clock.now()))

    def days_to_convert(self, months: int, segment: Segment) -> Sequence[int]:
        """How long the conversions of the last `months` took, in ascending days."""
        started = _last(months)
        return self._ask(
            f"days {months} {segment}",
            lambda s: conversion.days_to_convert(s, started, as_of=clock.now(), segment=segment),
        )

    def plan_names(self) -> dict[str, str]:
        """Every plan's name by its product id."""
        return self._ask("plans", conversion.plan_names)

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

    def _ask(self, question: str, answer: Answer[T]) -> T:
        return kept.ask((self._database, self._role, question), self._version, answer)


def _last(months: int) -> list[periods.Period]:
    return periods.last("month", months, until=clock.now(), zone=config.settings().zone)
