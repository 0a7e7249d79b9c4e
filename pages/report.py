"""Monthly report: a month on one page, to read here, to keep as a file, and to get by mail on the 1st."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.components import address, charts, counted, formats, guard, report_mailing
from services import clock, config, database
from services.customers import report_file
from services.errors import TrialdeskError
from services.metrics.report import made, months
from services.staff.roles import Permission, Person

_SHOWN = "report_shown"
_HIGH = 900  # pixels


def main() -> None:
    """One run of the page."""
    person = guard.enter("report")
    st.title("Monthly report")
    if not counted.ready():
        return
    with database.session() as session:
        known = [month.key for month in months.known(session, clock.now(), config.settings().zone)]
    if not known:
        st.info("There is a report as soon as the first month is over.", icon=":material/event:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        month = _month(known)
        _download(person, month)
    _read(month)
    report_mailing.draw(person)


def _month(known: list[str]) -> str:
    words = {key: charts.month(key) for key in known}
    address.expect("month", list(words.values()))
    return st.selectbox(
        "Month", known, key="month", format_func=words.__getitem__, bind="query-params", width=200,
        help=f"Whole months, cut in {formats.zone_name()}.",
    )  # fmt: skip


def _download(person: Person, month: str) -> None:
    why_not = person.why_not(Permission.EXPORT)
    st.download_button(
        "Download", partial(report_file.html, person, month), file_name=made.file_name(month),
        mime="text/html", icon=":material/download:", on_click="ignore", disabled=bool(why_not),
        key="report-download", type="primary",
        help=formats.plain(why_not or "One HTML page: opens in any browser, prints well, can be mailed."),
    )  # fmt: skip


def _read(month: str) -> None:
    """The report as it was when the visitor asked for it: it does not move under who reads it."""
    shown = st.session_state.get(_SHOWN)
    if shown is None or shown[0] != month:
        try:
            shown = (month, made.make(month).html)
        except TrialdeskError as problem:
            st.error(formats.plain(str(problem)), icon=":material/error:")
            return
        st.session_state[_SHOWN] = shown
    # All in it is escaped, and its first line forbids scripts and addresses: see services/metrics/report.
    with st.container(border=True):
        st.iframe(shown[1], height=_HIGH, alt=f"The report of {charts.month(month)}")


main()
