"""Who is this, how do they stand, and where else can one look at them?"""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from models import Customer
from pages.components import customer_words, formats, links, navigation, outreach, statuses
from pages.components.actions import action_buttons
from services import config
from services.customers.record import Record
from services.customers.search import Row
from services.desk.subject import Subject
from services.staff.roles import Permission, Person


def draw(person: Person, record: Record, subject: Subject | None, now: int) -> None:
    """The name, the standing, the facts, the links, and what one can do for the customer as a whole."""
    customer = record.customer
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(formats.plain(title(customer)), anchor=False, width="content")
        statuses.badge("deleted" if customer.deleted else record.facts.status if record.facts else "none")
    _facts(_about(record, now))
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
        st.page_link(
            navigation.PAGES["customer"].file,
            label=formats.plain(called),
            query_params={"id": row.facts.customer},
        )
        statuses.badge(row.facts.status)


def _about(record: Record, now: int) -> Iterable[tuple[str, str]]:
    customer, facts = record.customer, record.facts
    yield "Email", customer.email or ""
    if facts:
        yield "Plan", facts.plan
        yield "MRR", formats.micros(facts.mrr_micros, facts.currency) if facts.mrr_micros else ""
        left = facts.trial_end if facts.status == "trialing" else None
        yield "Trial", customer_words.trial_left(left, now) if left else ""
    yield "Customer since", formats.day(customer.created)
    yield "Phone", customer.phone or ""
    country = customer_words.country(customer.country)
    yield "Place", ", ".join(filter(None, (customer.address_city, customer.address_state, country)))
    yield "Local time", customer_words.local_time(customer, now)
    if customer.balance:
        word = "Credit" if customer.balance < 0 else "Owes"
        yield word, formats.money(abs(customer.balance), customer.currency or "")


def _facts(pairs: Iterable[tuple[str, str]]) -> None:
    with st.container(horizontal=True, gap="medium"):
        for label, value in pairs:
            if value:
                with st.container(gap=None, width="content"):
                    st.caption(label)
                    st.text(value)


def _links(customer: Customer) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        sandbox = config.settings().mode == "sandbox"
        where = " · sandbox account, no page in Stripe’s dashboard" if sandbox else ""
        st.caption(f"{formats.plain(customer.id)}{where}", width="content")
        links.external("Stripe", links.stripe_url("customer", customer.id))
        links.external("Intercom", links.intercom_url(customer.email))
        links.external("Admin", links.admin_url(customer.id))


def _buttons(person: Person, subject: Subject) -> None:
    id = subject.customer.id
    with st.container(horizontal=True, gap="small"):
        why_not = person.why_not(Permission.SEND_MESSAGE)
        if st.button("Send message", key=f"message:{id}", icon=":material/mail:", disabled=bool(why_not),
                     help=why_not or None):  # fmt: skip
            outreach.message_dialog(person, id)
        why_not = person.why_not(Permission.REQUEST_CALL)
        if st.button("Request a call", key=f"call:{id}", icon=":material/call:", disabled=bool(why_not),
                     help=why_not or None):  # fmt: skip
            outreach.call_dialog(person, id)
        with st.container(width="content"):
            action_buttons(person, subject)
