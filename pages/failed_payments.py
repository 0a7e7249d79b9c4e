"""Failed payments: what is open, by money at stake; why it failed, what to do next, and the buttons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.components import (
    bulk_menus,
    download,
    formats,
    guard,
    links,
    navigation,
    recovered,
    tables,
    worklist,
)
from pages.components.actions import action_dialog
from pages.components.outreach import call_dialog, calls_dialog, message_dialog
from pages.components.several import messages_dialog
from pages.components.tables import Column
from services import database
from services.customers import export, names, worklists
from services.customers.worklists import FailureFilter, FailureRow, Stake, Standing
from services.metrics import kept, version
from services.metrics.definitions import DEFINITIONS
from services.staff import people
from services.staff.roles import Permission, Person
from services.stripe_api import declines

PAGE_KEY = "failures_page"
_KNOWN_HEIGHT = 88  # pixels: three lines
_NEVER_AGAIN = "do_not_try_again"
_NO_CARD = declines.Explanation(
    "There is no card on file, so nothing could be charged.", "Send the card or pay link, or call."
)
_FOR_MANY = ("mark_uncollectible",)
_ACTS = (Permission.RETRY_PAYMENT, Permission.CARD_LINK, Permission.SEND_MESSAGE, Permission.REQUEST_CALL)
_RETRY = {"": None, "planned": True, "none": False}
_RETRY_WORDS = {"": "All", "planned": "Planned", "none": "No further retry"}
_STANDING_WORDS: dict[Standing, str] = {"": "All", "not ended": "Not ended", "ended": "Ended"}
_STANDING_HELP = "An invoice of no subscription counts as not ended."
_COLUMNS = (
    Column("customer", "Customer", width=170, pinned=True),
    Column("amount", "Still asked for", "money"),
    Column("why", "Why it failed", width=400),
    Column("next", "Next retry", width=165, help="When Stripe tries again by itself."),
    Column("subscription", "Subscription", "status", width=125, help="Empty for an invoice without one."),
    Column("advice", "What to do", width=580),
    Column(
        "attempts",
        "Attempts",
        "count",
        width="small",
        help="As Stripe counts them: of the tries by hand only one that was the first is among them.",
    ),
    Column("invoice", "Invoice"),
    Column("since", "Open since", "day"),
    Column("contact", "Last contact", width=150),
    Column("owner", "Owner", width="small"),
)


def main() -> None:
    """One run of the page."""
    person = guard.enter("failed-payments")
    head = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    head.title("Failed payments", width="content")
    recovered.draw(person)
    everything = _everything()
    wanted = _filters([stake.currency for stake in everything])
    where = worklists.failure_conditions(wanted)
    with head.container(width="content"):
        download.csv(
            person, lambda session, asking: export.failures_csv(session, asking, where),
            name="failed-payments", key="failures_csv",
            help="All failed payments of these filters, not only this page.",
        )  # fmt: skip
    with database.session() as session:
        stakes = everything if wanted == FailureFilter() else worklists.stakes(session, where)
        total = sum(stake.invoices + stake.ended_invoices for stake in stakes)
        _at_stake(stakes)
        tools = st.container()
        page = tables.page_of(total, key=PAGE_KEY)
        rows = worklists.failures(session, where, stakes, offset=page.offset, limit=page.limit)
    picked = tables.show(
        [_cells(row) for row in rows], _COLUMNS,
        key=worklist.table_key("failures", (row.invoice for row in rows)), alt="Open failed payments",
        empty="No payment is failing." if wanted == FailureFilter() else "None fits these filters.",
        open_label="Customer", select=True,
    )  # fmt: skip
    if rows:
        tables.caption(total, page, "failed payment")
    st.caption(f"Times are in {formats.zone_name()}. {worklist.CURRENCY_BY_CURRENCY}")
    with tools:
        ticked = [rows[position] for position in picked.ticked]
        with st.container(horizontal=True, vertical_alignment="center"):
            _tools(person, ticked)
            bulk_menus.for_ticked(person, _FOR_MANY, [row.invoice for row in ticked], key="failures-ticked")
            bulk_menus.for_all(
                person, _FOR_MANY, formats.plural(total, "failed payment"), total,
                lambda session: worklists.failure_ids(session, where, stakes), key="failures-all",
            )  # fmt: skip
            many = formats.plural(len(ticked), "failed payment")
            chosen = f"{many} chosen" if ticked else "Tick a row to act on it."
            worklist.hint(person, _ACTS, chosen)
        if total:
            _known(ticked[0] if len(ticked) == 1 else None)
    if picked.opened is not None:
        navigation.go("customer", id=rows[picked.opened].customer)


def _everything() -> list[Stake]:
    """What all open failures come to."""
    with database.session() as session:
        at = version.data_version(session)
    question = (str(database.engine().url), "stakes")
    where = worklists.failure_conditions(FailureFilter())
    return kept.ask(question, at, lambda session: worklists.stakes(session, where))


def _filters(currencies: list[str]) -> FailureFilter:
    with database.session() as session:
        staff = people.active(session)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        offered = worklist.currencies(currencies, "currency")
        currency = worklist.choice(
            "Currency", offered, "currency", PAGE_KEY, lambda code: code.upper() or "All", width=140
        )
        retry = worklist.choice(
            "Next retry", list(_RETRY), "retry", PAGE_KEY, _RETRY_WORDS.__getitem__, width=180
        )
        standing: Standing = worklist.choice(
            "Subscription", list(_STANDING_WORDS), "subscription", PAGE_KEY, _STANDING_WORDS.__getitem__,
            width=150, help=_STANDING_HELP,
        )  # fmt: skip
        contact = worklist.contact_filter("failure_contact", PAGE_KEY)
        owner = worklist.person_filter("Owner", "failure_owner", PAGE_KEY, staff)
    return FailureFilter(currency or "", _RETRY[retry or ""], contact, owner, standing or "")


def _at_stake(stakes: Sequence[Stake]) -> None:
    """Money at stake, each currency by itself, and beside it what ended subscriptions left open."""
    if not stakes:
        return
    with st.container(horizontal=True):
        for stake in stakes:
            code = stake.currency.upper()
            if stake.invoices:
                _tile(f"At stake in {code}", stake.amount, stake.currency, stake.invoices, "at_stake")
            if stake.ended_invoices:
                _tile(
                    f"Of ended subscriptions in {code}", stake.ended_amount, stake.currency,
                    stake.ended_invoices, "at_stake_ended",
                )  # fmt: skip


def _tile(label: str, amount: int, currency: str, invoices: int, definition: str) -> None:
    st.metric(
        label, formats.money(amount, currency), formats.plural(invoices, "invoice"), delta_color="off",
        delta_arrow="off", width="content", border=True, help=formats.plain(DEFINITIONS[definition].short),
    )  # fmt: skip


def _tools(person: Person, rows: list[FailureRow]) -> None:
    """The buttons for the ticked rows."""
    one = rows[0] if len(rows) == 1 else None
    if _button(
        person, names.ACTIONS["retry_payment"], ":material/replay:", Permission.RETRY_PAYMENT, one is not None
    ):
        assert one is not None
        action_dialog(person, "retry_payment", one.customer, one.invoice)
    if _button(person, names.ACTIONS["card_link"], ":material/link:", Permission.CARD_LINK, one is not None):
        assert one is not None
        action_dialog(person, "card_link", one.customer)
    if _button(person, "Send card or pay link", ":material/add_card:", Permission.SEND_MESSAGE, bool(rows)):
        _write(person, rows, "card_link")
    if _button(person, names.SEND_MESSAGE, ":material/mail:", Permission.SEND_MESSAGE, bool(rows)):
        _write(person, rows, "payment_failed")
    if _button(person, names.REQUEST_CALL, ":material/call:", Permission.REQUEST_CALL, bool(rows)):
        _call(person, rows)


def _button(person: Person, label: str, icon: str, permission: Permission, fits: bool) -> bool:
    why_not = person.why_not(permission)
    return st.button(
        label, icon=icon, key=f"failures-{label.lower()}", disabled=not fits or bool(why_not),
        help=formats.plain(why_not) or None,
    )  # fmt: skip


def _known(row: FailureRow | None) -> None:
    """Why this one failed, the best next step, and the ways out of the desk.

    It keeps its place where none or several are ticked: the table must not move under the mouse.
    """
    with st.container(border=True, horizontal=True, vertical_alignment="center", height=_KNOWN_HEIGHT):
        if row is None:
            st.caption("Tick a single row to read here why it failed and what to do.")
            return
        reason = _explain(row)
        st.markdown(
            f"**{formats.plain(_called(row))}**, {formats.plain(formats.money(row.amount, row.currency))}: "
            f"{formats.plain(reason.words)} {formats.plain(reason.advice)}"
        )
        if row.hosted_invoice_url:
            links.external("Page where it can be paid", row.hosted_invoice_url)
        links.external("Invoice in Stripe", links.stripe_url("invoice", row.invoice))


def _write(person: Person, rows: list[FailureRow], template: str) -> None:
    if len(rows) == 1:
        message_dialog(person, rows[0].customer, template=template, invoice=rows[0].invoice)
        return
    largest_last = rows[::-1]
    messages_dialog(
        person,
        {row.customer: _called(row) for row in rows},
        template=template,
        invoices={row.customer: row.invoice for row in largest_last},
    )


def _call(person: Person, rows: list[FailureRow]) -> None:
    if len(rows) == 1:
        call_dialog(person, rows[0].customer)
        return
    calls_dialog(person, [row.customer for row in rows])


def _explain(row: FailureRow) -> declines.Explanation:
    """What went wrong and what to do; Stripe's word that a card is lost for good goes before the rest."""
    if not row.code and not row.card:
        return _NO_CARD
    reason = declines.explain(row.code)
    if row.advice != _NEVER_AGAIN:
        return reason
    return declines.Explanation(reason.words, declines.explain(_NEVER_AGAIN).advice)


def _called(row: FailureRow) -> str:
    return worklist.called(row.name, row.email, row.customer)


def _cells(row: FailureRow) -> dict[str, Any]:
    reason = _explain(row)
    return {
        "customer": _called(row),
        "amount": row.amount,
        "currency": row.currency,
        "why": reason.words,
        "advice": reason.advice,
        "subscription": row.subscription_status,
        "attempts": row.attempts,
        "next": formats.moment(row.next_attempt) if row.next_attempt else "No further retry",
        "invoice": row.number,
        "since": row.failed_since,
        "contact": worklist.last_contact(row.last_contact_at, row.last_contact_kind),
        "owner": row.owner,
    }


main()
