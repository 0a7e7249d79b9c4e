"""Who is this, how do they stand, and where else can one look at them?"""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from models import Customer
from pages.components import customer_sync, customer_words, formats, links, navigation, outreach, statuses
from pages.components.actions import action_buttons
from services import config
from services.customers import names
from services.customers.record import Record
from services.customers.search import Row
from services.desk.subject import Subject
from services.outreach.callboard import CallRow
from services.staff.roles import Permission, Person


def draw(person: Person, record: Record, subject: Subject | None, calls: Iterable[CallRow], now: int) -> None:
    """The name, the standing, the facts, the links, and what one can do for the customer as a whole."""
    customer = record.customer
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(formats.plain(title(customer)), anchor=False, width="content")
        statuses.badge("deleted" if customer.deleted else record.facts.status if record.facts else "none")
    with st.container(gap="xxsmall"):
        _line(_contact(customer, now))
        _line(_account(record, now))
        _line(f"Open call: {outreach.standing(call)}" for call in calls)
    _links(customer)
    if customer.deleted or subject is None:
        st.warning(
            "This customer was deleted in Stripe. What is shown is its history; nothing can be changed in "
            "Stripe any more, but you can still write notes.",
            icon=":material/delete:",
        )
        return
    _buttons(person, subject)


def title(customer: Customer) -> str:
    """What the customer is called: name, else email, else id."""
    return customer.name or customer.email or customer.id


def link(row: Row) -> None:
    """A link to another customer's page, with its standing."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        called = row.name or row.email or row.facts.customer
        navigation.link("customer", formats.plain(called), id=row.facts.customer)
        statuses.badge(row.facts.status)


def _contact(customer: Customer, now: int) -> Iterable[str]:
    country = customer_words.country(customer.country)
    yield customer.email or "No email address"
    yield customer.phone or "No phone number"
    yield ", ".join(filter(None, (customer.address_city, customer.address_state, country)))
    yield _with("Local time", customer_words.local_time(customer, now))


def _account(record: Record, now: int) -> Iterable[str]:
    customer, facts = record.customer, record.facts
    if facts:
        yield facts.plan
        yield _with("MRR", formats.micros(facts.mrr_micros, facts.currency) if facts.mrr_micros else "")
        left = facts.trial_end if facts.status == "trialing" else None
        yield _with("Trial:", customer_words.trial_left(left, now) if left else "")
    if customer.balance:
        word = "Credit" if customer.balance < 0 else "Owes"
        yield _with(word, formats.money(abs(customer.balance), customer.currency or ""))
    yield _with("Customer since", formats.day(customer.created))


def _with(word: str, value: str) -> str:
    return f"{word} {value}" if value else ""


def _line(facts: Iterable[str]) -> None:
    """Facts on a line, which breaks between them where it is too long."""
    with st.container(horizontal=True, gap=14):
        for fact in filter(None, facts):
            st.text(fact, width="content")


def _links(customer: Customer) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        sandbox = config.settings().mode == "sandbox"
        where = " · sandbox account, no page in Stripe’s dashboard" if sandbox else ""
        st.caption(f"{formats.plain(customer.id)}{where}", width="content")
        links.external("Stripe", links.stripe_url("customer", customer.id))
        links.external("Intercom", links.intercom_url(customer.email))
        links.external("Admin", links.admin_url(customer.id))
        customer_sync.draw(customer.id)


def _buttons(person: Person, subject: Subject) -> None:
    id = subject.customer.id
    with st.container(horizontal=True, gap="small"):
        why_not = person.why_not(Permission.SEND_MESSAGE)
        if st.button(names.SEND_MESSAGE, key=f"message:{id}", icon=":material/mail:", disabled=bool(why_not),
                     help=why_not or None):  # fmt: skip
            outreach.message_dialog(person, id)
        why_not = person.why_not(Permission.REQUEST_CALL)
        if st.button(names.REQUEST_CALL, key=f"call:{id}", icon=":material/call:", disabled=bool(why_not),
                     help=why_not or None):  # fmt: skip
            outreach.call_dialog(person, id)
        with st.container(width="content"):
            action_buttons(person, subject)
