"""What may a text say about a customer? Names, meanings, and the values of one customer.

A value that the customer does not have is left out, so that a text that needs it is refused instead
of being sent with a hole. Days are the workspace's, amounts and dates are written in its locale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from babel.dates import format_date, format_time
from sqlmodel import Session, col, select

from models import Customer, CustomerFacts, Invoice, Subscription
from models.subscriptions import ENDED
from services import clock, money
from services.config import Settings
from services.metrics.recovery import failures
from services.outreach import plans
from services.outreach.email import one_line

_LONGEST_NAME = 80
_NAMELESS = "there"

VARIABLES: dict[str, str] = {
    "name": "the customer's name, or “there”",
    "email": "the customer's email address",
    "plan": "the plan's name",
    "plan_price": "what the plan costs, e.g. $49.00 a month",
    "trial_end": "the day the trial ends",
    "trial_end_time": "the time and zone the trial ends",
    "days_left": "days left of the running trial",
    "on_trial": "whether a trial is running (for {% if %})",
    "trial_over": "whether the trial ended and nothing was ever paid (for {% if %})",
    "set_to_cancel": "whether the plan ends by itself before the next charge (for {% if %})",
    "canceled": "whether the plan has ended (for {% if %})",
    "by_invoice": "whether invoices are sent for the plan instead of charging a card (for {% if %})",
    "card_on_file": "whether there is a card on file (for {% if %})",
    "card_last4": "the last four digits of the card",
    "card_url": "the link to add or change a card",
    "card_url_is_brief": "whether that link opens for a few minutes only (for {% if %})",
    "pay_page_only": "whether there is no card link, but a page where the failed invoice can be paid "
    "(for {% if %})",
    "amount_due": "what the failed invoice asks for",
    "invoice_number": "the failed invoice's number",
    "hosted_invoice_url": "the page where the failed invoice can be paid",
    "next_attempt": "the day of the next automatic try",
    "offer": "what is offered to a customer who wants to cancel",
    "booking_url": "the link to book a call",
    "staff_name": "the name of the person who sends",
    "workspace_name": "the name of our company",
}

REMEDIES: dict[str, str] = {
    "card_url": "Make a card link first (“Card link”) and send it from there, or ask an admin to set "
    "CUSTOMER_PORTAL_URL.",
    "offer": "Use “Offer something else” at the customer's request to cancel, and write from there.",
}  # what to do where a value is missing, if there is something better than another text

CONDITIONS: dict[str, str] = {
    "on_trial": "on a running trial",
    "trial_over": "whose trial ended without a payment",
    "canceled": "whose plan has ended",
}


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a message is about beyond its customer: a certain invoice, a card link just made, an offer.

    A card link just made opens for a few minutes only.
    """

    invoice: str = ""
    card_url: str = ""
    offer: str = ""


def of_customer(
    session: Session, customer: Customer, staff_name: str, settings: Settings, occasion: Occasion
) -> dict[str, Any]:
    """The values that the customer has, by name; those without a value are left out."""
    facts = session.get(CustomerFacts, customer.id) or CustomerFacts(customer=customer.id)
    values: dict[str, Any] = {
        "name": one_line(customer.name or "", _LONGEST_NAME) or _NAMELESS,
        "email": customer.email,
        "card_on_file": facts.payment_method_on_file,
        "card_last4": facts.card_last4,
        "offer": occasion.offer,
        "booking_url": settings.booking_url,
        "staff_name": staff_name,
        "workspace_name": settings.workspace_name,
    }
    subscription = _about(session, customer.id, facts)
    values |= _standing(session, subscription)
    if subscription:
        name, price = plans.describe(session, customer, subscription, settings.workspace_locale)
        values |= {"plan": name, "plan_price": price} | _trial(subscription, settings)
    values |= _failure(session, customer.id, occasion.invoice, settings)
    values |= _card_page(occasion, settings, bool(values.get("hosted_invoice_url")))
    return {name: value for name, value in values.items() if value is not None and value != ""}


