"""Who is behind this bar or number? The rows of what was clicked, in the address as `show`.

`show` reads `cohort:2026-05`, `cohort:2026-05:expired`, `by:2026-05:14` (converted by that day),
`group:plan:prod_...`, `span:2026-03:2026-05`, `lost:2026-05:expired`, `lost_plan:missed_payment:prod_...`
(both with a code behind where reasons are told apart), `funnel:trial:paid`, or `number:running`. The rows
count exactly what the chart counts, under the page's filters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import address, charts, download, formats, freshness, guard, navigation, tables
from pages.components.conversion_view import View
from pages.components.conversion_words import DIMS, why
from pages.components.tables import Column
from services import clock, database
from services.customers import export
from services.metrics.periods import Period
from services.metrics.trials import members
from services.metrics.trials.curves import LONGEST
from services.metrics.trials.funnel import DIRECT_STEPS, TRIAL_STEPS
from services.metrics.trials.members import Chosen, Member, Trials, Walkers
from services.metrics.trials.slices import Slice
from services.metrics.trials.trials import STATES
from services.staff.roles import Person

SHOW = "show"
PAGE_KEY = "behind_page"
_CLICKS = "behind_clicks"
_COLUMNS = (
    Column("title", "Customer", width=190, pinned=True),
    Column("state", "Came to"),
    Column("plan", "Plan"),
    Column("source", "Source"),
    Column("since", "Since", "day", help="The trial's start; of a funnel's step: the sign-up."),
    Column("trial_end", "Trial end", "day"),
    Column("paid_at", "First payment", "day"),
    Column("days", "Days to convert", "count", help="From the start to the first payment, rounded up."),
    Column("email", "Email", width=260),
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


def asked(view: View) -> Asked | None:
    """What the address asks for under the page's filters; None for nothing, or for what cannot be read."""
    kind, _, rest = address.read(SHOW).partition(":")
    found = _READERS[kind](rest, view) if kind in _READERS else None
    judge(found is not None)
    return found


def judge(known: bool) -> None:
    """Says whether a page can show what the address asks for."""
    if known:
        address.understood(SHOW)
    elif wanted := address.read(SHOW):
        address.ignore(SHOW, wanted)


def _number(name: str, view: View) -> Asked | None:
    these, ever = view.asked, Slice(view.asked.grain, None, view.asked.segment)
    known = {
        "recent": (Trials(ever, recent=True), "Trials that ended in the last 30 days"),
        "converted": (Trials(these, "converted"), f"Converted, of the trials of the {view.one}s below"),
        "started": (Trials(these), f"All trials of the {view.one}s below"),
        "running": (Trials(ever, "running"), "Trials still running, whenever they started"),
    }
    return Asked(*known[name]) if name in known else None


def _cohort(rest: str, view: View) -> Asked | None:
    key, _, state = rest.partition(":")
    mine = _between(view, key, key)
    if not mine or state not in ("", *STATES):
        return None
    title = f"{charts.state_word(state) if state else 'All trials'}, started in {charts.begin(key)}"
    return Asked(Trials(view.asked.during(mine), state), title)


def _by_day(rest: str, view: View) -> Asked | None:
    key, _, day = rest.partition(":")
    mine = _between(view, key, key)
    if not mine or not (day.isascii() and day.isdigit()) or int(day) > LONGEST:
        return None
    title = f"Converted by day {int(day)}, started in {charts.begin(key)}"
    return Asked(Trials(view.asked.during(mine), within=int(day)), title)


def _group(rest: str, view: View) -> Asked | None:
    dim, _, value = rest.partition(":")
    if dim not in DIMS:
        return None
    closed = view.asked.during(view.outcomes.closed(view.window))
    title = f"{DIMS[dim]}: {view.names.of(dim, value)}; of the {view.one}s that are no longer open"
    return Asked(Trials(closed.of(dim, value)), title)


