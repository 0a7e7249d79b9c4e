"""By mail: who gets the monthly report on the 1st, what became of it, and how an admin changes that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time

import streamlit as st

from pages.components import charts, clicks, formats, navigation, statuses
from services import clock, config, database
from services.outreach import messages, monthly
from services.outreach.monthly import Mailing, Sent
from services.staff.roles import Permission, Person

_PLACE, _SAVED = "report-mailing", "report_mailing_saved"
_MONTHS = 3  # of what was sent


def draw(person: Person) -> None:
    """What is decided, for everybody; the form for who may decide."""
    with database.session() as session:
        held, sent = monthly.load(session), monthly.sent(session)
    st.subheader("By mail", anchor=False)
    st.caption(_told(held))
    if not messages.has_mail_server():
        st.info(
            "No mail server is set up, so nothing leaves this machine: on the 1st the message is kept in the "
            "Outbox. Set SMTP_HOST and MAIL_FROM to send it.",
            icon=":material/outbox:",
        )
    _sent(sent)
    if person.may(Permission.MAIL_REPORTS):
        _form(person, held)
    else:
        st.caption("Admins decide who gets it.")


def _told(held: Mailing) -> str:
    if not held.active:
        return "Nobody gets it by mail."
    now, zone = clock.now(), config.settings().zone
    at = monthly.due_at(held, now, zone)
    next_at = at if at > now else monthly.due_at(held, now, zone, plus_months=1)
    return formats.plain(
        f"{formats.plural(len(held.recipients), 'person gets', 'people get')} it on the 1st of each month at "
        f"{held.at:%H:%M} ({formats.zone_name()}); next on {formats.moment(next_at)}."
    )


def _sent(sent: Mapping[str, Sequence[Sent]]) -> None:
    """What became of the last months' mails; each is in the outbox."""
    if not sent:
        return
    for month in list(sent)[:_MONTHS]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(charts.month(month), width="content")
            for state, number in monthly.states(sent[month]).items():
                statuses.badge(state)
                st.text(formats.count(number), width="content")
    navigation.link("outbox", "See them in the Outbox", icon=":material/outbox:")


def _form(person: Person, held: Mailing) -> None:
    seen = held.version
    with st.form(f"mailing-{seen}"):
        active = st.toggle("Mail it on the 1st of each month", value=held.active, key=f"mail-on-{seen}")
        typed = st.text_area(
            "Recipients", value="\n".join(held.recipients), key=f"mail-to-{seen}", height=110,
            placeholder="ana@company.com", help="An email address a line. They get the whole report, with "
            "customers' names.",
        )  # fmt: skip
        at = st.time_input(
            "At", value=held.at, key=f"mail-at-{seen}", step=1800, width=160,
            help=f"In {formats.zone_name()}. Where the desk did not run then, it is sent as soon as it does.",
        )  # fmt: skip
        sent = st.form_submit_button("Save", type="primary")
    if sent:
        clicks.attempt(_PLACE, _save, person, active, typed or "", at or time(8), seen)
        st.rerun()
    clicks.show_problem(_PLACE)
    if st.session_state.get(_SAVED) == seen:
        st.success("Saved.", icon=":material/check_circle:")


def _save(person: Person, active: bool, typed: str, at: time, seen: int) -> None:
    decided = Mailing(active, monthly.recipients(typed), at)
    with database.transaction() as session:
        monthly.save(session, person, decided, seen=seen)
    st.session_state[_SAVED] = seen + 1
