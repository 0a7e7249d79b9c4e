"""How is a report laid out? One HTML page without scripts, whose styles and drawings are in it.

Everything that customers or staff typed is escaped by the template; nothing in it is fetched or leads away.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from services.metrics import words
from services.metrics.definitions import DEFINITIONS
from services.metrics.report import pictures
from services.metrics.report.collected import Report
from services.metrics.report.writing import Writing
from services.metrics.revenue.movements import CAUSES, KINDS
from services.metrics.statistics.statistics import Rate
from services.metrics.trials.conversion import HeatRow

HEAT_DAYS = (0, 7, 14, 21, 30, 45, 60, 90)
NOTES = (
    "mrr", "arr", "active_customers", "arpa", "committed_mrr", "trial_mrr", "movements", "gross_churn_rate",
    "net_churn_rate", "customer_churn_rate", "churn_causes", "reconstructed", "currencies", "failure_rate",
    "month_recovery_rate", "cohort_rate", "period_rate", "days_to_convert", "states", "funnel", "interval",
    "no_data",
)  # fmt: skip
_SHADES = 6
_FULL = 6  # currencies with a section of their own


def html(report: Report, write: Writing, *, workspace: str) -> str:
    """The whole page."""
    return _template().render(
        report=report,
        workspace=workspace,
        write=write,
        notes=[DEFINITIONS[key] for key in NOTES],
        full=report.money[:_FULL],
        heat=report.trials.outcomes.heat(HEAT_DAYS),
        heat_days=HEAT_DAYS,
        shade=_shader(report),
        pictures=pictures,
        words=words,
        kinds=KINDS,
        causes=(*CAUSES, ""),
    )


@cache
def _template() -> Template:
    folder = FileSystemLoader(Path(__file__).parent)
    kept = Environment(
        loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return kept.get_template("page.html")


class _Shader:
    """How dark a share of a heat table is: from 0 to `_SHADES` - 1, by the highest of the table."""

    def __init__(self, rows: list[HeatRow]) -> None:
        shares = [rate.value or 0.0 for row in rows for rate in row.shares if rate is not None]
        self._most = max(shares, default=0.0) or 1.0

    def __call__(self, rate: Rate) -> int:
        return min(_SHADES - 1, int((rate.value or 0.0) / self._most * _SHADES))


def _shader(report: Report) -> _Shader:
    return _Shader(report.trials.outcomes.heat(HEAT_DAYS))
