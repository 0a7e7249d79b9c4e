"""Which failed payments are behind this bar or number? In the address as `show`, like `behind`.

`show` reads `cohort:2026-05`, `cohort:2026-05:lost`, `code:expired_card:recovered`, `plan:prod_...`,
`country:DE`, `by:staff`, `number:failed`, `number:decided`, `number:recovered` or `number:lost`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from pages.components import address, behind, charts, formats, freshness, guard, navigation, tables
from pages.components.recovery_view import View
from pages.components.recovery_words import BY, PARTS, STATES, called
from pages.components.tables import Column
from services import database
from services.customers import export
from services.metrics.recovery import dunning_rows
from services.metrics.recovery.dunning import Part
from services.metrics.recovery.dunning_rows import Chosen, FailedPayment
from services.metrics.recovery.recovery import CameTo
from services.staff.roles import Person

_COLUMNS = (
    Column("title", "Customer", width=170, pinned=True),
    Column("amount", "Invoice total", "money"),
    Column("state", "Came to", width=100),
    Column("by", "Brought back by", width=170),
    Column("code", "First failed because", width=190),
    Column("last", "Last failed because", width=190),
    Column("attempts", "Tries", "count", help="That are known: Stripe's own, and those by hand."),
    Column("failed_at", "First failed", "moment"),
    Column("paid_at", "Paid", "moment"),
    Column("plan", "Plan"),
    Column("number", "Invoice"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What was clicked: which payments, and how it reads."""

    chosen: Chosen
    title: str


def asked(view: View) -> Found | None:
    """What the address asks for under the page's filters; None for nothing, or for what cannot be read."""
    kind, _, rest = address.read(behind.SHOW).partition(":")
    found = _READERS[kind](rest, view) if kind in _READERS else None
    behind.judge(found is not None)
    return found


def _cohort(rest: str, view: View) -> Found | None:
    key, _, state = rest.partition(":")
    these = tuple(period for period in view.asked.periods if period.key == key)
    if not these or not _is_state(state):
        return None
    chosen = Chosen(replace(view.asked, periods=these), _state(state))
    return Found(chosen, f"{_words(state)}, first failed in {charts.month(key)}")


def _number(name: str, view: View) -> Found | None:
    decided = replace(view.asked, periods=tuple(one.period for one in view.numbers.closed))
    known = {
        "failed": (Chosen(view.asked), "All that failed in the months below"),
        "decided": (Chosen(decided), "All that failed in the months that are decided"),
        "recovered": (Chosen(view.asked, "recovered"), "Recovered, of what failed in the months below"),
        "lost": (Chosen(view.asked, "lost"), "Lost, of what failed in the months below"),
    }
    return Found(*known[name]) if name in known else None


def _part(part: Part) -> Callable[[str, View], Found | None]:
    def read(rest: str, view: View) -> Found | None:
        value, _, state = rest.partition(":")
        if not _is_state(state):
            return None
        title = f"{PARTS[part]}: {called(part, value, view.plans)}"
        return Found(Chosen(view.asked, _state(state), part, value), f"{title}; {_words(state).lower()}")

    return read


def _by(value: str, view: View) -> Found | None:
    if value not in BY:
        return None
    title = f"Recovered: {called('by', value, view.plans)}"
    return Found(Chosen(view.asked, "recovered", "by", value), title)


_READERS: dict[str, Callable[[str, View], Found | None]] = {
    "cohort": _cohort,
    "number": _number,
    "by": _by,
    **{part: _part(part) for part in PARTS},
}


def _is_state(text: str) -> bool:
    return text == "" or text in STATES


def _state(text: str) -> CameTo | None:
    return next((state for state in STATES if state == text), None)


def _words(state: str) -> str:
    return next((words for one, words in STATES.items() if one == state), "All that failed")


def show(found: Found) -> None:
    """Opens the rows in a dialog, with what they come to, the way to each customer, and a file of them."""

    @st.dialog(
        formats.plain(found.title), icon=":material/credit_card_off:", width="large", on_dismiss=_dismissed
    )
    def body() -> None:
        _rows(guard.current(), found)

    body()


def _dismissed() -> None:
    behind.close()
    freshness.dialog_closed()


def _rows(person: Person, found: Found) -> None:
    told = behind.head(
        person,
        lambda session, asking: export.payments_csv(asking, dunning_rows.read(session, found.chosen)),
        "failed-and-recovered",
    )
    with database.session() as session:
        whole = dunning_rows.count(session, found.chosen)
        page = tables.page_of(whole.count, key=behind.PAGE_KEY, size=25)
        rows = dunning_rows.read(session, found.chosen, offset=page.offset, limit=page.limit)
    with told:
        sums = formats.money(whole.amount, found.chosen.asked.currency)
        tables.caption(whole.count, page, "payment", sums=f"in all {sums}")
    picked = tables.show(
        [_cells(row) for row in rows], _COLUMNS, key="behind", alt="Failed payments behind the chart",
        empty="No payment.", open_label="Customer",
    )  # fmt: skip
    if picked.opened is not None:
        navigation.go("customer", id=rows[picked.opened].customer)


def _cells(row: FailedPayment) -> dict[str, object]:
    return {
        "title": row.name or row.email or row.customer,
        "amount": row.amount,
        "currency": row.currency,
        "state": STATES[row.state],
        "by": called("by", row.recovered_by, {}) if row.recovered_by else "",
        "code": called("code", row.code, {}),
        "last": called("code", row.last_code, {}),
        "attempts": row.attempts,
        "failed_at": row.failed_at,
        "paid_at": row.paid_at,
        "plan": row.plan,
        "number": row.number,
    }