def _card_page(occasion: Occasion, settings: Settings, can_be_paid: bool) -> dict[str, Any]:
    """Where a card can be entered. An invoice's page takes one for its payment only, so it is none."""
    url = occasion.card_url or settings.customer_portal_url
    return {
        "card_url": url,
        "card_url_is_brief": bool(occasion.card_url),
        "pay_page_only": can_be_paid and not url,
    }


def _about(session: Session, customer: str, facts: CustomerFacts) -> Subscription | None:
    """The subscription that a message is about: the running trial that ends first, else the one that
    speaks for the customer."""
    trial = session.exec(
        select(Subscription)
        .where(
            Subscription.customer == customer,
            Subscription.status == "trialing",
            col(Subscription.deleted).is_(False),
            col(Subscription.trial_end).is_not(None),
        )
        .order_by(col(Subscription.trial_end))
        .limit(1)
    ).first()
    return trial or (session.get(Subscription, facts.subscription) if facts.subscription else None)


def _standing(session: Session, subscription: Subscription | None) -> dict[str, bool]:
    """Where the subscription that a message is about stands, as yes and no."""
    if subscription is None:
        return dict.fromkeys(("on_trial", "trial_over", "set_to_cancel", "canceled", "by_invoice"), False)
    now, status = clock.now(), subscription.status
    trial_end = subscription.trial_end
    ended_in_trial = status in {"canceled", "paused"} and trial_end is not None and trial_end <= now
    return {
        "on_trial": status == "trialing",
        "trial_over": ended_in_trial and not _has_paid(session, subscription.customer),
        "set_to_cancel": status not in ENDED and _ends_before_charge(subscription),
        "canceled": status == "canceled",
        "by_invoice": subscription.collection_method == "send_invoice",
    }


def _ends_before_charge(subscription: Subscription) -> bool:
    """Whether a cancellation takes effect before (or instead of) the next charge."""
    charge = subscription.trial_end if subscription.status == "trialing" else subscription.current_period_end
    ends = subscription.cancel_at
    return subscription.cancel_at_period_end or (ends is not None and (charge is None or ends <= charge))


def _has_paid(session: Session, customer: str) -> bool:
    paid = (Invoice.customer == customer, Invoice.status == "paid", Invoice.amount_paid > 0)
    of_plan = col(Invoice.subscription).is_not(None)
    return session.exec(select(Invoice.id).where(*paid, of_plan).limit(1)).first() is not None


def _trial(subscription: Subscription, settings: Settings) -> dict[str, Any]:
    end = subscription.trial_end
    if end is None:
        return {}
    time = format_time(clock.local(end, settings.zone), "short", locale=settings.workspace_locale)
    return {
        "trial_end": _day(end, settings),
        "trial_end_time": f"{time} ({settings.workspace_timezone})",
        "days_left": clock.days_left(end, clock.now()) if subscription.status == "trialing" else None,
    }


def _failure(session: Session, customer: str, invoice: str, settings: Settings) -> dict[str, Any]:
    """The open failed invoice that the message is about; without a wish the largest."""
    wanted = [Invoice.id == invoice] if invoice else []
    failed = session.exec(
        select(Invoice)
        .where(Invoice.customer == customer, failures.is_open_failure(), *wanted)
        .order_by(col(Invoice.amount_remaining).desc(), col(Invoice.id))
        .limit(1)
    ).first()
    if failed is None:
        return {}
    tried = failures.last(session.connection(), [failed.id]).get(failed.id)
    next_attempt = failed.next_payment_attempt
    return {
        "amount_due": money.display(
            failed.amount_remaining, failed.currency, locale=settings.workspace_locale
        ),
        "invoice_number": failed.number,
        "hosted_invoice_url": failed.hosted_invoice_url,
        "next_attempt": _day(next_attempt, settings) if next_attempt else None,
    } | ({"card_last4": tried.last4} if tried and tried.last4 else {})


def _day(instant: int, settings: Settings) -> str:
    return str(format_date(clock.local(instant, settings.zone), "full", locale=settings.workspace_locale))
