"""MRR day by day, and what moved it in each period: as bars, and as a table that adds up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import streamlit as st

from pages.components import address, charts, charts_revenue, formats, palette, plotted
from pages.components.charts_marks import marked
from pages.components.charts_revenue import Layer, Line
from pages.components.plotted import Sheet
from pages.components.revenue_view import Amount, Look
from pages.components.revenue_words import LEVELS, MOVES
from services import clock, config, money
from services.customers import export
from services.metrics.definitions import DEFINITIONS
from services.metrics.revenue.revenue_history import Level, Movements
from services.money import MICROS

_BESIDE = {"Committed MRR": "committed", "Trial MRR": "trial"}


def draw(look: Look) -> None:
    """Both charts and the table."""
    _line(look)
    found = look.movements()
    _bars(look, found)
    with st.expander("The same as a table", expanded=len(found) <= 12):
        st.table([_row(look, one) for one in reversed(found)], border="horizontal", hide_index=True)


def units(micros: Amount, currency: str) -> str:
    """An amount for a file: in units of the currency, rounded once."""
    return export.Number(f"{money.units(money.whole(micros), currency):f}")


def height(micros: Amount) -> float:
    """An amount for a chart: in units of the currency's smallest."""
    return float(micros / MICROS)


def _line(look: Look) -> None:
    days = look.measures.daily(look.of, look.begins, look.ends)
    header = ("day", "currency", "mrr", "committed_mrr", "trial_mrr", "customers", "exact")
    sheet = Sheet(header, [_cells(look, day, level) for day, level in _each_day(days)])
    plotted.head(
        look.person,
        "MRR day by day",
        sheet,
        "mrr_by_day",
        help=DEFINITIONS["mrr"].short,
        note=_told_exact(look),
    )
    address.expect("beside", list(_BESIDE))
    beside = st.pills(
        "Beside it", list(_BESIDE), selection_mode="multi", key="beside", bind="query-params",
        help=f"{DEFINITIONS['committed_mrr'].short} {DEFINITIONS['trial_mrr'].short}",
    )  # fmt: skip
    lines = [_of(look, days, name) for name in ("mrr", *(_BESIDE[each] for each in beside))]
    exact = look.exact_since
    until = charts_revenue.place(exact if exact else look.ends, look.periods)
    made = charts_revenue.levels(lines, look.periods, look.of.currency, until)
    alt = (
        f"MRR day by day: {look.money(days[0][1].mrr)} at first, {look.money(days[-1][1].mrr)} now"
        if days
        else ""
    )
    charts.draw(
        marked(made, look.periods, look.annotations()), key="mrr_line", alt=alt or "MRR day by day: none"
    )


def _each_day(days: Sequence[tuple[int, Level]]) -> Iterator[tuple[int, Level]]:
    """Every day up to today, those too on which nothing moved."""
    zone, ends = config.settings().zone, [*(day for day, _ in days[1:]), clock.now() + 1]
    for (day, level), until in zip(days, ends, strict=False):  # without days there is only an end
        while day < until:
            yield day, level
            day = clock.day_start(day, zone, plus_days=1)


def _told_exact(look: Look) -> str:
    if look.exact_since is None or look.exact_since >= look.ends:
        return "Reconstructed from invoices: the account was not read as a whole yet."
    if look.is_reconstructed(look.begins):
        since = formats.day(look.exact_since)
        return f"Recorded as it happened since {since}; before, reconstructed from invoices."
    return "Recorded as it happened."


def _cells(look: Look, day: int, level: Level) -> tuple[object, ...]:
    amounts = (units(each, look.of.currency) for each in (level.mrr, level.committed, level.trial))
    exact = int(not look.is_reconstructed(day))
    return (_iso(day), look.of.currency.upper(), *amounts, level.customers, exact)


def _iso(day: int) -> str:
    return clock.local(day, config.settings().zone).date().isoformat()


def _of(look: Look, days: Sequence[tuple[int, Level]], name: str) -> Line:
    points, said = [], []
    for day, level in days:
        amount: Amount = getattr(level, name)
        points.append((charts_revenue.place(day, look.periods), height(amount)))
        guessed = "<br>reconstructed" if look.is_reconstructed(day) else ""
        said.append(f"{formats.day(day)}<br>{LEVELS[name]} {look.money(amount)}{guessed}")
    if points:
        points.append((charts_revenue.place(min(clock.now(), look.ends - 1), look.periods), points[-1][1]))
        said.append(f"Now<br>{LEVELS[name]} {look.money(getattr(days[-1][1], name))}")
    return Line(LEVELS[name], points, said)


def _bars(look: Look, found: Sequence[Movements]) -> None:
    header = (look.grain, "currency", "start", *MOVES, "end", "customers_start", "customers_end")
    sheet = Sheet(header, [_sums(look, one) for one in found])
    plotted.head(
        look.person, "What moved MRR", sheet, "mrr_movements", help=DEFINITIONS["movements"].short,
        note=f"{look.grain.capitalize()} by {look.grain}, up and down. The last {look.grain} goes on. Each "
        "amount is rounded by itself: exact parts add up, what is shown can differ in its last digit.",
    )  # fmt: skip
    layers = [_layer(look, found, kind) for kind in MOVES]
    made = charts_revenue.stacked(
        [layer for layer in layers if any(layer.heights)], look.periods, currency=look.of.currency,
        totals=[f"{'+' if one.net > 0 else ''}{look.rough(one.net)}" for one in found],
    )  # fmt: skip
    said = [f"{charts.period(one.period.key)} {look.change(one.net)}" for one in found]
    alt = f"Change of MRR: {', '.join(said)}; the table below says the same"
    plotted.chart(marked(made, look.periods, look.annotations()), "moves", alt)


def _layer(look: Look, found: Sequence[Movements], kind: str) -> Layer:
    said = []
    for one in found:
        people = f" ({formats.plural(abs(one.people[kind]), 'customer')})" if one.people[kind] else ""
        amount = look.change(one.moved[kind])
        said.append(f"{charts.period(one.period.key)}<br>{MOVES[kind]}: {amount}{people}")
    rows = [f"moves:{one.period.key}:{kind}" for one in found]
    return Layer(MOVES[kind], palette.of_move(kind), [height(one.moved[kind]) for one in found], said, rows)


def _sums(look: Look, one: Movements) -> tuple[object, ...]:
    code = look.of.currency
    moved = (units(one.moved[kind], code) for kind in MOVES)
    people = (one.before.customers, one.after.customers)
    start, end = units(one.before.mrr, code), units(one.after.mrr, code)
    return (one.period.key, code.upper(), start, *moved, end, *people)


def _row(look: Look, one: Movements) -> dict[str, str]:
    kinds = [kind for kind in MOVES if kind != "switch" or look.of.plan]
    return {
        look.grain.capitalize(): charts.begin(one.period.key),
        "MRR at its start": look.money(one.before.mrr),
        **{MOVES[kind]: _signed(look, one.moved[kind]) for kind in kinds},
        "Net": _signed(look, one.net),
        "MRR at its end": look.money(one.after.mrr),
        "Customers": formats.count(one.after.customers),
    }


def _signed(look: Look, micros: Amount) -> str:
    return str(look.change(micros) or formats.NOTHING)
