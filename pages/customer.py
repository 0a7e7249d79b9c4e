"""One customer: who it is, what it pays, what happened, and what we do about it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from models import Dispute
from pages.components import (
    address,
    customer_billing,
    customer_header,
    customer_notes,
    customer_plans,
    customer_timeline,
    guard,
    looks,
    more,
    navigation,
    problems,
    request_cards,
)
from services import clock, database
from services.customers import billing, record
from services.customers.billing import Card, Demand
from services.customers.record import Record
from services.desk import loading, requestboard
from services.desk.requestboard import Request
from services.desk.subject import Subject
from services.errors import NotFound
from services.outreach import callboard
from services.outreach.callboard import CallRow
from services.staff.roles import Person

_VIEWS = ("Timeline", "Invoices", "Payments")
_NARROWEST = 240  # pixels of a third of the page; where there is no room the last third goes below
_ALARMS, _PLANS = 5, 10  # shown at first, and more at each click


@dataclass(frozen=True, slots=True)
class Seen:
    """What one run of the page shows: all of it is read in one session.

    `all_unpaid` counts also those that are not shown; `plans` is how many of the record's are shown.
    """

    record: Record
    unpaid: list[Demand]
    all_unpaid: int
    plans: int
    disputes: list[Dispute]
    cards: list[Card]
    calls: list[CallRow]
    requests: dict[str, Request]
    subjects: dict[str, Subject]


def main() -> None:
    """One run of the page."""
    person = guard.enter("customer")
    id = address.read("id").strip()
    if not id:
        _nobody()
        st.info("No customer is chosen. Find one on the Customers page and open it there.")
        _to_search()
        return
    now = clock.now()
    try:
        seen = _read(id, now)
    except NotFound as problem:
        _nobody()
        problems.show(problem)
        _when_news_comes()
        _to_search()
        return
    navigation.entitle(customer_header.title(seen.record.customer))
    _draw(person, seen, now)


def _nobody() -> None:
    navigation.entitle("Customer")
    st.title("Customer")


def _when_news_comes() -> None:
    st.caption(
        f"The desk looks for news in Stripe every {looks.every()}: a customer just created appears at the "
        "next look."
    )


def _to_search() -> None:
    if st.button("Search customers", icon=":material/search:"):
        navigation.go("customers")


def _read(id: str, now: int) -> Seen:
    with database.session() as session:
        found = record.read(session, id, now=now)
        here = not found.customer.deleted
        limit = more.limit(_key("unpaid", id), _ALARMS)
        unpaid = billing.unpaid(session, id, now=now, limit=limit) if here else []
        plans = more.limit(_key("plans", id), _PLANS)
        shown = {plan.row.id for plan in found.plans[:plans]}
        about = [plan.row.id for plan in found.actionable if plan.row.id in shown]
        about += [demand.row.id for demand in unpaid]
        return Seen(
            record=found,
            unpaid=unpaid,
            all_unpaid=billing.count_unpaid(session, id, now=now) if len(unpaid) == limit else len(unpaid),
            plans=plans,
            disputes=billing.disputes(session, id),
            cards=billing.cards(session, id, default=found.default_payment_method),
            calls=callboard.open_with(session, [id], now),
            requests=requestboard.undecided_of(session, id),
            subjects=loading.load_many(session, id, about) if here else {},
        )


def _key(list: str, customer: str) -> str:
    return f"{list}:{customer}"


def _draw(person: Person, seen: Seen, now: int) -> None:
    customer = seen.record.customer
    customer_header.draw(person, seen.record, seen.subjects.get(customer.id), seen.calls, now)
    grid = st.grid(3, gap="large", min_column_width=_NARROWEST)
    with grid.cell(column_span=2):
        for request in seen.requests.values():
            request_cards.card(person, request, of_many=False)
        customer_plans.unpaid(person, seen.unpaid, seen.subjects, now)
        more.below(len(seen.unpaid), seen.all_unpaid, "unpaid invoices", _key("unpaid", customer.id), _ALARMS)
        customer_plans.disputes(seen.disputes)
        customer_plans.plans(person, seen.record, seen.plans, seen.subjects, now)
        more.below(seen.plans, len(seen.record.plans), "subscriptions", _key("plans", customer.id), _PLANS)
        customer_plans.pending(person, seen.record, seen.subjects)
        _lists(person, customer.id)
    with grid.cell():
        customer_notes.draw(person, customer.id)
        customer_billing.cards(seen.cards, seen.record.default_payment_method, now)
        customer_billing.disputes(seen.disputes)
        _same_email(seen.record)
        _metadata(seen.record)


def _lists(person: Person, customer: str) -> None:
    address.expect("view", _VIEWS)
    timeline, invoices, payments = st.tabs(_VIEWS, key="view", bind="query-params")
    if timeline.open:
        with timeline:
            customer_timeline.draw(person, customer)
    if invoices.open:
        with invoices:
            customer_billing.invoices(person, customer, clock.now())
    if payments.open:
        with payments:
            customer_billing.payments(person, customer)


def _same_email(found: Record) -> None:
    if not found.same_email:
        return
    st.subheader("Same email address", anchor=False)
    for row in found.same_email:
        customer_header.link(row)


def _metadata(found: Record) -> None:
    if not found.customer.metadata_:
        return
    with st.expander("Metadata in Stripe"):
        for key, value in sorted(found.customer.metadata_.items()):
            st.text(f"{key}: {value}")


main()
