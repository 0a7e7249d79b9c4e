"""The parts of the page System: whether all is well, the resources, the events, what runs here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import streamlit as st

from models import Reconciliation
from pages.components import formats, looks, tables
from pages.components.tables import Column
from services import clock, config, installation
from services.desk import endpoint
from services.errors import TrialdeskError
from services.mirror import cursors, poll
from services.mirror.health import Deliveries, Feed, Resource
from services.mirror.refusals import Refused
from services.mirror.trust import Problem

LOOK_EVERY = 10  # seconds
_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_RESOURCES = (
    Column("name", "Resource", width=190, pinned=True),
    Column("state", "State", "status", width=110),
    Column("stored", "Objects stored", "count"),
    Column("listed", "Listed to its end", "moment"),
    Column("cursor", "Where it is", width="medium"),
)
_WRONG = Column("error", "What is wrong", width="large")


@st.fragment(run_every=LOOK_EVERY)
def verdict(read: Callable[[], tuple[list[Problem], Reconciliation | None]]) -> None:
    """Says whether the tables can be trusted, and all that is wrong; since when all was compared."""
    found, last = read()
    if not found:
        st.success(formats.plain(f"Nothing is known to be wrong. {_last(last)}"), icon=":material/verified:")
    for one in found:
        said = formats.plain(f"{one.message} {one.remedy}".strip())
        if one.grave:
            st.error(said, icon=":material/error:")
        else:
            st.warning(said, icon=":material/warning:")


def _last(row: Reconciliation | None) -> str:
    if row is None:
        return "The tables follow the account's events; they were not compared with all of it yet."
    many = formats.plural(row.drifts, "difference") if row.drifts else "no difference"
    put_right = ", put right" if row.drifts else ""
    return f"All of it was compared {formats.relative(row.started_at)}: {many}{put_right}."


def resources(found: Iterable[Resource]) -> None:
    """What is listed from Stripe, and how each list stands."""
    st.subheader("What is mirrored", anchor=False)
    rows = [_cells(one) for one in found]
    columns = [*_RESOURCES, _WRONG] if any(row["error"] for row in rows) else _RESOURCES
    tables.show(
        rows, columns, key="resources", alt="Resources of the account",
        empty="Nothing.",
    )  # fmt: skip


def _cells(one: Resource) -> dict[str, object]:
    name = "Customer facts (derived)" if one.resource == cursors.DERIVED else formats.resource(one.resource)
    return {
        "name": name,
        "state": one.state,
        "stored": one.stored,
        "listed": one.listed_at,
        "cursor": _where(one),
        "error": one.error,
    }


def _where(one: Resource) -> str:
    if one.state == "complete":
        return "Kept fresh by events" if one.resource != cursors.DERIVED else "Kept fresh with its rows"
    if one.back_to is None:
        return formats.NOTHING
    parts = f", in {one.parts} parts" if one.parts > 1 else ""
    return f"Back to {formats.day(one.back_to)}{parts}"


def feed(found: Feed, came: Deliveries) -> None:
    """Up to when the events are read, which was the last, and how they come in."""
    settings = config.settings()
    st.subheader("Events", anchor=False)
    lines(
        {
            "Read up to": _moment(found.read_to),
            "Gap": _gap(found),
            "Last event": f"{found.last_type}, {_moment(found.last_at)}" if found.last_type else "None yet",
            "In the last hour": f"{formats.count(found.by_webhook)} by webhook, "
            f"{formats.count(found.by_poll)} by looking",
            "Looked for": f"every {looks.every()}",
            "Webhooks": f"taken at {endpoint.PATH}"
            if settings.webhook_secrets
            else "not set up: Connect says how to have events at once",
            **({"Refused": f"{refused(came.refused)}."} if came.refused else {}),
        }
    )


def refused(found: Refused) -> str:
    """How many deliveries were not taken, and when, e.g. `3 deliveries were refused since …, the last …`."""
    last = formats.relative(found.last)
    if found.number == 1:
        return f"1 delivery was refused on {formats.moment(found.last)} ({last})"
    many = f"{formats.count(found.number)} deliveries were refused"
    return f"{many} since {formats.moment(found.since)}, the last {last}"


def _gap(found: Feed) -> str:
    if found.read_to is None:
        return "Nothing has been read yet"
    behind = clock.now() - found.read_to
    if behind > poll.KEPT_BY_STRIPE:
        return "Over 30 days: the account is listed anew"
    return (
        f"None: Stripe keeps events for 30 days, and the last look was {formats.duration(max(1, behind))} ago"
    )


def _moment(at: int | None) -> str:
    return f"{formats.moment(at)} ({formats.relative(at)})" if at is not None else formats.NOTHING


def _installation() -> dict[str, str]:
    """Version, database and processes in words."""
    try:
        found = installation.read()
    except TrialdeskError as problem:
        return {"Processes": str(problem)}
    alive = [f"{name} (this one)" if mine else name for name, mine in found.processes.items()]
    return {
        "Version": found.version,
        "Database": f"{found.database}, {size(found.size)}",
        "Processes alive": ", ".join(alive) or "none does background work",
    }


def size(count: int) -> str:
    """A number of bytes as people say it, e.g. `12.3 MB`."""
    amount, unit = float(count), 0
    while amount >= 1000 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:,.1f} {_UNITS[unit]}" if unit else formats.plural(count, "byte")


def this_desk() -> None:
    """What runs here."""
    st.subheader("This desk", anchor=False)
    lines({**_installation(), **server()})


def server() -> dict[str, str]:
    """Which server the account is asked at, where that is not Stripe's own."""
    base = config.settings().stripe_api_base or ""
    is_other = urlsplit(base).hostname not in (None, "api.stripe.com")
    return {"Server": f"{base}, by STRIPE_API_BASE: this is not Stripe"} if is_other else {}


def lines(said: dict[str, str]) -> None:
    """Draws names with what is said of each."""
    with st.container(gap="xxsmall"):
        for name, value in said.items():
            st.markdown(f"**{name}:** {formats.plain(value)}")
