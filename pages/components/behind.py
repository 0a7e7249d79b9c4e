"""Who is behind this bar or number? The rows of what was clicked, in the address as `show`.

`show` reads `cohort:2026-05`, `cohort:2026-05:expired`, `plan:prod_...`, `source:ads`, `funnel:trial:paid`,
or `number:running`. The rows count exactly what the chart counts, under the page's filters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from pages.components import address, charts, download, formats, freshness, guard, navigation, tables
from pages.components.tables import Column
from services import clock, database
from services.customers import export
from services.metrics import members
from services.metrics.conversion import Outcomes
from services.metrics.funnel import DIRECT_STEPS, TRIAL_STEPS
from services.metrics.members import Chosen, Member, Trials, Walkers
from services.metrics.slices import Slice
from services.metrics.trials import STATES
from services.staff.roles import Person

SHOW = "show"
PAGE_KEY = "behind_page"
_CLICKS = "behind_clicks"
_COLUMNS = (
    Column("title", "Customer", width=190, pinned=True),
    Column("email", "Email", width=260),
    Column("state", "Came to"),
    Column("plan", "Plan"),
    Column("source", "Source"),
    Column("since", "Since", "day", help="The trial's start; of a funnel's step: the sign-up."),
    Column("trial_end", "Trial end", "day"),
    Column("paid_at", "First payment", "day"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was clicked: who that is, and how it reads."""

    chosen: Chosen
    title: str


def chart_key(name: str) -> str:
    """The key of a chart that leads to rows: another one after each click, so that nothing stays chosen in
    it and a second click on the same bar is one more."""
    return f"{name}:{_clicks().get(name, 0)}"


def pick(key: str) -> None:
    """For a chart's click: writes what was clicked into the address."""
    if found := charts.picked(key):
        name = key.partition(":")[0]
        _clicks()[name] = _clicks().get(name, 0) + 1
        open(found)


def _clicks() -> dict[str, int]:
    found: dict[str, int] = st.session_state.setdefault(_CLICKS, {})
    return found


def open(what: str) -> None:
    """Writes into the address whose rows to show."""
    st.session_state[PAGE_KEY] = 1
    st.query_params[SHOW] = what


def close() -> None:
    """Takes the rows off the page."""
    st.query_params.pop(SHOW, None)


def asked(of: Slice, outcomes: Outcomes, window: int | None, plans: Mapping[str, str]) -> Asked | None:
    """What the address asks for of the page's slice; None for nothing, or for what cannot be read.

    `plans`: the plans' names by product id.
    """
    found = _asked(address.read(SHOW), of, outcomes, window, plans)
    judge(found is not None)
    return found


def judge(known: bool) -> None:
    """Says whether a page can show what the address asks for."""
    if known:
        address.understood(SHOW)
    elif wanted := address.read(SHOW):
        address.ignore(SHOW, wanted)


def _asked(
    show: str, of: Slice, outcomes: Outcomes, window: int | None, plans: Mapping[str, str]
) -> Asked | None:
    kind, _, rest = show.partition(":")
    if kind == "cohort":
        return _cohort(rest, of)
    if kind == "plan":
        title = f"Trials of the plan {plans.get(rest, rest) or 'that is not known'}"
        return _group(of.of("plan", rest), title, outcomes, window)
    if kind == "source":
        title = f"Trials from the source {rest}" if rest else "Trials without a source"
        return _group(of.of("source", rest), title, outcomes, window)
    if kind == "number":
        return _number(rest, of)
    return _step(rest, of) if kind == "funnel" else None


def _number(name: str, of: Slice) -> Asked | None:
    ever = replace(of, periods=None)
    known = {
        "recent": (Trials(ever, recent=True), "Trials that ended in the last 30 days"),
        "converted": (Trials(of, "converted"), "Converted, of the trials of the months below"),
        "started": (Trials(of), "All trials of the months below"),
        "running": (Trials(ever, "running"), "Trials still running, whenever they started"),
    }
    return Asked(*known[name]) if name in known else None


def _cohort(rest: str, of: Slice) -> Asked | None:
    key, _, state = rest.partition(":")
    mine = [one for one in of.periods or () if one.key == key]
    if not mine or state not in ("", *STATES):
        return None
    title = f"{charts.state_word(state) if state else 'All trials'}, started in {charts.month(key)}"
    return Asked(Trials(of.during(mine), state), title)


def _group(of: Slice, title: str, outcomes: Outcomes, window: int | None) -> Asked:
    closed = of.during(outcomes.closed(window))
    return Asked(Trials(closed), f"{title}, of the months that are no longer open")


def _step(rest: str, of: Slice) -> Asked | None:
    path, _, step = rest.partition(":")
    if step not in {"trial": TRIAL_STEPS, "direct": DIRECT_STEPS}.get(path, ()):
        return None
    chosen = Walkers(of, "trial" if path == "trial" else "direct", step)
    beside = "" if path == "trial" else ", without a trial"
    return Asked(chosen, f"Came as far as “{charts.state_word(step)}”{beside}")


def show(found: Asked) -> None:
    """Opens the rows, their count, a way to each customer, and a file of all of them.

    In a dialog: charts are tall, and rows below one would be out of sight.
    """

    @st.dialog(formats.plain(found.title), icon=":material/group:", width="large", on_dismiss=_dismissed)
    def body() -> None:
        _rows(guard.current(), found)

    body()


def _dismissed() -> None:
    close()
    freshness.dialog_closed()


def _rows(person: Person, found: Asked) -> None:
    head = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    with database.session() as session:
        total = members.count(session, found.chosen, as_of=clock.now())
        page = tables.page_of(total, key=PAGE_KEY, size=25)
        rows = members.read(session, found.chosen, as_of=clock.now(), offset=page.offset, limit=page.limit)
    with head:
        with st.container(width="content"):
            tables.caption(total, page, "customer")
        with st.container(width="content"):
            download.csv(
                person,
                lambda session, asking: export.members_csv(
                    asking, members.read(session, found.chosen, as_of=clock.now())
                ),
                name="customers", key="behind_csv",
            )  # fmt: skip
    picked = tables.show(
        [_cells(row) for row in rows], _COLUMNS, key="behind", alt="Customers behind the chart",
        empty="Nobody.", open_label="Customer",
    )  # fmt: skip
    if picked.opened is not None:
        navigation.go("customer", id=rows[picked.opened].customer)


def _cells(row: Member) -> dict[str, object]:
    return {
        "title": row.name or row.email or row.customer,
        "email": row.email,
        "state": charts.state_word(row.state),
        "plan": row.plan,
        "source": row.source,
        "since": row.since,
        "trial_end": row.trial_end,
        "paid_at": row.paid_at,
    }
