"""Which payments failed in the last 30 days, and what became of each? The rows behind “Recovered”.

They are in the address as `show=recovered:usd`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import streamlit as st

from pages.components import address, behind, counted, download, formats, navigation, tables, worklist
from pages.components.tables import Column
from services import clock, database
from services.customers import export
from services.customers.recognise import CURRENCIES
from services.metrics.overview import BACK_DAYS
from services.metrics.recovery import recovery
from services.metrics.recovery.recovery import CameTo, Failed, Recovery
from services.staff.roles import Person

_WORDS: dict[CameTo, str] = {"recovered": "Recovered", "in_recovery": "In recovery", "lost": "Lost"}
_COLUMNS = (
    Column("customer", "Customer", width="medium", pinned=True),
    Column("amount", "Invoice total", "money"),
    Column("came_to", "Came to"),
    Column("number", "Invoice"),
    Column("failed_at", "First failed", "moment"),
    Column("paid_at", "Paid", "moment"),
)


def draw(person: Person) -> None:
    """Draws the rows that the address asks for; nothing where it does not."""
    kind, _, currency = address.read(behind.SHOW).partition(":")
    known = kind == "recovered" and currency in CURRENCIES
    behind.judge(known)
    if not known or not counted.ready():
        return
    now = clock.now()
    period = (now - BACK_DAYS * clock.DAY, now, currency)
    title = f"Payments in {currency.upper()} that first failed in the last {BACK_DAYS} days"
    with _box(
        person, title, "failed-in-30-days",
        lambda session, asking: export.failed_csv(asking, recovery.failed(session, *period)),
    ):  # fmt: skip
        with database.session() as session:
            whole = recovery.recovered(session, now - BACK_DAYS * clock.DAY, now).get(currency, Recovery())
            page = tables.page_of(whole.rate.whole, key=behind.PAGE_KEY, size=25)
            rows = recovery.failed(session, *period, offset=page.offset, limit=page.limit)
        st.caption("The first invoice after a trial is not among them: it is a missed payment of the trial.")
        picked = tables.show(
            [_cells(row) for row in rows], _COLUMNS, key="recovered", alt="Payments that failed",
            empty="No payment has failed.", open_label="Customer",
        )  # fmt: skip
        tables.caption(whole.rate.whole, page, "payment", sums=_sums(whole, currency))
    if picked.opened is not None:
        navigation.go("customer", id=rows[picked.opened].customer)


def _sums(whole: Recovery, currency: str) -> str:
    amounts = (formats.money(each, currency) for each in (whole.recovered_amount, whole.failed_amount))
    return f"recovered {formats.count(whole.recovered)}: {' of '.join(amounts)}"


@contextmanager
def _box(person: Person, title: str, file: str, lines: Callable[..., Iterable[str]]) -> Iterator[None]:
    """A frame for the rows behind a number: its title, a file of all of them, and a way to close.

    `lines` as in `download.csv`; the file is called `file`.
    """
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{formats.plain(title)}**", width="content")
            with st.container(horizontal=True, width="content"):
                download.csv(person, lines, name=file, key="behind_csv")
                st.button(
                    "Close",
                    icon=":material/close:",
                    type="tertiary",
                    on_click=behind.close,
                    key="behind_close",
                )
        yield


def _cells(row: Failed) -> dict[str, object]:
    return {
        "customer": worklist.called(row.name, row.email, row.customer),
        "amount": row.amount,
        "currency": row.currency,
        "came_to": _WORDS[row.came_to],
        "number": row.number,
        "failed_at": row.failed_at,
        "paid_at": row.paid_at,
    }
