"""Which pictures does a report have? MRR day by day, what moved it month by month, and the funnel."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from services.metrics.report import drawing
from services.metrics.report.collected import Money
from services.metrics.report.drawing import Bar, Column, Line, Words
from services.metrics.report.writing import Writing
from services.metrics.trials.funnel import Step
from services.metrics.words import MOVE_WORDS, STEP_WORDS

_UP = (("new", "ink"), ("reactivation", "upright"), ("expansion", "pale"))
_DOWN = (("contraction", "paper"), ("churn", "across"))


def mrr(money: Money, exact_since: int | None, write: Writing) -> Markup:
    """MRR at the end of each day of the months that the report looks at."""
    code, first, last = money.currency, money.months[0], money.months[-1]
    begins, ends = first.period.begins, last.period.ends
    points = [(begins, float(first.before.mrr)), *((at, float(level.mrr)) for at, level in money.daily)]
    levels = sorted(value for _, value in points)
    shown = Line(
        points=points,
        begins=begins,
        ends=ends,
        ticks=[
            ((one.period.begins + one.period.ends) // 2, write.short_month(one.period.key))
            for one in money.months
        ],
        exact_since=exact_since,
        last=write.micros(last.after.mrr, code),
    )
    told = (
        f"From {write.micros(first.before.mrr, code)} at the start of {write.month(first.period.key)} to "
        f"{write.micros(last.after.mrr, code)} at the end of {write.month(last.period.key)}; lowest "
        f"{write.micros(int(levels[0]), code)}, highest {write.micros(int(levels[-1]), code)}. The table of "
        "months below has the numbers."
    )
    words = Words(f"mrr-{_key(money)}", f"MRR in {code.upper()}, day by day", told)
    return drawing.line(words, shown, lambda value: write.about(int(value), code))


def moved(money: Money, write: Writing) -> Markup:
    """What raised and what lowered MRR in each month."""
    code, last = money.currency, money.months[-1]
    shown = [
        Column(
            write.short_month(one.period.key),
            [(fill, float(one.moved[kind])) for kind, fill in _UP],
            [(fill, float(one.moved[kind])) for kind, fill in _DOWN],
            strong=one is last,
        )
        for one in money.months
    ]
    legend = [(fill, MOVE_WORDS[kind]) for kind, fill in (*_UP, *_DOWN)] + [("net", "Net change")]
    told = "; ".join(
        f"{write.month(one.period.key)} {write.change(one.net, code)} net" for one in money.months
    )
    words = Words(f"moved-{_key(money)}", f"What moved MRR in {code.upper()}, by month", f"{told}.")
    return drawing.columns(words, shown, legend, lambda value: write.about(int(value), code))


def funnel(steps: Sequence[Step], month: str, write: Writing) -> Markup:
    """How far those who signed up in a month came."""
    first = steps[0].count
    shown = [Bar(STEP_WORDS[one.name], one.count, one.undecided, _said(one, first, write)) for one in steps]
    told = "; ".join(f"{one.label}: {one.said}" for one in shown)
    words = Words(f"funnel-{month}", f"Who signed up in {write.month(month)}, and how far they came", told)
    return drawing.bars(words, shown)


def _said(step: Step, first: int, write: Writing) -> str:
    said = f"{write.count(step.count)} · {write.share(step.count / first if first else None)}"
    return f"{said} · {write.count(step.undecided)} too early" if step.undecided else said


def _key(money: Money) -> str:
    """A name that no other drawing of the page has."""
    return f"{money.currency}{'-all' if money.view.rates else ''}"
