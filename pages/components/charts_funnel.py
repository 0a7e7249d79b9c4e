"""How does a funnel look? Its steps from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence

from pages.components import charts, formats, palette
from pages.components.charts import Figure
from services.metrics.trials.funnel import Step


def funnel(steps: Sequence[Step], path: str) -> Figure:
    """The steps from top to bottom: who reached each, and for whom it is too early to tell."""
    ink, pale, _ = palette.ink()
    first = steps[0].count
    bar = {"type": "bar", "orientation": "h", "y": [charts.state_word(step.name) for step in steps]}
    reached = {
        "name": "Reached the step",
        "x": [step.count for step in steps],
        "marker": {"color": ink, "line": {"width": 0}},
        "customdata": [[f"funnel:{path}:{step.name}"] for step in steps],
        **charts.hover(_hovers(steps)),
    }
    undecided = {
        "name": "Too early to tell",
        "x": [step.undecided for step in steps],
        "marker": {"color": pale, "line": {"width": 0}},
        "text": [_text(step, first) for step in steps],
        "textposition": "outside",
        "cliponaxis": False,
        **charts.hover([f"{formats.count(step.undecided)} too early to tell" for step in steps]),
    }
    return charts.figure(
        [bar | reached, bar | undecided],
        height=44 * len(steps) + 50,
        showlegend=True,
        legend=charts.LEGEND,
        barmode="stack",
        bargap=0.3,
        margin=charts.MARGIN | {"r": 100},  # for the words behind the longest bar, however narrow the window
        xaxis={"visible": False, "range": [0, max(1, first)]},
        yaxis={"autorange": "reversed", "showgrid": False, "automargin": True},
    )


def _text(step: Step, first: int) -> str:
    return f"{formats.count(step.count)} · {formats.share(step.count, first)}"


def _hovers(steps: Sequence[Step]) -> list[str]:
    """Each step against the one before it, leaving out those for whom it is too early to tell."""
    said = [f"{formats.count(steps[0].count)} customers"]
    for before, step in zip(steps, steps[1:], strict=False):  # noqa: RUF007 - reads as before and after
        known = before.count - step.undecided
        share = formats.share(step.count, known)
        line = (
            f"{formats.count(step.count)} customers<br>{share} of {formats.count(known)} at the step before"
        )
        late = f"<br>{formats.count(step.undecided)} more: too early to tell" if step.undecided else ""
        said.append(line + late)
    return said
