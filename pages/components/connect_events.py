"""How events arrive, on the page Connect: whether Stripe delivers them, and what makes it do so."""

from __future__ import annotations

import streamlit as st

from pages.components import clicks, formats, freshness, guard, looks, sign_in, system_parts, whereabouts
from services import config, database
from services.desk import endpoint
from services.desk.endpoint import Endpoint
from services.mirror import health
from services.mirror.health import Deliveries
from services.staff.roles import Permission, Person

_PLACE, _MADE, _ADDRESS = "endpoint", "endpoint_made", "endpoint_address"
_LOOK_EVERY = 3  # seconds
_CEASED = "There were later ones, which were found by asking only; the account is asked every {}."
_SEE = (
    " See whether the endpoint is enabled in Stripe’s dashboard, under Webhooks, or whether “stripe listen” "
    "still runs."
)
_NARROWEST = 360  # pixels of half the page


def draw(person: Person) -> None:
    """Whether events arrive, and the two ways to have them delivered."""
    st.subheader("Events", anchor=False)
    _arrivals()
    settings = config.settings()
    title = "Another endpoint" if settings.webhook_secrets else "Have them delivered"
    with st.expander(title, expanded=not settings.webhook_secrets):
        grid = st.grid(2, gap="large", min_column_width=_NARROWEST)
        with grid.cell():
            _make(person)
        with grid.cell():
            _listen()
    made: Endpoint | None = st.session_state.pop(_MADE, None)
    if made:
        _show(made)


@st.fragment(run_every=_LOOK_EVERY)
def _arrivals() -> None:
    with database.session() as session:
        found = health.deliveries(session)
    _accepted(found)
    if found.refused:
        said = system_parts.refused(found.refused)
        st.warning(formats.plain(f"{said}, for this reason: {found.refused.why}"), icon=":material/block:")


def _accepted(found: Deliveries) -> None:
    settings, every = config.settings(), looks.every()
    if not settings.webhook_secrets:
        who = "The sandbox" if settings.mode == "sandbox" else "Stripe"
        none = "taken" if found.refused else "delivered"
        st.info(f"{who} is asked for events every {every}; none are {none}.", icon=":material/schedule:")
        return
    if found.last is None:
        st.info(
            f"Waiting for an event to be delivered. Until then the account is asked every {every}.",
            icon=":material/hourglass_top:",
        )
        return
    came = formats.plain(f"{formats.moment(found.last)} ({formats.relative(found.last)})")
    if found.ceased:
        said = _CEASED.format(every) + ("" if found.refused else _SEE)
        st.warning(f"Stripe last delivered an event {came}. {said}", icon=":material/sync_problem:")
    else:
        st.success(f"Stripe delivers events. The last came {came}.", icon=":material/check_circle:")


def _make(person: Person) -> None:
    """The way of a desk that Stripe can reach."""
    st.markdown("**The internet reaches this desk**")
    st.session_state.setdefault(_ADDRESS, _usual_address())
    st.text_input("Its address", key=_ADDRESS, placeholder="https://desk.company.com")
    why_not = person.why_not(Permission.CONNECT) or _kept_to_this_machine()
    st.button(
        "Make the endpoint", icon=":material/add_link:", type="primary", disabled=bool(why_not),
        on_click=clicks.attempt, args=(_PLACE, _make_it),
    )  # fmt: skip
    clicks.show_problem(_PLACE)
    st.caption(formats.plain(why_not) or f"Stripe then delivers every event to {endpoint.PATH} there.")


def _make_it() -> None:
    st.session_state[_MADE] = endpoint.make(guard.current(), st.session_state[_ADDRESS])


def _usual_address() -> str:
    """What the visitor's browser says, where Stripe can use it."""
    here = whereabouts.origin()
    usable = config.settings().mode == "sandbox" or not whereabouts.is_this_machine()
    return here if usable else ""


def _kept_to_this_machine() -> str:
    """Why a delivery from outside would be refused; "" where it would not."""
    if config.settings().mode == "sandbox" or sign_in.configured():
        return ""
    return "Without sign-in a real account's desk answers on its own machine only. Set up sign-in first."


def _listen() -> None:
    """The way of a desk on one's own machine."""
    st.markdown("**This desk runs on your own machine**")
    if config.settings().mode == "sandbox":
        st.caption("The sandbox delivers to addresses of this machine, too. With a real account, run:")
    else:
        st.caption("Run Stripe's command-line tool beside it:")
    st.code(f"stripe listen --forward-to {_local()}{endpoint.PATH}", language=None, wrap_lines=True)
    st.caption("It prints a signing secret: set STRIPE_WEBHOOK_SECRET to it, and start the desk again.")


def _local() -> str:
    return whereabouts.origin() if whereabouts.is_this_machine() else whereabouts.beside()


def _show(made: Endpoint) -> None:
    """The signing secret, once: until the dialog is closed or the page is left. Nothing else keeps it."""

    @st.dialog(
        "The endpoint is made", icon=":material/link:", width="medium", on_dismiss=freshness.dialog_closed
    )
    def body() -> None:
        st.text(f"Stripe delivers every event to {made.url}.")
        st.markdown("Put this line into the settings (`.env`), and start the desk again:")
        st.code(made.setting, language=None, wrap_lines=True)
        if config.settings().webhook_secrets:
            st.caption("There is a secret already: write both into one line, with a comma between.")
        st.caption("Copy it now: it is not kept.")
        if st.button("Done", type="primary"):
            st.rerun()

    body()
