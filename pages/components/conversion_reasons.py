"""Why not: how did the trials end that brought nothing, for what reason, and what would they have paid?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from pages.components import (
    charts,
    charts_reasons,
    conversion_words,
    formats,
    navigation,
    palette,
    plotted,
    tables,
)
from pages.components.charts_marks import marked
from pages.components.charts_reasons import Layer
from pages.components.conversion_view import View, same, segments
from pages.components.plotted import Sheet
from pages.components.tables import Column
from services import database
from services.customers import names as codes
from services.metrics.definitions import DEFINITIONS
from services.metrics.trials import why
from services.metrics.trials.why import Comment, Reason

Cause = tuple[str, str]  # state, and code where reasons are told apart
_STATES = ("missed_payment", "cancelled_in_trial", "expired")
_HOW, _WHY = "How they ended", "Reasons"
_MOST_PLANS = 8
_COMMENTS = (
    Column("title", "Customer", width=180, pinned=True),
    Column("comment", "Comment", width=420),
    Column("feedback", "Reason chosen"),
    Column("plan", "Plan"),
    Column("micros", "A month", "micros", help="What the plan would have come to in a month."),
    Column("canceled_at", "Canceled", "day"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is stacked: a name and a colour for each cause that is told apart; None gathers all others."""

    name: str
    colour: str
    cause: Cause | None


def draw(view: View) -> None:
    """Over time, by plan, what was at stake, and what customers wrote."""
    found = view.measures.reasons(view.asked)
    split = segments("What to tell apart", same((_HOW, _WHY)), "split")
    causes = _by_state if split == _HOW else _by_code
    kinds = _kinds(found, split == _WHY)
    _over_time(view, found, kinds, causes)
    if found:
        _by_plan(view, found, kinds, causes)
        _at_stake(found)
        _comments(view)


def _by_state(reason: Reason) -> Cause:
    return reason.state, ""


def _by_code(reason: Reason) -> Cause:
    return reason.state, reason.why


def _kinds(found: Sequence[Reason], by_code: bool) -> list[Kind]:
    if not by_code:
        return [Kind(charts.STATE_WORDS[s], palette.of_state(s), (s, "")) for s in _STATES]
    counted: Counter[Cause] = Counter()
    for reason in found:
        counted[_by_code(reason)] += reason.trials
    largest = sorted(counted, key=lambda cause: (-counted[cause], cause))
    shown = largest[: len(palette.SERIES)]
    kinds = [Kind(conversion_words.why(*cause), _colour(at, cause), cause) for at, cause in enumerate(shown)]
    return kinds + [Kind("Other reasons", palette.ink()[2], None)] * (len(largest) > len(shown))


def _colour(place: int, cause: Cause) -> str:
    """Who ended without a card gave no reason, and stays as quiet as among the states."""
    return palette.of_state("expired") if cause[0] == "expired" else palette.series(place)


def _layers(
    found: Sequence[Reason],
    kinds: Sequence[Kind],
    causes: Callable[[Reason], Cause],
    bars: Sequence[str],
    bar_of: Callable[[Reason], str],
    address: Callable[[str, Cause], str],
) -> list[Layer]:
    """How many of each kind are in each bar; `address` leads from a bar and a cause to the rows."""
    known, counted = {kind.cause for kind in kinds}, Counter[tuple[str, Cause | None]]()
    for reason in found:
        cause = causes(reason)
        counted[bar_of(reason), cause if cause in known else None] += reason.trials
    return [
        Layer(
            kind.name, kind.colour, [counted[bar, kind.cause] for bar in bars],
            [address(bar, kind.cause) if kind.cause else "" for bar in bars],
        )
        for kind in kinds
    ]  # fmt: skip


def _over_time(
    view: View, found: Sequence[Reason], kinds: Sequence[Kind], causes: Callable[[Reason], Cause]
) -> None:
    keys = [period.key for period in view.periods]
    by_code = causes is _by_code

    def leads_to(key: str, cause: Cause) -> str:
        return f"lost:{key}:{cause[0]}" + f":{cause[1]}" * by_code

    layers = _layers(found, kinds, causes, keys, lambda reason: reason.period.key, leads_to)
    plotted.head(
        view.person, "Trials that brought nothing", _sheet(view, found), "why_not",
        help=DEFINITIONS["why"].short,
        note=f"By the {view.one} of their start. Young {view.one}s are not complete: their trials still run.",
    )  # fmt: skip
    if not found:
        st.caption(f"No data: no trial of these {view.one}s ended without a payment.")
        return
    said = ", ".join(f"{layer.name} {formats.count(sum(layer.counts))}" for layer in layers)
    made = marked(charts_reasons.over_time(keys, layers), view.periods, view.annotations)
    plotted.chart(made, "why_not", f"Trials that brought nothing, by {view.one}: in all {said}")


