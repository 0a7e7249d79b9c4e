"""The numbers behind the Overview and the Conversion page, computed once for each change of the data.

An answer belongs to a database, a role, the version of the data and ten minutes of the clock (a trial grows
older without anything changing). See services/metrics/kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from services import clock, config, database
from services.metrics import conversion, funnel, kept, overview, periods, version
from services.metrics.conversion import Cube
from services.metrics.kept import Answer
from services.metrics.overview import Overview
from services.staff.roles import Person

T = TypeVar("T")
_TICK = 600  # seconds


def glance(person: Person) -> Overview:
    """Today at a glance."""
    return _ask(
        person, "overview", lambda s: overview.read(s, as_of=clock.now(), zone=config.settings().zone)
    )


def trials(person: Person, months: int) -> Cube:
    """All trials counted, with the last `months` as cohorts."""
    cohorts = last_months(months)
    return _ask(person, f"trials {months}", lambda s: conversion.cube(s, cohorts, as_of=clock.now()))


def walkers(person: Person, months: int) -> Sequence[funnel.Cell]:
    """Everybody who signed up in the last `months`, counted by how far they came."""
    signed_up = last_months(months)
    return _ask(person, f"walkers {months}", lambda s: funnel.cells(s, signed_up, as_of=clock.now()))


def plan_names(person: Person) -> dict[str, str]:
    """Every plan's name by its product id."""
    return _ask(person, "plans", conversion.plan_names)


def usual_window(person: Person) -> int:
    """The days after its start within which a trial is usually decided here."""
    return _ask(
        person, "window", lambda s: conversion.usual_window(conversion.typical_days(s, as_of=clock.now()))
    )


def last_months(months: int) -> list[periods.Period]:
    """The last `months` in the workspace's zone, oldest first, the running one included."""
    return periods.last("month", months, until=clock.now(), zone=config.settings().zone)


def _ask(person: Person, question: str, answer: Answer[T]) -> T:
    with database.session() as session:
        current = (version.data_version(session), clock.now() // _TICK)
    return kept.ask((str(database.engine().url), person.role, question), current, answer)
