"""The numbers behind the Overview and the Conversion page, computed once for each change of the data.

Kept under: the database, the version of its data, who may see it, and the ten minutes of the clock (a trial
grows older without anything changing).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar, cast

import streamlit as st
from sqlmodel import Session

from services import clock, config, database
from services.metrics import conversion, funnel, overview, periods, version
from services.metrics.conversion import Cube
from services.metrics.overview import Overview
from services.staff.roles import Person

T = TypeVar("T")
_TICK = 600  # seconds
_KEPT = 64


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


def _ask(person: Person, question: str, answer: Callable[[Session], T]) -> T:
    with database.session() as session:
        under = (str(database.engine().url), version.data_version(session), person.role, clock.now() // _TICK)
        return cast("T", _kept((question, *under), lambda: answer(session)))


@st.cache_data(max_entries=_KEPT, show_spinner=False)
def _kept(under: tuple[Hashable, ...], _answer: Callable[[], Any]) -> Any:  # noqa: ARG001 - it is the key
    return _answer()
