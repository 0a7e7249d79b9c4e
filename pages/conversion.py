"""Conversion: who of those that try becomes a customer? Funnel and monthly cohorts, by plan and by source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from pages.components import address, behind, charts, formats, guard, tiles, worklist
from pages.components.measures import Measures
from services.metrics import conversion, funnel
from services.metrics.conversion import WINDOWS, Cohort, Cube, Group
from services.metrics.definitions import DEFINITIONS
from services.metrics.statistics import Rate, may_be_chance, percentile
from services.metrics.trials import Segment

_MONTHS = {"6 months": 6, "12 months": 12, "18 months": 18, "24 months": 24}
_ANY_TIME = "any time"
_WINDOWS: dict[str, int | None] = {f"{days} days": days for days in WINDOWS} | {_ANY_TIME: None}
_MOST_GROUPS = 12
_NARROWEST = 340  # pixels of a chart beside another; where there is no room one goes below


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the filters say: how many months, the window in days, and whose trials."""

    months: int
    window: int | None
    segment: Segment


def main() -> None:
    """One run of the page."""
    person = guard.enter("conversion")
    st.title("Conversion")
    measures = Measures(person)
    wanted = _filters(measures)
    everything = measures.trials(wanted.months)
    if not everything.cells:
        st.info("No trial has started yet. Conversion appears here with the first ones.")
        return
    cube = everything.only(wanted.segment)
    found = behind.asked(cube, wanted.window, wanted.segment, measures.plan_names())
    cohorts = cube.cohorts(wanted.window)
    _numbers(cube, cohorts, measures.days_to_convert(wanted.months, wanted.segment))
    _cohorts(cohorts, wanted)
    _funnel(measures.walkers(wanted.months), wanted)
    _groups(cube, measures.plan_names(), wanted)
    st.caption(
        f"Months are cut in {formats.zone_name()}. A click on a bar, a point or a number of trials shows its "
        "customers."
    )
    tiles.definitions_link()
    if found is not None:
        behind.show(found)


def _filters(measures: Measures) -> Wanted:
    names = measures.plan_names()
    cells = measures.trials(max(_MONTHS.values())).cells
    plans = {id: names.get(id, id) for id in {cell.plan for cell in cells if cell.plan}}
    sources = {cell.source: cell.source for cell in cells if cell.source}
    codes = sorted({cell.currency for cell in cells if cell.currency})
    usual = f"{measures.usual_window()} days"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        months = _choice("Started in the last", _same(_MONTHS), "period", "12 months")
        window = _choice(
            "Converted within", _same(_WINDOWS), "within", usual, DEFINITIONS["cohort_rate"].short
        )
        plan = _choice("Plan", _any_of(plans), "plan")
        source = _choice("Source", _any_of(sources), "source")
        offered = worklist.currencies(codes, "currency")
        currency = _choice("Currency", {code: code.upper() or worklist.ALL for code in offered}, "currency")
    return Wanted(_MONTHS[months], _WINDOWS[window], Segment(plan, source, currency))


def _choice(
    label: str, options: Mapping[str, str], key: str, usual: str = "", help: str | None = None
) -> str:
    """Draws a choice between the options, which are shown and stand in the address by their words."""
    address.expect(key, list(options.values()))
    return st.selectbox(
        label, list(options), list(options).index(usual), key=key, format_func=options.__getitem__,
        bind="query-params", width=166, help=help,
    )  # fmt: skip


def _same(words: Iterable[str]) -> dict[str, str]:
    return {word: word for word in words}


def _any_of(names: Mapping[str, str]) -> dict[str, str]:
    """All, or one of these by its name, in the order of the names."""
    by_name = sorted(worklist.distinct(names, worklist.ALL).items(), key=lambda one: one[1])
    return {"": worklist.ALL, **dict(by_name)}


def _numbers(cube: Cube, cohorts: list[Cohort], days: Sequence[int]) -> None:
    last, before = conversion.last_closed(cohorts)
    name = f"Converted, {charts.month(last.period.key)}" if last else DEFINITIONS["cohort_rate"].title
    with tiles.row():
        with _tile(f"cohort:{last.period.key}" if last else "", last.rate.whole if last else 0):
            _rate(name, last.rate if last else Rate(0, 0), "cohort_rate", before)
        recent, started = cube.period_rate(), sum(cohort.started for cohort in cohorts)
        with _tile("number:recent", recent.whole):
            _rate("30-day rate", recent, "period_rate")
        with _tile("number:converted", len(days)):
            _count("Days to convert", percentile(days, 0.5), _told_days(days))
        with _tile("number:started", started):
            _count("Trials started", started, "In the months below.")
        with _tile("number:running", running := cube.count("running")):
            _count("Still running", running, "Not over, or the first invoice is still a draft.")


@contextmanager
def _tile(show: str, trials: int) -> Iterator[None]:
    """A number on a tile, with the way to the trials that it counts; none where it counts none."""
    with tiles.frame():
        yield
        if trials:
            st.button(
                formats.plural(trials, "trial"), key=f"rows:{show}", type="tertiary", on_click=behind.open,
                args=(show,), icon=":material/chevron_right:", icon_position="right",
            )  # fmt: skip


def _told_days(days: Sequence[int]) -> str:
    if (most := percentile(days, 0.9)) is None:
        return DEFINITIONS["days_to_convert"].short
    said = f"Nine of ten: {formats.plural(most, 'day')}. {formats.plural(len(days), 'conversion')}."
    return f"The median. {said} {DEFINITIONS['days_to_convert'].more}"


