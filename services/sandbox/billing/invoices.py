"""What is an invoice made of, and how does it get from draft to its end?

A draft is built from a subscription's items and from what is pending, `finalize` opens it with a number and a
payment intent, and `settle`, `void` and `give_up` end it. Charging it is `payments`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.sandbox import objects
from services.sandbox.billing import balance, discounts, lines, totals
from services.sandbox.billing.account import Account
from services.sandbox.billing.periods import DAY
from services.sandbox.errors import InvalidRequest, TooManyRequests
from services.sandbox.store import Body, subscription_of

HOSTED = "/hosted/invoice"
_PER_MINUTE, _PER_DAY = 10, 20
_CHARGED_FOR = {"manual": "Payment for Invoice", "subscription_create": "Subscription creation"}


def draft(
    account: Account,
    customer: Body,
    reason: str,
    *,
    subscription: Body | None = None,
    billed: Sequence[tuple[Body, lines.Span]] = (),
    pending: Sequence[Body] = (),
    share: lines.Share = lines.WHOLE,
    **fields: Any,
) -> Body:
    """A draft with a line for each subscription item and span in `billed` and for each pending invoice item.
    Without `automatically_finalizes_at` it waits for a command.
    """
    invoice_id = account.ids.new("in")
    made = [lines.of_item(account, invoice_id, item, span, share) for item, span in billed]
    made += [lines.of_invoice_item(account, invoice_id, item) for item in pending]
    fields.setdefault("period_start", account.now)
    fields.setdefault("period_end", account.now)
    fields.setdefault("currency", _currency(customer, subscription, made))
    fields.setdefault("collection_method", subscription["collection_method"] if subscription else None)
    fields["collection_method"] = fields["collection_method"] or "charge_automatically"
    fields.setdefault("metadata", {})
    applied = (
        []
        if share == lines.NOTHING
        else discounts.running(account, _discount_ids(fields, subscription), account.now)
    )
    fields["discounts"] = [discount["id"] for discount, _ in applied]
    invoice = account.new(
        "invoice",
        "in",
        id=invoice_id,
        customer=customer["id"],
        lines=objects.listing(f"/v1/invoices/{invoice_id}/lines", made),
        billing_reason=reason,
        parent=_parent(subscription),
        **_customer_fields(customer),
        **fields,
    )
    totals.add_up(account, invoice, customer, applied)
    for item in pending:
        account.change(item, None, invoice=invoice_id)
    account.emit("invoice.created", invoice)
    return invoice


def recompute(
    account: Account, invoice: Body, made: list[Body], event: str | None = "invoice.updated"
) -> None:
    """Put other lines on a draft and add it up again."""
    customer = account.get("customer", invoice["customer"])
    listing = {**invoice["lines"], "data": made}
    account.change(invoice, event, lines=listing)
    applied = discounts.running(account, invoice["discounts"], account.now)
    totals.add_up(account, invoice, customer, applied)


def pending_items(account: Account, customer_id: str, subscription_id: str | None) -> list[Body]:
    """The invoice items that wait for the next invoice: of a subscription those made for it or for none."""
    items = account.store.all("invoiceitem", "customer = ? AND parent IS NULL", (customer_id,))
    return [item for item in items if _belongs(item, subscription_id)]


def _belongs(item: Body, subscription_id: str | None) -> bool:
    owner = subscription_of(item)
    return owner is None or owner == subscription_id


def finalize(account: Account, invoice: Body) -> Body:
    """Open a draft: number, links, the customer's balance, a payment intent. Settles it when nothing is due.
    Raises InvalidRequest unless it is a draft.
    """
    if invoice["status"] != "draft":
        raise InvalidRequest(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            code="invoice_not_editable",
        )
    customer = account.customer(invoice["customer"])
    due, ending = totals.due(invoice, customer)
    token = account.ids.token(32)
    link = f"{account.public_url}{HOSTED}/{token}"
    terms = account.store.notes(invoice["id"]).get("days_until_due", 30)
    by_hand = invoice["collection_method"] == "send_invoice"
    account.note(invoice, token=token)
    account.change(
        invoice,
        "invoice.updated",
        status="open",
        number=_number(account, customer),
        starting_balance=customer["balance"],
        ending_balance=ending,
        amount_due=due,
        amount_remaining=due,
        effective_at=account.now,
        automatically_finalizes_at=None,
        due_date=invoice["due_date"] or (account.now + terms * DAY if by_hand else None),
        hosted_invoice_url=link,
        invoice_pdf=f"{link}/pdf",
        status_transitions={**invoice["status_transitions"], "finalized_at": account.now},
    )
    if ending != customer["balance"]:
        links = {"invoice": invoice["id"], "currency": invoice["currency"]}
        balance.adjust(account, customer, ending - customer["balance"], "applied_to_invoice", **links)
    if due > 0:
        _ask_for_payment(account, invoice)
    account.emit("invoice.finalized", invoice)
    if due == 0:
        settle(account, invoice)
    return invoice


def settle(account: Account, invoice: Body, **fields: Any) -> None:
    """The invoice is paid, by a charge, by credit, or because nothing was due."""
    transitions = {**invoice["status_transitions"], "paid_at": account.now}
    paid = {"amount_paid": invoice["amount_due"], "amount_remaining": 0, **fields}
    account.change(
        invoice,
        "invoice.updated",
        status="paid",
        attempted=True,
        auto_advance=False,
        next_payment_attempt=None,
        status_transitions=transitions,
        **paid,
    )
    account.emit("invoice.paid", invoice)
    account.emit("invoice.payment_succeeded", invoice)


def void(account: Account, invoice: Body) -> None:
    """Nobody has to pay the open invoice any more."""
    require(invoice, "open", "uncollectible")
    transitions = {**invoice["status_transitions"], "voided_at": account.now}
    ended = {"auto_advance": False, "next_payment_attempt": None}
    account.change(invoice, "invoice.updated", status="void", status_transitions=transitions, **ended)
    account.emit("invoice.voided", invoice)
    withdraw_payment(account, invoice, "void_invoice")
    _give_back_balance(account, invoice)


def give_up(account: Account, invoice: Body) -> None:
    """Mark an open invoice as uncollectible: it stays owed, and nobody expects it to be paid."""
    require(invoice, "open", "draft")
    transitions = {**invoice["status_transitions"], "marked_uncollectible_at": account.now}
    ended = {"auto_advance": False, "next_payment_attempt": None}
    account.change(
        invoice, "invoice.updated", status="uncollectible", status_transitions=transitions, **ended
    )
    account.emit("invoice.marked_uncollectible", invoice)


def stop_collecting(account: Account, invoice: Body) -> None:
    """Leave an invoice to be paid by hand."""
    ended = {"auto_advance": False, "next_payment_attempt": None}
    account.change(invoice, "invoice.updated", **ended, automatically_finalizes_at=None)


def require(invoice: Body, *statuses: str) -> None:
    """Raises InvalidRequest unless the invoice has one of the statuses."""
    if invoice["status"] not in statuses:
        wanted = " or ".join(statuses)
        raise InvalidRequest(
            f"This invoice's status is {invoice['status']}; it must be {wanted} for this.",
            code="invoice_not_editable",
        )


def check_rate(account: Account, subscription_id: str) -> None:
    """A subscription can have 10 new invoices a minute and 20 a day by command; raises TooManyRequests."""
    count = (
        "SELECT count(*) FILTER (WHERE created > ?), count(*) FROM objects "
        "WHERE kind = ? AND parent = ? AND created > ?"
    )
    args = (account.now - 60, "invoice", subscription_id, account.now - DAY)
    minute, day = account.store.query("invoice", count, args)[0]
    if minute >= _PER_MINUTE or day >= _PER_DAY:
        raise TooManyRequests("resource-specific")


def payment_of(account: Account, invoice: Body) -> Body | None:
    """The open invoice payment through which the invoice is paid."""
    found = account.store.notes(invoice["id"]).get("payment")
    return account.store.find(found) if found else None


def _discount_ids(fields: dict[str, Any], subscription: Body | None) -> list[str]:
    ids: list[str] | None = fields.get("discounts")
    if ids is None:
        ids = subscription["discounts"] if subscription else []
    return ids


def _currency(customer: Body, subscription: Body | None, made: list[Body]) -> str:
    if subscription:
        return str(subscription["currency"])
    return str(made[0]["currency"] if made else customer["currency"] or "usd")


def _parent(subscription: Body | None) -> dict[str, Any] | None:
    if subscription is None:
        return None
    metadata = dict(subscription["metadata"])
    details = objects.part("invoice.parent.subscription", subscription=subscription["id"], metadata=metadata)
    return objects.part("invoice.parent", subscription_details=details)


def _customer_fields(customer: Body) -> dict[str, Any]:
    return {
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "account_country": "US",
        "account_name": "Trialdesk Sandbox",
    }


def _number(account: Account, customer: Body) -> str:
    sequence = customer["next_invoice_sequence"]
    account.change(customer, next_invoice_sequence=sequence + 1)
    return f"{customer['invoice_prefix']}-{sequence:04}"


def _ask_for_payment(account: Account, invoice: Body) -> None:
    intent_id = account.ids.new("pi")
    words = _CHARGED_FOR.get(invoice["billing_reason"], "Subscription update")
    intent = account.new(
        "payment_intent",
        "pi",
        id=intent_id,
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        description=words,
        client_secret=f"{intent_id}_secret_{account.ids.token(24)}",
        status="requires_payment_method",
        notes={"invoice": invoice["id"]},
    )
    payment = account.new(
        "invoice_payment",
        "inpay",
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        payment=objects.part("invoice_payment.payment", payment_intent=intent_id),
        status="open",
    )
    account.note(invoice, payment=payment["id"])
    account.emit("payment_intent.created", intent)


def withdraw_payment(account: Account, invoice: Body, reason: str) -> None:
    """Cancel the payment that an open invoice asked for; `reason` is the payment intent's."""
    payment = payment_of(account, invoice)
    if payment is None or payment["status"] != "open":
        return
    transitions = {**payment["status_transitions"], "canceled_at": account.now}
    account.change(payment, status="canceled", status_transitions=transitions)
    intent = account.get("payment_intent", payment["payment"]["payment_intent"])
    if account.change(intent, status="canceled", canceled_at=account.now, cancellation_reason=reason):
        account.emit("payment_intent.canceled", intent)


def _give_back_balance(account: Account, invoice: Body) -> None:
    applied = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    customer = account.get("customer", invoice["customer"])
    if applied and not customer.get("deleted"):
        links = {"invoice": invoice["id"], "currency": invoice["currency"]}
        balance.adjust(account, customer, -applied, "unapplied_from_invoice", **links)
