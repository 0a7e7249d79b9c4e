"""The parts of the page Connect that only tell: the account, the first pull, what can be set up."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from pages.components import formats, sign_in, system_parts, tables, whereabouts
from pages.components.tables import Column
from services import config, database, installation, set_up
from services.mirror import comparisons, identity, progress
from services.mirror.progress import Progress, ResourceProgress
from services.set_up import Item

_LOOK_EVERY = 3  # seconds
_MODES = {"sandbox": "Sandbox", "test": "Test", "live": "Live"}
_TO_SET_UP = (
    Column("name", "What", width="medium", pinned=True),
    Column("state", "State", "status", width=90),
    Column("gives", "What it gives", width="large"),
    Column("setting", "Setting", width="medium"),
)


def account() -> None:
    """Which account it is, by which key, and where its data goes."""
    settings = config.settings()
    st.subheader("Account", anchor=False)
    with database.session() as session:
        name = identity.name(session)
    system_parts.lines(
        {
            "Account": name,
            "Mode": _MODES[settings.mode],
            **system_parts.server(),
            "Key": settings.key_in_words.capitalize() or "None: an account on this machine",
            "Database": installation.place(),
        }
    )


@st.fragment(run_every=_LOOK_EVERY)
def pull() -> None:
    """How far the first pull is, and when it ended."""
    st.subheader("First pull", anchor=False)
    with database.session() as session:
        found = progress.read(session)
    if found.complete and found.pulled_at is not None:
        ended = f"{formats.moment(found.pulled_at)} ({formats.relative(found.pulled_at)})"
        st.markdown(f"**Ended:** {formats.plain(ended)}")
    elif not found.complete:
        share = formats.share(round(found.share * 1000), 1000)
        st.progress(min(found.share, 1.0), text=f"{share}, {formats.plural(found.objects, 'object')}")
    system_parts.lines(_by_state(found))


def _by_state(found: Progress) -> dict[str, str]:
    """What is here, under way, still to come, and what cannot be read."""
    groups = {
        "Here": [_counted(one) for one in _of(found, "complete")],
        "Under way": [_counted(one) for one in _of(found, "running")],
        "Still to come": [_words(one) for one in _of(found, "waiting")],
        "Not allowed": [_words(one) for one in _of(found, "denied")],
        "Failed": [f"{_words(one)} ({one.error})" for one in _of(found, "failed")],
    }
    return {name: ", ".join(said) for name, said in groups.items() if said}


def _of(found: Progress, state: str) -> Iterable[ResourceProgress]:
    return (one for one in found.resources if one.state == state)


def _counted(one: ResourceProgress) -> str:
    return f"{formats.count(one.fetched)} {_words(one)}"


def _words(one: ResourceProgress) -> str:
    return one.resource.replace("_", " ")


def to_set_up() -> None:
    """What is set up and what is not: what each gives, by which setting."""
    st.subheader("Set up", anchor=False)
    reached = not whereabouts.is_this_machine()
    found = set_up.items(
        config.settings(), signs_in=sign_in.configured(), reached=reached, compares_at=_compares_at()
    )
    tables.show(
        [
            {"name": one.name, "state": _state(one), "gives": _gives(one), "setting": one.setting}
            for one in found
        ],
        _TO_SET_UP, key="set-up", alt="What can be set up", empty="Nothing.",
    )  # fmt: skip
    st.caption("Settings go into .env; .env.example explains each. Then start the desk again.")


def _compares_at() -> int | None:
    settings = config.settings()
    if settings.reconcile_time is None:
        return None
    with database.session() as session:
        return comparisons.first_ahead(session, settings.reconcile_time, settings.zone)


def _state(one: Item) -> str:
    if not one.done:
        return "not_set"
    return "done" if one.begins is None else "scheduled"


def _gives(one: Item) -> str:
    return one.gives if one.begins is None else f"First on {formats.moment(one.begins)}. {one.gives}"