def _by_plan(
    view: View, found: Sequence[Reason], kinds: Sequence[Kind], causes: Callable[[Reason], Cause]
) -> None:
    sizes: Counter[str] = Counter()
    for reason in found:
        sizes[reason.plan] += reason.trials
    plans = [plan for plan, _ in sizes.most_common(_MOST_PLANS)]
    by_code = causes is _by_code

    def leads_to(plan: str, cause: Cause) -> str:
        return f"lost_plan:{cause[0]}:{plan}" + f":{cause[1]}" * by_code

    layers = _layers(found, kinds, causes, plans, lambda reason: reason.plan, leads_to)
    more = f"The {_MOST_PLANS} plans with the most." if len(sizes) > _MOST_PLANS else ""
    plotted.head(view.person, "By plan", _sheet(view, found), "why_not_by_plan", note=more)
    names = [view.names.of("plan", plan) for plan in plans]
    said = ", ".join(f"{name} {formats.count(sizes[plan])}" for name, plan in zip(names, plans, strict=True))
    alt = f"Trials that brought nothing, by plan: {said}"
    plotted.chart(charts_reasons.by_group(names, layers), "why_not_plans", alt)


def _sheet(view: View, found: Sequence[Reason]) -> Sheet:
    header = (view.one, "state", "reason", "plan", "currency", "trials", "micros_a_month")
    return Sheet(header, [
        (one.period.key, one.state, one.why, view.names.of("plan", one.plan), one.currency.upper(),
         one.trials, one.micros)
        for one in found
    ])  # fmt: skip


def _at_stake(found: Sequence[Reason]) -> None:
    """Each reason with its trials and what they would have paid a month, by currency."""
    trials: Counter[Cause] = Counter()
    micros: dict[Cause, Counter[str]] = defaultdict(Counter)
    for reason in found:
        trials[_by_code(reason)] += reason.trials
        micros[_by_code(reason)][reason.currency] += reason.micros
    st.subheader("Reasons and MRR", help=formats.plain(DEFINITIONS["why"].more), anchor=False)
    st.table(
        [
            {
                "Reason": formats.plain(conversion_words.why(*cause)),
                "Trials": formats.count(count),
                "Share": formats.unbroken(formats.share(count, trials.total())),
                "MRR not won": formats.plain(_sums(micros[cause])),
            }
            for cause, count in sorted(trials.items(), key=lambda one: (-one[1], one[0]))
        ],
        border="horizontal", hide_index=True,
    )  # fmt: skip


def _sums(by_currency: Counter[str]) -> str:
    sums = [formats.micros(value, code) for code, value in sorted(by_currency.items()) if value]
    return ", ".join(sums) or formats.NOTHING


def _comments(view: View) -> None:
    st.subheader("In their own words", anchor=False)
    with database.session() as session:
        total = why.count_comments(session, view.asked)
        page = tables.page_of(total, key="comments", size=10)
        rows = why.comments(session, view.asked, offset=page.offset, limit=page.limit)
    if total:
        tables.caption(total, page, "comment")
    picked = tables.show(
        [_comment(row) for row in rows], _COMMENTS, key="why_comments", alt="What customers wrote",
        empty="Nobody who canceled in the trial wrote why.", open_label="Customer",
    )  # fmt: skip
    if picked.opened is not None:
        navigation.go("customer", id=rows[picked.opened].customer)


def _comment(row: Comment) -> dict[str, object]:
    return {
        "title": row.name or row.email or row.customer,
        "comment": row.comment,
        "feedback": codes.FEEDBACK.get(row.feedback, row.feedback),
        "plan": row.plan,
        "micros": row.micros,
        "currency": row.currency,
        "canceled_at": row.canceled_at,
    }
