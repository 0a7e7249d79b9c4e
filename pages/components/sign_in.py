"""Who is looking? A signed-in member of the staff, an acting person on the sandbox, or the local admin.

With an [auth] section in secrets.toml everybody signs in, and the staff table is asked on every run.
Without it the desk answers on its own machine only (services/security_headers.LocalOnly).
"""

from __future__ import annotations

import streamlit as st
from streamlit.errors import StreamlitAuthError, StreamlitSecretNotFoundError

from pages.components import acting, formats, navigation, problems
from services import clock, config, database
from services.errors import ConfigurationError
from services.staff import people
from services.staff.roles import Person

_NOTED = "presence_noted"
_NOTE_EVERY = 300  # seconds


def configured() -> bool:
    """Whether people must sign in. Raises ConfigurationError for a secrets file that cannot be read."""
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError as error:
        if error.error_id == "no-secrets-found":
            return False
        raise ConfigurationError(
            "The secrets file cannot be read, so nobody can be let in.",
            remedy="Correct .streamlit/secrets.toml; secrets.example.toml shows how it looks.",
        ) from error


def person() -> Person:
    """Who is looking, asked anew on every run. Draws why and stops the run where nobody may come in."""
    if configured():
        return _signed_in()
    mode = config.settings().mode
    if mode == "sandbox":
        return acting.chosen(_everybody())
    with database.session() as session:
        return people.local_admin(session, mode)


def switch() -> None:
    """On the sandbox the switch between people, in the sidebar; call it before `person`."""
    if not configured() and config.settings().mode == "sandbox":
        acting.switch(_everybody())


def _everybody() -> list[Person]:
    with database.session() as session:
        everybody = people.active(session)
    if not everybody:
        raise ConfigurationError("There is nobody on the staff yet.", remedy="Start the desk again.")
    return everybody


def confirmed(claim: object) -> bool:
    """Whether the provider says (in its `email_verified`) that the address is the person's own.

    Some providers never say it: then the installation may trust them by setting.
    """
    if claim is None:
        return config.settings().sign_in_trusts_unverified_email
    return claim in (True, "true")


def corner(who: Person) -> None:
    """The sidebar's corner: who you are, and the way out."""
    _note_presence(who)
    if configured():
        st.caption(f"{formats.plain(who.name)} · {who.role}")
        st.button("Sign out", on_click=st.logout, icon=":material/logout:", type="tertiary")
    elif config.settings().mode != "sandbox":
        st.caption(f"{formats.plain(who.name)} · no sign-in")


def _signed_in() -> Person:
    if not st.user.is_logged_in:
        _offer()
    email = str(st.user.get("email") or "")
    if not email or not confirmed(st.user.get("email_verified")):
        _turn_away("Your account comes without a confirmed email address, which the staff list goes by.")
    try:
        with database.session() as session:
            return people.admit(session, email)
    except people.NotOnStaff as stranger:
        _turn_away(str(stranger))
    raise AssertionError("unreachable: the run has stopped")


def _offer() -> None:
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title(config.settings().workspace_name)
        st.write("Sign in with your company account.")
        for provider in _providers():
            label = f"Sign in with {provider.title()}" if provider else "Sign in"
            if st.button(label, type="primary", icon=":material/login:"):
                _go_to(provider)
    st.stop()


def _providers() -> list[str]:
    auth = st.secrets["auth"]
    if "client_id" in auth:
        return [""]
    return [name for name, section in auth.items() if hasattr(section, "keys") and "client_id" in section]


def _go_to(provider: str) -> None:
    try:
        st.login(provider or None)
    except StreamlitAuthError as error:
        problems.show(
            ConfigurationError(
                f"Sign-in is not set up completely: {error}",
                remedy="Correct the [auth] section of .streamlit/secrets.toml and start the desk again.",
            )
        )


def _turn_away(why: str) -> None:
    navigation.hide()
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title(config.settings().workspace_name)
        st.warning(formats.plain(why))
        st.button("Sign out", on_click=st.logout, icon=":material/logout:")
    st.stop()


def _note_presence(who: Person) -> None:
    noted, now = st.session_state.get(_NOTED, (0, 0)), clock.now()
    if noted[0] == who.id and now - noted[1] < _NOTE_EVERY:
        return
    st.session_state[_NOTED] = (who.id, now)
    with database.transaction() as session:
        people.seen(session, who)
