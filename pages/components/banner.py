"""Whose account is this, does money move here, and how old is what you see? On top of every page."""

from __future__ import annotations

import time

import streamlit as st

from pages.components import formats
from pages.components.statuses import Colour
from services import clock, config, database, schedules
from services.config import Mode
from services.metrics import kept
from services.mirror import budget, comparisons, progress
from services.mirror.progress import Progress
from services.staff.roles import Person, Role

_MODES: dict[Mode, tuple[Colour, str]] = {
    "sandbox": ("blue", "**Sandbox** · An account on this machine. Nothing here reaches Stripe."),
    "test": ("orange", "**Test mode** · Stripe's test data. No real money moves."),
    "live": ("red", "**Live** · Actions here move real money."),
}
_LIVE_READ_ONLY = "**Live, read-only** · Set up sign-in to let people act."
_HALF = "What is below holds only part of what has happened since; it is whole when this is gone."
_LOOK_EVERY = 10  # seconds between two looks at the data's age
_COUNT_EVERY = 1  # the same while the account is being pulled
_MANY = 200  # events: fewer are applied in a moment
_MISSED = 3  # looks at the account that the data is older than
_SOON = 60  # seconds: such data is fresh, however often the account is looked at


def show(person: Person) -> None:
    """Draws the banner, and the progress of the first pull until it is done."""
    colour, text = _MODES[config.settings().mode]
    with st.container(horizontal=True, vertical_alignment="center", key="banner"):
        st.markdown(f":{colour}-background[{_LIVE_READ_ONLY if person.read_only else text}]")
        _age()
        _denied()
        if person.role is Role.ADMIN:
            _put_aside()
            _reads()
            _compared()
    if not _read().complete:
        _pull()


def is_whole() -> bool:
    """Whether the first pull is done: before, numbers would be too small."""
    return _read().complete


@st.fragment(run_every=_LOOK_EVERY)
def _age() -> None:
    found = _read()
    if found.last_error:
        st.caption(f":orange[{formats.plain(_data_from(found))}]", help=formats.plain(found.last_error))
    elif found.complete and _is_behind(found):
        st.markdown(f":orange-background[{_catching_up(found)}]", help=_HALF, width="content")
    elif found.age is not None:
        st.caption(_data_from(found), width="content")


@st.fragment(run_every=_LOOK_EVERY)
def _denied() -> None:
    """What the key may not read, so that nobody takes its absence for a fact."""
    denied = [one for one in _read().resources if one.state == "denied"]
    if denied:
        names = ", ".join(_words(one.resource) for one in denied)
        why = "\n\n".join(formats.plain(one.error) for one in denied)
        st.caption(f":orange[Not read: {names}]", help=why, width="content")


@st.fragment(run_every=_LOOK_EVERY)
def _put_aside() -> None:
    """What is missing because it could not be stored: told to those who look after the desk."""
    found = _read()
    if found.put_aside:
        many = formats.plural(found.put_aside, "object or event", "objects and events")
        which = [formats.plain(one) for one in found.aside]
        if found.put_aside > len(which):
            which.append("These are the latest. System lists all of them.")
        told = "\n\n".join(["What they say is in no list and no number.", *which])
        st.caption(f":orange[{many} put aside]", help=told, width="content")


@st.fragment(run_every=_LOOK_EVERY)
def _reads() -> None:
    """That the month's reads from Stripe come to an end, before they do."""
    kept_for = int(time.monotonic() / _LOOK_EVERY)
    found = kept.ask((str(database.engine().url), "budget"), kept_for, budget.read)
    if found.is_short:
        share = formats.share(found.used, found.allowance)
        told = f"{formats.count(found.used)} of {formats.count(found.allowance)} reads. See System."
        st.caption(f":orange[{share} of this month’s reads from Stripe used]", help=told, width="content")


@st.fragment(run_every=_LOOK_EVERY)
def _compared() -> None:
    """That the last comparison with the account failed, or left something as it was."""
    kept_for = int(time.monotonic() / _LOOK_EVERY)
    last = kept.ask((str(database.engine().url), "compared"), kept_for, comparisons.last_ended)
    if told := comparisons.trouble(last):
        said = "Comparison with the account failed" if last.state == "failed" else "Not all could be compared"
        st.caption(f":orange[{said}]", help=formats.plain(f"{told} See System."), width="content")


@st.fragment(run_every=_COUNT_EVERY)
def _pull() -> None:
    found = _read()
    if found.complete:
        st.rerun()
    st.progress(min(found.share, 1.0), text=_how_far(found))


def _how_far(found: Progress) -> str:
    so_far = f"{formats.count(found.objects)} objects"
    if found.share >= 1:
        return f"{so_far} are here; working out plans, MRR and who is active."
    under_way = [one for one in found.resources if one.state == "running"]
    counts = ", ".join(f"{formats.count(one.fetched)} {_words(one.resource)}" for one in under_way)
    share = formats.share(round(found.share * 1000), 1000)
    return f"Getting your account: {share}, {counts or so_far}. What is below is not whole yet."


def _read() -> Progress:
    """Once a second for all visitors."""
    return kept.ask((str(database.engine().url), "progress"), int(time.monotonic()), progress.read)


def _is_behind(found: Progress) -> bool:
    late = _MISSED * schedules.pace().seconds
    return found.waiting > _MANY or (found.age or 0) > max(late, _SOON)


def _catching_up(found: Progress) -> str:
    to_go = [f"{formats.count(found.waiting)} events to go"] if found.waiting > _MANY else []
    return " · ".join(["**Catching up**", *to_go, formats.plain(_data_from(found))])


def _data_from(found: Progress) -> str:
    if found.age is None:
        return "Not up to date"
    when = formats.relative(clock.now() - found.age)
    return f"Not up to date: data from {when}" if found.last_error else f"Data from {when}"


def _words(resource: str) -> str:
    return resource.replace("_", " ")
