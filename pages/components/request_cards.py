"""How is a request to cancel shown, and what can one answer? A card, on its page and on the customer's."""

from __future__ import annotations

import streamlit as st

from pages.components import clicks, customer_words, formats, guard, navigation, statuses, worklist
from pages.components.actions import approve_dialog
from pages.components.request_dialogs import offer_dialog, refuse_dialog, stays_dialog
from services import clock, database
from services.customers.names import FEEDBACK, WISHES
from services.desk import asked, hearing, requests
from services.desk.asked import Seen
from services.desk.hearing import MOST_AGAIN
from services.desk.requestboard import Request
from services.staff.roles import Permission, Person


def card(person: Person, request: Request, *, of_many: bool) -> None:
    """One request with its buttons; `of_many`: among those of other customers."""
    id = request.row.id
    with st.container(border=True, key=f"request-{id}"):
        _headline(request, of_many)
        with st.container(gap="xxsmall"):
            _line(_standing(request))
            _line([_received(request)])
        _said(request)
        if person.may(Permission.SEE_ACTIVITY):
            for line in request.row.note.splitlines():
                st.caption(formats.plain(line))
        for sentence in filter(None, (request.settled, request.under_way, request.goes_on)):
            st.markdown(f":orange[:material/warning:] {formats.plain(sentence)}")
        with st.container(horizontal=True):
            if request.is_undecided and not request.under_way:
                _answers(person, request)
            if of_many and st.button("Open customer", key=f"customer-{id}", icon=":material/person:"):
                navigation.go("customer", id=request.row.customer)
        clicks.show_problem(_place(id))


def _headline(request: Request, of_many: bool) -> None:
    row = request.row
    called = worklist.called(request.name, request.email, row.customer) if of_many else "The customer"
    what = request.plan or "the subscription"
    verb = "wants" if request.is_undecided else "wanted"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**{formats.plain(called)}** {verb} to cancel **{formats.plain(what)}**: "
            f"{formats.plain(WISHES.get(row.wish, row.wish).lower())}",
            width="content",
        )
        statuses.badge(row.state)


def _standing(request: Request) -> list[str]:
    """Why, and what the customer is worth."""
    told = [f"Why: {FEEDBACK.get(request.row.reason, request.row.reason)}"]
    if request.status:
        told.append(f"Subscription: {statuses.label(request.status)}")
    if request.trial_end:
        told.append(f"Trial: {customer_words.trial_left(request.trial_end, clock.now())}")
    if request.value_micros:
        value = formats.micros(request.value_micros, request.currency)
        told.append(f"Would pay {value} a month" if request.trial_end else f"MRR {value}")
    paid = " and ".join(formats.money(amount, currency) for currency, amount in request.paid if amount)
    return [*told, f"Paid so far: {paid or 'nothing'}"]


def _received(request: Request) -> str:
    row = request.row
    how = f"recorded by {row.received_by_name}" if row.source == "staff" else "by the customer"
    often = " or more" if len(row.again) == MOST_AGAIN else ""
    again = f", again {formats.plural(len(row.again), 'time')}{often} since" if row.again else ""
    at = f"{formats.moment(row.received_at)} ({formats.relative(row.received_at)})"
    decided = ""
    if row.decided_at:
        by = f" by {row.decided_by_name}" if row.decided_by_name else ""
        decided = f". {statuses.label(row.state)}{by}, {formats.moment(row.decided_at)}"
    return f"Asked {at}, {how}{again}{decided}"


def _said(request: Request) -> None:
    """The customer's words, the first first; of what came later also when, and who heard it."""
    for place, said in enumerate(hearing.sayings(request.row)):
        if place:
            how = f"recorded by {said.by}" if said.by else "by the customer"
            st.caption(formats.plain(f"Again {formats.moment(said.at)}, {how}"))
        if said.comment:
            st.text(f"“{said.comment}”")


def _line(facts: list[str]) -> None:
    """Facts on a line, which breaks between them where it is too long."""
    with st.container(horizontal=True, gap=14):
        for fact in facts:
            st.text(fact, width="content")


def _answers(person: Person, request: Request) -> None:
    """What one may answer, or why one may not."""
    if why_not := person.why_not(Permission.CANCEL):
        st.caption(formats.plain(why_not))
        return
    id = request.row.id
    if not request.is_over:
        if st.button("Approve", key=f"approve-{id}", icon=":material/check:", type="primary"):
            approve_dialog(person, id)
        if st.button("Offer something else", key=f"offer-{id}", icon=":material/redeem:"):
            offer_dialog(request)
        if st.button("Refuse", key=f"refuse-{id}", icon=":material/block:"):
            refuse_dialog(request)
        if st.button("Customer stays", key=f"stays-{id}", icon=":material/favorite:"):
            stays_dialog(request)
    if request.settled:
        st.button(
            "Close request", key=f"elsewhere-{id}", icon=":material/task_alt:",
            help="The subscription has ended or is set to end, and nothing else is to be done.",
            on_click=clicks.attempt, args=(_place(id), _close, id, asked.as_seen(request.row)),
        )  # fmt: skip


def _close(id: str, seen: Seen) -> None:
    with database.transaction() as session:
        requests.close(session, guard.current(), id, seen=seen)


def _place(id: str) -> str:
    return f"request:{id}"
