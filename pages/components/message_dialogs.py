"""The dialog of one message in the outbox: what it says, and what a person may still do about it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.components import formats, freshness, guard, navigation, problems, statuses
from services import database
from services.errors import TrialdeskError
from services.outreach import messages
from services.outreach.messages import Letter
from services.staff.roles import Permission, Person

_ASKS = {
    "unknown": "Nobody knows whether this message went out. Look into the mail server's log or ask the "
    "customer, then say what is true.",
    "failed": "This message did not go out.",
    "outbox": "This message is kept here; it did not leave this machine.",
}


def message(token: str) -> None:
    """Opens a message; call it in the run of the click."""

    @st.dialog("Message", width="large", icon=":material/mail:", on_dismiss=freshness.dialog_closed)
    def body() -> None:
        _body(guard.current(), token)

    body()


def _body(person: Person, token: str) -> None:
    with database.session() as session:
        letter = messages.letter(session, person, token)
    with st.container(horizontal=True, vertical_alignment="center"):
        statuses.badge(letter.state)
        st.text(
            f"To {letter.to_address}, by {letter.author or 'the desk'}, {formats.moment(letter.created_at)}"
        )
    if letter.error:
        st.warning(formats.plain(letter.error), icon=":material/info:")
    with st.container(border=True):
        st.text(letter.subject)
        st.divider()
        st.text(letter.body)
    with st.container(horizontal=True, vertical_alignment="center"):
        if letter.customer and st.button("Open customer", icon=":material/person:", key="letter-customer"):
            navigation.go("customer", id=letter.customer)
        _decide(person, letter)


def _decide(person: Person, letter: Letter) -> None:
    if letter.state not in _ASKS:
        return
    why_not = person.why_not(Permission.SEND_MESSAGE)
    again = why_not or ("" if messages.has_mail_server() else "No mail server is set up.")
    if letter.state == "unknown":
        _button("Mark as sent", ":material/check:", why_not, lambda: messages.mark_sent(letter.token, person))
    _button(
        "Send" if letter.state == "outbox" else "Send again", ":material/send:", again,
        lambda: _send_again(letter, person),
    )  # fmt: skip
    st.caption(_ASKS[letter.state])


def _send_again(letter: Letter, person: Person) -> None:
    messages.send_again(letter.token, person, seen=letter.state)
    with st.spinner("Sending…"):
        messages.wait(letter.token)


def _button(label: str, icon: str, why_not: str, act: Callable[[], object]) -> None:
    """A button that acts once and draws the message as it stands then, or says why nothing was done."""
    if not st.button(
        label, icon=icon, key=f"letter-{label.lower()}", disabled=bool(why_not),
        help=formats.plain(why_not) or None,
    ):  # fmt: skip
        return
    try:
        act()
    except TrialdeskError as error:
        problems.show(error)
    else:
        st.rerun(scope="fragment")
