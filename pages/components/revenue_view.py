"""What does the Revenue page look at? Its filters, all in the address, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import streamlit as st

from models import Annotation
from pages.components import formats, worklist
from pages.components.conversion_view import any_of, choice, same
from pages.components.revenue_measures import Periods, RevenueMeasures
from services import clock, config, database
from services.customers.filters import country_label
from services.desk import annotating
from services.metrics import periods
from services.metrics.periods import Grain
from services.metrics.revenue import exchange
from services.metrics.revenue.revenue_history import Level, Movements, Options, View
from services.staff.roles import Person

_MONTHS = {"6 months": 6, "12 months": 12, "18 months": 18, "24 months": 24}
_WEEKS = 52 / 12  # in a month
_GRAINS: dict[str, Grain] = {"Months": "month", "Weeks": "week"}
_WIDTH = 140  # pixels: two beside each other on a phone
_ALL = "all"
Amount = int | Fraction


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at: the revenue `of` a view, in `periods` (weeks or months) and in `months`, oldest
    first; the last of both goes on. `elsewhere` is what stands in currencies that the view leaves out;
    `reporting` is the reporting currency ("" for none); `converts`: all is converted into it."""

    person: Person
    measures: RevenueMeasures
    of: View
    grain: Grain
    periods: Periods
    months: Periods
    plans: Mapping[str, str]
    exact_since: int | None
    elsewhere: Mapping[str, Level]
    reporting: str
    converts: bool

    @property
    def begins(self) -> int:
        """Where the first period begins (UTC seconds)."""
        return self.periods[0].begins

    @property
    def ends(self) -> int:
        """Where the last one ends (UTC seconds)."""
        return self.periods[-1].ends

    def movements(self) -> list[Movements]:
        """What each of the periods brought."""
        return self.measures.movements(self.of, self.periods)

    def money(self, micros: Amount | None) -> str:
        """An amount as people write it."""
        return formats.NO_DATA if micros is None else formats.micros(micros, self.of.currency)

    def change(self, micros: Amount) -> str | int:
        """A difference with its sign; 0 for none."""
        if not micros:
            return 0
        return f"{'+' if micros > 0 else '-'}{formats.micros(abs(micros), self.of.currency)}"

    def rough(self, micros: Amount) -> str:
        """An amount in few signs."""
        return formats.rough(micros, self.of.currency)

    def is_reconstructed(self, begins: int) -> bool:
        """Whether what began at an instant (UTC seconds) was not recorded as it happened."""
        return self.exact_since is None or begins < self.exact_since

    def called(self, dimension: str, value: str) -> str:
        """How a plan or a country is called."""
        if not value:
            return "Not known"
        if dimension == "plan":
            return self.plans.get(value, value)
        return country_label(value, config.settings().workspace_locale)

    def annotations(self) -> list[Annotation]:
        """What happened in the periods."""
        with database.session() as session:
            return annotating.between(session, self.person, self.begins, self.ends)


def draw(person: Person) -> Look | None:
    """Draws the filters; None where there was never any revenue to look at."""
    measures, now, zone = RevenueMeasures(person), clock.now(), config.settings().zone
    today = clock.day_start(now, zone, plus_days=1)
    offered = measures.offered(today)
    if not offered.currencies:
        return None
    plans = measures.plan_names()
    with database.session() as session:
        into = exchange.reporting(session)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = _MONTHS[choice("In the last", same(_MONTHS), "period", "12 months", width=_WIDTH)]
        grain = _GRAINS[choice("Movements by", same(_GRAINS), "grain", "Months", width=_WIDTH)]
        view, converts = _view(offered, plans, into)
    months = tuple(periods.last("month", number, until=now, zone=zone))
    weeks = tuple(periods.last("week", round(number * _WEEKS), until=now, zone=zone))
    return Look(
        person, measures, view, grain, months if grain == "month" else weeks, months, plans,
        measures.exact_since(), measures.left_out(view, today), into, converts,
    )  # fmt: skip


def _view(offered: Options, plans: Mapping[str, str], into: str) -> tuple[View, bool]:
    """The view, and whether it is of all currencies in the reporting currency `into`."""
    named = {id: plans.get(id, id) for id in offered.plans}
    countries = {code: country_label(code, config.settings().workspace_locale) for code in offered.countries}
    plan = choice("Plan", any_of(named), "plan", width=_WIDTH)
    codes = {code: code.upper() for code in worklist.currencies(offered.currencies, "currency") if code}
    converted = {_ALL: f"All in {into.upper()}"} if into and {*codes} != {into} else {}
    currency = choice("Currency", codes | converted, "currency", width=_WIDTH)
    country = choice("Country", any_of(countries), "country", width=_WIDTH)
    if currency != _ALL:
        return View(currency, plan, country), False
    day = clock.local(clock.now(), config.settings().zone).date().isoformat()
    with database.session() as session:
        rates = exchange.in_force(session, into, day)
    return View(into, plan, country, tuple(rates)), True
