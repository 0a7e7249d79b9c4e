"""What the generic tests need to know of the commands about invoices and payments."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import stripe

from services.desk import fresh
from services.desk.command import Form
from services.desk.subject import Subject

if TYPE_CHECKING:
    from tests.desk.bench import Bench

FORMS: dict[str, Form] = {
    "refund": {"part": "part", "amount": "30", "code": "duplicate"},
    "void_invoice": {},
    "mark_uncollectible": {},
    "send_invoice": {},
    "remove_charge": {},
    "retry_all": {},
}


def prepare(desk: Bench, command: str) -> Subject:
    """Somebody for whom the command is offered."""
    match command:
        case "refund":
            return paid(desk)
        case "void_invoice" | "mark_uncollectible":
            return desk.failed_invoice()
        case "send_invoice":
            return invoice_in(desk, "open", by_hand=True)
        case "remove_charge":
            return waiting(desk)
        case "retry_all":
            customer = owing(desk, 2)
            desk.sandbox.add_card(customer)
            return fresh.subject(customer, debts=True)
    raise AssertionError(command)


def happened(desk: Bench, command: str, about: Subject) -> list[object]:
    """The effects of a command in the account, one for each time that it was done."""
    match command:
        case "refund":
            return [each.id for each in desk.sdk.refunds.list({"charge": about.object_id}).data]
        case "void_invoice" | "mark_uncollectible":
            status = desk.sdk.invoices.retrieve(about.object_id).status
            return [status] * (status in ("void", "uncollectible"))
        case "send_invoice":
            events = desk.sdk.events.list({"type": "invoice.sent"}).data
            return [each.id for each in events if each.data.object["id"] == about.object_id]
        case "remove_charge":
            kept = desk.sdk.invoice_items.list({"customer": about.customer.id, "pending": True}).data
            return [] if kept else [1]
        case "retry_all":
            charges = desk.sdk.charges.list({"customer": about.customer.id}).data
            taken = [each.amount for each in charges if each.paid]
            return [1] * (sorted(taken) == [1000, 2000])
    raise AssertionError(command)


def paid(desk: Bench, **fields: str) -> Subject:
    """The payment of $49.00 by which a customer began a subscription."""
    customer = desk.customer(**fields)
    desk.subscribe(customer)
    [charge] = desk.sdk.charges.list({"customer": customer}).data
    return fresh.subject(customer, charge.id)


def invoice_in(desk: Bench, status: str, *, by_hand: bool = False) -> Subject:
    """A customer with an invoice of $25.00, charged automatically or sent, in one of Stripe's states."""
    customer = desk.customer()
    how: Any = {"collection_method": "send_invoice", "days_until_due": 14} if by_hand else {}
    made = desk.sdk.invoices.create({"customer": customer, "auto_advance": False, **how}).id
    desk.sdk.invoice_items.create({"customer": customer, "invoice": made, "amount": 2500, "currency": "usd"})
    if status != "draft":
        desk.sdk.invoices.finalize_invoice(made)
    match status:
        case "paid":
            desk.sdk.invoices.pay(made)
        case "void":
            desk.sdk.invoices.void_invoice(made)
        case "uncollectible":
            desk.sdk.invoices.mark_uncollectible(made)
    return fresh.subject(customer, made)


def owing(desk: Bench, count: int) -> str:
    """A customer whose card was declined for invoices of $10.00, $20.00 and so on, all of them open."""
    customer = desk.customer("insufficient_funds")
    for number in range(1, count + 1):
        made = desk.sdk.invoices.create({"customer": customer, "auto_advance": False}).id
        item = {"customer": customer, "invoice": made, "amount": number * 1000, "currency": "usd"}
        desk.sdk.invoice_items.create(item)  # type: ignore[arg-type]
        desk.sdk.invoices.finalize_invoice(made)
        with suppress(stripe.CardError):
            desk.sdk.invoices.pay(made)
        desk.mirror("invoice", made)
        fresh.subject(customer, made)
    return customer


def waiting(desk: Bench, amount: int = 2500) -> Subject:
    """A charge that waits for a subscription's next invoice."""
    customer = desk.customer()
    plan = desk.subscribe(customer)
    made = desk.sdk.invoice_items.create(
        {
            "customer": customer,
            "subscription": plan,
            "amount": amount,
            "currency": "usd",
            "description": "Setup",
        }
    )
    return fresh.subject(customer, made.id)
