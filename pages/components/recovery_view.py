"""What does the Recovery page look at? Its filters, all in the address, and the numbers under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from models import Annotation
from pages.components import worklist
from pages.components.conversion_view import any_of, choice, same
from pages.components.measures import Measures
from pages.components.recovery_words import NOT_GIVEN
from services import clock, config, database
from services.desk import annotating
from services.metrics import periods
from services.metrics.recovery.dunning import Asked, Numbers
from services.staff.roles import Person

_MONTHS = {"6 months": 6, "12 months": 12, "18 months": 18, "24 months": 24}
_NO_PLAN = "\0"  # what no product id can be
_WIDTH = 132  # pixels: two beside each other on a phone


@dataclass(frozen=True, slots=True)
class View:
    """The payments that are looked at, and all about them; `plans` are names by product id."""

    person: Person
    measures: Measures
    plans: Mapping[str, str]
    numbers: Numbers

    @property
    def asked(self) -> Asked:
        """Which payments these are."""
        return self.numbers.asked

    @property
    def currency(self) -> str:
        """Their currency."""
        return self.asked.currency

    def annotations(self) -> list[Annotation]:
        """What happened in these months."""
        begins, ends = self.asked.periods[0].begins, self.asked.periods[-1].ends
        with database.session() as session:
            return annotating.between(session, self.person, begins, ends)


def draw(person: Person) -> View | None:
    """Draws the filters; None where no payment was ever tried."""
    measures = Measures(person)
    currencies, plans = measures.tried()
    if not currencies:
        return None
    names = measures.plan_names()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        period = choice("First tried in the last", same(_MONTHS), "period", "12 months", width=_WIDTH)
        plan = choice("Plan", any_of(_called(plans, names)), "plan", width=_WIDTH)
        offered = [code for code in worklist.currencies(currencies, "currency") if code]
        currency = choice("Currency", {code: code.upper() for code in offered}, "currency", width=_WIDTH)
    these = tuple(periods.last("month", _MONTHS[period], until=clock.now(), zone=config.settings().zone))
    wanted = {"": None, _NO_PLAN: ""}.get(plan, plan)
    return View(person, measures, names, measures.payments(Asked(currency, these, wanted)))


def _called(plans: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    return {id or _NO_PLAN: names.get(id, id) if id else NOT_GIVEN for id in plans}
