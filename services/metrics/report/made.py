"""How does somebody get a report? Asked for by its month, made from the tables as they stand."""

from __future__ import annotations

from dataclasses import dataclass

from services import clock, config, database
from services.metrics.report import collected, months, page
from services.metrics.report.collected import Report
from services.metrics.report.writing import Writing


@dataclass(frozen=True, slots=True)
class Made:
    """A report as a file; `numbers` is what it says, written as in `workspace`."""

    numbers: Report
    html: str
    write: Writing
    workspace: str

    @property
    def file_name(self) -> str:
        """What the file is called."""
        return file_name(self.numbers.month.key)


def file_name(month: str) -> str:
    """What the file of a month (`2026-10`) is called."""
    return f"monthly-report-{month}.html"


def make(month: str = "") -> Made:
    """The report of a month such as `2026-10`, or of the last whole one, as the tables stand at one moment.
    Opens a session of its own.

    Raises what `months.named` raises.
    """
    settings, now = config.settings(), clock.now()
    with database.snapshot() as session:
        wanted = months.named(session, month, now, settings.zone)
        numbers = collected.collect(session, wanted, as_of=now, zone=settings.zone)
    write = Writing(settings.workspace_locale, settings.zone)
    html = page.html(numbers, write, workspace=settings.workspace_name)
    return Made(numbers, html, write, settings.workspace_name)
