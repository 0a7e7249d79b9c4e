"""Months: how much fails at the first try, how much of it comes back, and what became of the rest?"""

from __future__ import annotations

from typing import Literal

import streamlit as st

from pages.components import charts, charts_recovery, formats, plotted
from pages.components.charts_marks import marked
from pages.components.plotted import Sheet
from pages.components.recovery_view import View
from pages.components.recovery_words import STATES
from services import money
from services.metrics.definitions import DEFINITIONS
from services.metrics.recovery.dunning import Cohort, Payments
from services.metrics.recovery.recovery import CAME_TO

_HEADER = (
    "month", "open", "passed", "passed_amount", "failed", "failed_amount",
    *(f"{state}{unit}" for state in CAME_TO for unit in ("", "_amount")), "currency",
)  # fmt: skip


def draw(view: View) -> None:
    """The three charts, and the same as a table."""
    cohorts = view.numbers.cohorts
    if not any(one.failure.whole for one in cohorts):
        st.caption("No data: no such payment was tried in these months.")
        return
    _failures(view)
    _recoveries(view)
    _states(view)
    with st.expander("The same as a table"):
        st.table([_row(view, one) for one in reversed(cohorts)], border="horizontal", hide_index=True)


def _sheet(view: View) -> Sheet:
    """All charts are drawn from the same numbers."""
    return Sheet(_HEADER, [_line(view, one) for one in view.numbers.cohorts])


def _line(view: View, one: Cohort) -> tuple[object, ...]:
    sums = (one.passed, one.failed, *(one.states[state] for state in CAME_TO))
    cells = (cell for each in sums for cell in _cells(each, view.currency))
    return (one.period.key, int(one.open), *cells, view.currency.upper())


def _cells(payments: Payments, currency: str) -> tuple[int, str]:
    return payments.count, str(money.units(payments.amount, currency))


def _failures(view: View) -> None:
    cohorts = view.numbers.cohorts
    plotted.head(
        view.person, "Failed at the first try", _sheet(view), "failure_rates", help=_help("failure_rate"),
        note="Of all that was tried to be charged in each month, the share whose first try failed.",
    )  # fmt: skip
    said = [f"{charts.month(one.period.key)} {_share(one.failure_volume.value, 1)}" for one in cohorts]
    made = charts_recovery.failure_rates(cohorts, view.currency)
    _chart(view, made, "failures", f"Failed at the first try, by volume: {', '.join(said)}")


def _recoveries(view: View) -> None:
    cohorts = view.numbers.cohorts
    plotted.head(
        view.person, "Recovered, by the month of the first failure", _sheet(view), "recovery_rates",
        help=_help("month_recovery_rate"),
        note="Of what first failed in each month, the share that is paid by now, by any means. A month that "
        "is still open shows what it can come to.",
    )  # fmt: skip
    said = [f"{charts.month(one.period.key)} {_recovery_words(one)}" for one in cohorts]
    made = charts_recovery.recovery_rates(cohorts, view.currency)
    _chart(view, made, "recoveries", f"Recovered, by volume: {', '.join(said)}")


def _states(view: View) -> None:
    cohorts = view.numbers.cohorts
    plotted.head(
        view.person, "What became of it", _sheet(view), "recovery_states", help=_help("lost"),
        note=f"The invoices' totals in {view.currency.upper()}, by the month of the first failure.",
    )  # fmt: skip
    alt = "Money that failed, by month and by what became of it: the table below says the same"
    _chart(view, charts_recovery.states(cohorts, view.currency), "money", alt)


def _chart(view: View, made: charts.Figure, name: str, alt: str) -> None:
    plotted.chart(marked(made, view.asked.periods, view.annotations()), name, alt)


def _help(key: str) -> str:
    return f"{DEFINITIONS[key].short} {DEFINITIONS[key].more}"


def _share(value: float | None, decimals: Literal[0, 1] = 0) -> str:
    return formats.NO_DATA.lower() if value is None else formats.percent(value, decimals=decimals)


def _recovery_words(one: Cohort) -> str:
    low, high = one.recovery_volume.value, one.possible_volume.value
    return f"still open, {_share(low)} to {_share(high)}" if one.open and low is not None else _share(low)


def _row(view: View, one: Cohort) -> dict[str, str]:
    def sums(payments: Payments) -> str:
        return f"{formats.money(payments.amount, view.currency)} ({formats.count(payments.count)})"

    return {
        "Month": charts.month(one.period.key),
        "Passed at once": sums(one.passed),
        "Failed": sums(one.failed),
        "Failed, of all": _share(one.failure_volume.value, 1),
        **{words: sums(one.states[state]) for state, words in STATES.items()},
        "Recovered, of failed": _recovery_words(one),
    }