def _count(label: str, number: int | None, help: str) -> None:
    value = formats.NO_DATA if number is None else formats.count(number)
    st.metric(label, value, help=help)


def _rate(label: str, rate: Rate, key: str, before: Cohort | None = None) -> None:
    said = [DEFINITIONS[key].short, f"{formats.count(rate.part)} of {formats.count(rate.whole)}."]
    if held := rate.interval:
        said.append(f"95 % interval: {held.low:.0%} to {held.high:.0%}.")
    change, chance = None, before is None or may_be_chance(rate, before.rate)
    if before and before.rate.value is not None and rate.value is not None:
        change = f"{100 * (rate.value - before.rate.value):+.1f} points"
        said.append(f"The change is since {charts.month(before.period.key)}{'; it may be chance' * chance}.")
    st.metric(
        label, formats.share(rate.part, rate.whole), change, help=formats.plain(" ".join(said)),
        delta_color="off" if chance else "normal",
    )  # fmt: skip


def _cohorts(cohorts: list[Cohort], wanted: Wanted) -> None:
    st.subheader("Trials by the month of their start", help=DEFINITIONS["cohort_rate"].more)
    if not any(cohort.started for cohort in cohorts):
        st.caption("No data: no such trial started in these months.")
        return
    within = f"within {wanted.window} days of the start" if wanted.window else "at any time"
    st.caption(f"Share converted {within}. Whiskers are 95 % intervals; open months can still rise.")
    charts.draw(
        charts.cohort_rates(cohorts),
        key=behind.chart_key("rates"),
        alt=_told_rates(cohorts),
        on_pick=behind.pick,
    )
    later = ", conversions after the window included" if wanted.window else ""
    st.caption(f"What became of them, in trials{later}")
    charts.draw(
        charts.cohort_states(cohorts), key=behind.chart_key("states"), on_pick=behind.pick,
        alt="Stacked bars: trials of each month by what became of them; the table below says the same.",
    )  # fmt: skip
    with st.expander("The same as a table"):
        st.table([_cohort_row(cohort) for cohort in reversed(cohorts)], border="horizontal", hide_index=True)


def _told_rates(cohorts: list[Cohort]) -> str:
    said = [f"{charts.month(one.period.key)} {_rate_words(one)}" for one in cohorts]
    return "Share of trials converted, by month of their start: " + ", ".join(said)


def _rate_words(cohort: Cohort) -> str:
    return "still open" if cohort.open else formats.share(cohort.rate.part, cohort.rate.whole)


def _cohort_row(cohort: Cohort) -> dict[str, str]:
    held = cohort.rate.interval
    return {
        "Month": charts.month(cohort.period.key),
        "Started": formats.count(cohort.started),
        "Converted in time": formats.count(cohort.rate.part),
        "Share": _rate_words(cohort),
        "95 % interval": f"{held.low:.0%} to {held.high:.0%}"
        if held and not cohort.open
        else formats.NOTHING,
        **{words: formats.count(cohort.states[state]) for state, words in charts.STATE_WORDS.items()},
    }


def _funnel(walkers: Sequence[funnel.Cell], wanted: Wanted) -> None:
    st.subheader("From sign-up to paying customer", help=DEFINITIONS["funnel"].more)
    mine = [cell for cell in walkers if wanted.segment.holds(cell.plan, cell.source, cell.currency)]
    if not mine:
        st.caption("Nobody signed up in these months.")
        return
    grid = st.grid(2, gap="large", min_column_width=_NARROWEST)
    with grid.cell():
        _path(funnel.steps(mine, "trial"), "trial", "Everybody who signed up, through a trial")
    with grid.cell():
        _path(funnel.steps(mine, "direct"), "direct", "Without a trial, straight to paying")


def _path(steps: list[funnel.Step], path: str, words: str) -> None:
    st.caption(f"{words}. The share is of those who signed up.")
    alt = f"{words}: " + ", ".join(f"{charts.state_word(step.name)} {step.count}" for step in steps)
    charts.draw(
        charts.funnel(steps, path), key=behind.chart_key(f"funnel_{path}"), alt=alt, on_pick=behind.pick
    )


def _groups(cube: Cube, plans: Mapping[str, str], wanted: Wanted) -> None:
    grid = st.grid(2, gap="large", min_column_width=_NARROWEST)
    with grid.cell():
        _group("By plan", cube.by("plan", wanted.window), "plan", plans)
    with grid.cell():
        _group("By source", cube.by("source", wanted.window), "source", {})


def _group(title: str, found: list[Group], kind: str, names: Mapping[str, str]) -> None:
    st.subheader(title)
    if not found:
        st.caption("No data: no month is old enough yet.")
        return
    shown, more = found[:_MOST_GROUPS], f" The {_MOST_GROUPS} largest." * (len(found) > _MOST_GROUPS)
    st.caption(f"Months that are no longer open, taken together; trials in brackets.{more}")
    said = (
        f"{names.get(one.key, one.key) or 'not given'} {formats.share(one.rate.part, one.rate.whole)}"
        for one in shown
    )
    figure = charts.groups(shown, kind, names)
    charts.draw(
        figure, key=behind.chart_key(f"{kind}s"), alt=f"{title}: {', '.join(said)}", on_pick=behind.pick
    )


main()
