"""Who stayed, and with how much, of those who first paid in one month?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages.components import charts, charts_retention, formats, plotted
from pages.components.plotted import Sheet
from pages.components.revenue_mrr import units
from pages.components.revenue_view import Amount, Look
from services.metrics.definitions import DEFINITIONS
from services.metrics.revenue.retention import Retained

_FRAMED = "Framed is the month that goes on."


def draw(look: Look) -> None:
    """Both heat maps: customers, and their MRR."""
    months = look.months
    found = [(one, month) for one, month in zip(_cohorts(look), months, strict=False) if one.started]
    if look.of.plan:
        st.caption("Cohorts are of customers, whatever plan they pay: the filter of plans has no say here.")
    if not found:
        st.caption("No data: nobody first paid in these months.")
        return
    cohorts, keys = [one for one, _ in found], [month.key for _, month in found]
    _customers(look, cohorts, keys)
    _revenue(look, cohorts, keys)


def _cohorts(look: Look) -> list[Retained]:
    return look.measures.cohorts(look.of, look.months, look.ends)


def _customers(look: Look, cohorts: Sequence[Retained], keys: Sequence[str]) -> None:
    sheet = Sheet(
        ("cohort", "months_since", "customers", "started", "share"),
        [
            (key, at, number, one.started, f"{number / one.started:.4f}")
            for one, key in zip(cohorts, keys, strict=True)
            for at, number in enumerate(one.customers)
        ],
    )
    plotted.head(
        look.person, "Customers who stayed", sheet, "customers_kept",
        help=DEFINITIONS["kept_customers_rate"].short,
        note=f"Of those who first paid in the month (in brackets), the share that pays. {_FRAMED}",
    )  # fmt: skip
    names = [
        f"{charts.begin(key)} ({formats.count(one.started)})" for one, key in zip(cohorts, keys, strict=True)
    ]
    shares = [[number / one.started for number in one.customers] for one in cohorts]

    def said(row: int, at: int) -> str:
        one = cohorts[row]
        part, whole = formats.count(one.customers[at]), formats.count(one.started)
        share = formats.share(one.customers[at], one.started)
        return f"{_when(keys[row], at)}<br>{share}: {part} of {whole} customers"

    _chart("kept", names, shares, said, keys, "Share of customers who stayed")


def _revenue(look: Look, cohorts: Sequence[Retained], keys: Sequence[str]) -> None:
    code = look.of.currency
    sheet = Sheet(
        ("cohort", "months_since", "mrr", "mrr_at_first", "currency", "share"),
        [
            (key, at, units(mrr, code), units(one.new, code), code.upper(), f"{float(mrr / one.new):.4f}")
            for one, key in zip(cohorts, keys, strict=True)
            for at, mrr in enumerate(one.mrr)
        ],
    )
    plotted.head(
        look.person, "Revenue that stayed", sheet, "revenue_kept",
        help=DEFINITIONS["kept_revenue_rate"].short,
        note="MRR of the same customers, of what they first came to (in brackets); above 100 % they grew. "
        f"{_FRAMED}",
    )  # fmt: skip
    names = [f"{charts.begin(key)} ({look.rough(one.new)})" for one, key in zip(cohorts, keys, strict=True)]
    shares = [[_part(mrr, one.new) for mrr in one.mrr] for one in cohorts]

    def said(row: int, at: int) -> str:
        one = cohorts[row]
        share = formats.share(one.mrr[at], one.new)
        return f"{_when(keys[row], at)}<br>{share}: {look.money(one.mrr[at])} of {look.money(one.new)}"

    _chart("kept_mrr", names, shares, said, keys, "Share of MRR that stayed")


def _part(mrr: Amount, new: Amount) -> float:
    return float(mrr / new)


def _when(key: str, months: int) -> str:
    return f"First paid in {charts.month(key)}, {formats.plural(months, 'month')} on"


def _chart(
    name: str,
    names: Sequence[str],
    shares: Sequence[Sequence[float]],
    said: Callable[[int, int], str],
    keys: Sequence[str],
    title: str,
) -> None:
    made = charts_retention.heat(names, shares, said, lambda row, at: f"kept:{keys[row]}:{at}")
    told = [f"{label} {formats.percent(row[-1])}" for label, row in zip(names, shares, strict=True)]
    plotted.chart(made, name, f"{title}, by now: {', '.join(told)}")
