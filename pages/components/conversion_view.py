"""What does the Conversion page look at? Its filters, all in the address, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from models import Annotation
from pages.components import address, worklist
from pages.components.conversion_words import Names
from pages.components.measures import Measures
from services import clock, config, database
from services.desk import annotating
from services.metrics import periods
from services.metrics.definitions import DEFINITIONS
from services.metrics.periods import Grain, Period
from services.metrics.trials.conversion import WINDOWS, Outcomes
from services.metrics.trials.slices import Options, Segment, Slice
from services.staff.roles import Person

_MONTHS = {"6 months": 6, "12 months": 12, "18 months": 18, "24 months": 24}
_WEEKS = 52 / 12  # in a month
_GRAINS: dict[str, Grain] = {"Months": "month", "Weeks": "week"}
_WINDOWS: dict[str, int | None] = {f"{days} days": days for days in WINDOWS} | {"any time": None}
_WIDTH = 132  # pixels: two beside each other on a phone


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: the trials `asked` for, within how many days they should have converted (`window`,
    None: any time), what became of them, and what happened meanwhile."""

    person: Person
    measures: Measures
    names: Names
    asked: Slice
    window: int | None
    outcomes: Outcomes
    annotations: Sequence[Annotation]

    @property
    def periods(self) -> tuple[Period, ...]:
        """The months or weeks, oldest first."""
        return self.outcomes.periods

    @property
    def within(self) -> str:
        """The window in words."""
        return f"within {self.window} days of the start" if self.window else "at any time"

    @property
    def one(self) -> str:
        """What a period is called."""
        return self.asked.grain


def draw(person: Person) -> View:
    """Draws the filters."""
    measures = Measures(person)
    names, offered = Names(measures.plan_names(), measures.prices()), measures.options()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        months = _MONTHS[choice("Started in the last", same(_MONTHS), "period", "12 months", width=_WIDTH)]
        grain = _GRAINS[choice("Cohorts by", same(_GRAINS), "grain", "Months", width=_WIDTH)]
        window = _WINDOWS[
            choice(
                "Converted within", same(_WINDOWS), "within", f"{measures.usual_window()} days",
                help=DEFINITIONS["cohort_rate"].short, width=_WIDTH,
            )
        ]  # fmt: skip
        segment = _segment(offered, names)
    number = months if grain == "month" else round(months * _WEEKS)
    cohorts = periods.last(grain, number, until=clock.now(), zone=config.settings().zone)
    asked = Slice(grain, tuple(cohorts), segment)
    with database.session() as session:
        noted = annotating.between(session, person, cohorts[0].begins, cohorts[-1].ends)
    return View(person, measures, names, asked, window, measures.outcomes(asked), noted)


def _segment(offered: Options, names: Names) -> Segment:
    currencies = [code for code in worklist.currencies(offered.currencies, "currency") if code]
    return Segment(
        choice("Plan", any_of({id: names.of("plan", id) for id in offered.plans}), "plan", width=_WIDTH),
        choice("Source", any_of({each: each for each in offered.sources}), "source", width=_WIDTH),
        choice("Currency", any_of({code: code.upper() for code in currencies}), "currency", width=_WIDTH),
        choice(
            "Country", any_of({code: names.of("country", code) for code in offered.countries}), "country",
            width=_WIDTH,
        ),
    )  # fmt: skip


def choice(
    label: str,
    options: Mapping[str, str],
    key: str,
    usual: str = "",
    *,
    help: str | None = None,
    width: int = 240,
) -> str:
    """Draws a choice between the options, which are shown and stand in the address by their words."""
    address.expect(key, list(options.values()))
    return st.selectbox(
        label, list(options), list(options).index(usual) if usual else 0, key=key,
        format_func=options.__getitem__, bind="query-params", width=width, help=help,
    )  # fmt: skip


def segments(label: str, options: Mapping[str, str], key: str) -> str:
    """Draws a choice that shows all options side by side, the first one as usual, like `choice`."""
    address.expect(key, list(options.values()))
    usual = next(iter(options))
    chosen = st.segmented_control(
        label, list(options), default=usual, key=key, format_func=options.__getitem__,
        bind="query-params", label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    return chosen or usual


def same(words: Iterable[str]) -> dict[str, str]:
    """Options that are called what they are."""
    return {word: word for word in words}


def any_of(names: Mapping[str, str]) -> dict[str, str]:
    """All, or one of these by its name, in the order of the names."""
    by_name = sorted(worklist.distinct(names, worklist.ALL).items(), key=lambda one: one[1])
    return {"": worklist.ALL, **dict(by_name)}
