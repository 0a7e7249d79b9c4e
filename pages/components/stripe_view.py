"""How is Stripe's page set up, and which number is looked at? All in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import streamlit as st

from pages.components import worklist
from pages.components.conversion_view import choice
from pages.components.revenue_measures import RevenueMeasures
from services import clock, config, database
from services.metrics.revenue import exchange
from services.metrics.revenue.bridge import Discounts, Rules
from services.metrics.revenue.exchange import Rate
from services.staff.roles import Person

_DISCOUNTS: dict[Discounts, str] = {
    "forever": "forever (usual)",
    "repeating": "forever and repeating",
    "all": "all, of one invoice too",
    "none": "none",
}
_DAYS = {"0": "this moment", "1": "yesterday", "2": "two days ago", "3": "three days ago"}
_LEAVERS = {"end": "at the period’s end", "once": "when they cancel"}
_WIDTH = 210  # pixels


@dataclass(frozen=True, slots=True)
class StripeView:
    """What is looked at: one currency (the one that Stripe's page shows), and how that page counts."""

    person: Person
    measures: RevenueMeasures
    currency: str
    rules: Rules
    rates: tuple[Rate, ...]

    @property
    def weights(self) -> Mapping[str, Fraction]:
        """What a unit of each other currency is in this one."""
        return {rate.currency: rate.weight for rate in self.rates}


def draw(person: Person) -> StripeView | None:
    """Draws the choices; None where there was never any revenue."""
    measures, zone = RevenueMeasures(person), config.settings().zone
    now = clock.now()
    offered = measures.offered(clock.day_start(now, zone, plus_days=1))
    codes = {code: code.upper() for code in worklist.currencies(offered.currencies, "currency") if code}
    if not codes:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        currency = choice("Stripe shows amounts in", codes, "currency", width=_WIDTH)
        discounts = choice("It deducts discounts", _DISCOUNTS, "discounts", width=_WIDTH)
        leavers = choice("Who cancels is gone", _LEAVERS, "leavers", width=_WIDTH)
        back = choice("Its chart ends", _DAYS, "ends", "1", width=_WIDTH)
    day = clock.day_start(now, zone, plus_days=1 - int(back)) if back != "0" else None
    today = clock.local(now, zone).date().isoformat()
    rules = Rules(_kind(discounts), leavers == "once", day)
    with database.session() as session:
        rates = exchange.in_force(session, currency, today)
    return StripeView(person, measures, currency, rules, tuple(rates))


def _kind(word: str) -> Discounts:
    return next(kind for kind in _DISCOUNTS if kind == word)
