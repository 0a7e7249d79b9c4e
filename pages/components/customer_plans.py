"""What does the customer subscribe to, what needs somebody now, and what can be done about each?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from models import Dispute, InvoiceItem
from pages.components import customer_words, formats, links, request_dialogs, statuses
from pages.components.actions import action_buttons
from services.customers import billing
from services.customers.billing import Demand
from services.customers.record import Plan, Record
from services.desk.subject import Subject
from services.staff.roles import Permission, Person
from services.stripe_api import declines

Subjects = Mapping[str, Subject]


def unpaid(person: Person, demands: Sequence[Demand], subjects: Subjects, now: int) -> None:
    """Invoices that could not be collected or are overdue, each with what can be done about it."""
    for demand in demands:
        with st.container(border=True):
            _unpaid(demand, now)
            if demand.row.id in subjects:
                action_buttons(person, subjects[demand.row.id])


def disputes(found: Sequence[Dispute]) -> None:
    """Disputes that wait for an answer."""
    for dispute in found:
        if billing.needs_response(dispute):
            with st.container(border=True):
                _dispute(dispute)


def _unpaid(demand: Demand, now: int) -> None:
    row = demand.row
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        amount = formats.money(row.amount_remaining, row.currency)
        st.markdown(
            f"**{formats.plain(f'{amount} of invoice {row.number or row.id} is not paid')}**", width="content"
        )
        statuses.badge("overdue" if demand.overdue(now) else "failed")
    if demand.overdue(now):
        due = f"{formats.day(row.due_date)}, {formats.relative(row.due_date, now=now)}"
        st.text(f"It was sent for the customer to pay, and was due on {due}.")
    if demand.failed or not demand.overdue(now):
        _attempts(demand)
    with st.container(horizontal=True, gap="small"):
        links.external("Invoice page", row.hosted_invoice_url or "")
        links.external("Stripe", links.stripe_url("invoice", row.id))


def _attempts(demand: Demand) -> None:
    """Why the last try to collect it failed, and when the next one is."""
    row = demand.row
    if not demand.failed:
        st.text("No payment was possible: there was no payment method to charge.")
    else:
        told = declines.explain(demand.failed.code)
        st.text(f"{told.words} {told.advice}")
    tried = f"Tried {formats.plural(row.attempt_count, 'time')} by Stripe's count"
    if row.next_payment_attempt:
        st.caption(f"{tried}. Stripe tries again on {formats.moment(row.next_payment_attempt)}.")
    else:
        st.caption(f"{tried}. Stripe will not try again by itself.")


def _dispute(row: Dispute) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**{formats.plain(f'{formats.money(row.amount, row.currency)} is disputed')}**", width="content"
        )
        statuses.badge(row.status)
    due = ""
    if row.evidence_due_by:
        due = (
            f" Evidence is due by {formats.moment(row.evidence_due_by)}, "
            f"{formats.relative(row.evidence_due_by)}."
        )
    st.text(f"Reason given: {row.reason.replace('_', ' ')}.{due}")
    links.external("Stripe", links.stripe_url("dispute", row.id))


def plans(person: Person, record: Record, limit: int, subjects: Subjects, now: int) -> None:
    """The first subscriptions: those that run, then those that ended (folded away when another runs)."""
    st.subheader("Subscriptions", anchor=False)
    if not record.plans:
        st.caption("No subscription yet.")
    running = [plan for plan in record.plans[:limit] if not plan.over]
    ended = [plan for plan in record.plans[:limit] if plan.over]
    shown, folded = (running, ended) if running else (ended[:1], ended[1:])
    for plan in shown:
        _plan(person, plan, subjects, now)
    if folded:
        with st.expander(f"{formats.plural(len(folded), 'ended subscription')}"):
            for plan in folded:
                _plan(person, plan, subjects, now)
    for rebate in record.rebates:
        st.text(f"On everything: {customer_words.rebate(rebate)}")


def _plan(person: Person, plan: Plan, subjects: Subjects, now: int) -> None:
    row = plan.row
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            names = " + ".join(item.product for item in plan.items) or "Subscription"
            st.markdown(f"**{formats.plain(names)}**", width="content")
            statuses.badge(row.status)
            if plan.ends_at is not None:
                st.badge("Set to end", color="orange")
            st.caption(f"since {formats.day(row.start_date)}", width="content")
            links.external("Stripe", links.stripe_url("subscription", row.id))
        for item in plan.items:
            st.text(customer_words.item(item))
        for rebate in plan.rebates:
            st.text(customer_words.rebate(rebate))
        subject = subjects.get(row.id)
        on_file = subject is not None and subject.payment_method is not None
        if told := customer_words.standing(plan, now, on_file=on_file):
            st.caption("  \n".join(map(formats.plain, told)))
        if subject is not None:
            record = None if plan.over else partial(_record, person, subject)
            action_buttons(person, subject, beside=record)


def _record(person: Person, subject: Subject) -> None:
    """The button for what the customer wrote or said."""
    why_not = person.why_not(Permission.ANNOTATE)
    if st.button(
        request_dialogs.RECORD, key=f"record:{subject.object_id}", icon=":material/person_remove:",
        disabled=bool(why_not), help=formats.plain(why_not) or None,
    ):  # fmt: skip
        request_dialogs.record_dialog(subject)


def pending(person: Person, record: Record, subjects: Subjects) -> None:
    """Charges that wait for the next invoice, apart from those that none will bring."""
    over = {plan.row.id for plan in record.plans if plan.over}
    stranded = [row for row in record.pending if row.subscription in over]
    _charges(person, "On the next invoice", [row for row in record.pending if row not in stranded], subjects)
    if stranded:
        _charges(person, "Waiting, and not billed by itself", stranded, subjects)
        st.caption("It belongs to a subscription that is over: bill it in Stripe, or remove it.")


def _charges(person: Person, title: str, rows: Sequence[InvoiceItem], subjects: Subjects) -> None:
    if rows:
        st.subheader(title, anchor=False)
        for row in rows:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.text(customer_words.pending(row), width="content")
                if row.id in subjects:
                    action_buttons(person, subjects[row.id])