def _span(rest: str, view: View) -> Asked | None:
    first, _, last = rest.partition(":")
    closed = set(view.outcomes.closed(view.window))
    mine = [period for period in _between(view, first, last) if period in closed]
    title = f"All trials, started in {charts.begin(first)} to {charts.begin(last)}" if mine else ""
    return Asked(Trials(view.asked.during(mine)), title) if mine else None


def _lost(rest: str, view: View) -> Asked | None:
    key, _, cause = rest.partition(":")
    state, told, code = cause.partition(":")
    mine = _between(view, key, key)
    if not mine or state not in STATES:
        return None
    return _without_payment(view.asked.during(mine), state, code if told else None, charts.begin(key))


def _lost_plan(rest: str, view: View) -> Asked | None:
    state, _, cause = rest.partition(":")
    plan, told, code = cause.partition(":")
    if state not in STATES:
        return None
    name = view.names.of("plan", plan)
    return _without_payment(view.asked.of("plan", plan), state, code if told else None, name)


def _without_payment(asked: Slice, state: str, code: str | None, where: str) -> Asked:
    words = charts.state_word(state) if code is None else why(state, code)
    return Asked(Trials(asked, state, lost=True, why=code), f"{words}, {where}")


def _between(view: View, first: str, last: str) -> list[Period]:
    """The page's periods from one key to another; none where it has not both."""
    keys = [period.key for period in view.periods]
    if first not in keys or last not in keys:
        return []
    return list(view.periods[keys.index(first) : keys.index(last) + 1])


def _step(rest: str, view: View) -> Asked | None:
    path, _, step = rest.partition(":")
    if step not in {"trial": TRIAL_STEPS, "direct": DIRECT_STEPS}.get(path, ()):
        return None
    chosen = Walkers(view.asked, "trial" if path == "trial" else "direct", step)
    beside = "" if path == "trial" else ", without a trial"
    return Asked(chosen, f"Came as far as “{charts.state_word(step)}”{beside}")


_READERS: dict[str, Callable[[str, View], Asked | None]] = {
    "number": _number,
    "cohort": _cohort,
    "by": _by_day,
    "group": _group,
    "span": _span,
    "lost": _lost,
    "lost_plan": _lost_plan,
    "funnel": _step,
}


def show(found: Asked) -> None:
    """Opens the rows, their count, a way to each customer, and a file of all of them.

    In a dialog: charts are tall, and rows below one would be out of sight.
    """

    dialog(found.title, lambda person: _rows(person, found))


def dialog(title: str, rows: Callable[[Person], None]) -> None:
    """A dialog with the rows of what was clicked; to close it takes them out of the address."""

    @st.dialog(formats.plain(title), icon=":material/group:", width="large", on_dismiss=_dismissed)
    def body() -> None:
        rows(guard.current())

    body()


def _dismissed() -> None:
    close()
    freshness.dialog_closed()


def head(person: Person, lines: Callable[..., Iterable[str]], file: str) -> DeltaGenerator:
    """Draws the button for the file of all rows, and gives the place beside it for what they come to.

    The button is on the left: a table's own buttons show above its right end, and would cover it.
    """
    line = st.container(horizontal=True, vertical_alignment="center")
    with line.container(width="content"):
        download.csv(person, lines, name=file, key="behind_csv")
    return line.container(width="stretch")


def _rows(person: Person, found: Asked) -> None:
    told = head(
        person,
        lambda session, asking: export.members_csv(
            asking, members.read(session, found.chosen, as_of=clock.now())
        ),
        "customers",
    )
    with database.session() as session:
        total = members.count(session, found.chosen, as_of=clock.now())
        page = tables.page_of(total, key=PAGE_KEY, size=25)
        rows = members.read(session, found.chosen, as_of=clock.now(), offset=page.offset, limit=page.limit)
    with told:
        tables.caption(total, page, "customer")
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
        "days": row.days,
    }
