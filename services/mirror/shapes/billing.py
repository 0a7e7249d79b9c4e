"""What do invoices, their lines and payments, pending items and credit notes say, as rows?"""

from __future__ import annotations

from services.mirror.shapes.reading import (
    Object,
    Row,
    dig,
    discount_ids,
    either,
    ident,
    metadata,
)


def invoice(source: Object) -> Row:
    """A row of `invoices`; the subscription moved into `parent`."""
    return {
        "id": source["id"],
        "created": source["created"],
        "customer": ident(source["customer"]) or "",
        "subscription": subscription_of(source),
        "number": source.get("number"),
        "status": source["status"],
        "billing_reason": source.get("billing_reason"),
        "collection_method": source.get("collection_method") or "",
        "attempted": bool(source.get("attempted")),
        "attempt_count": source.get("attempt_count") or 0,
        "auto_advance": bool(source.get("auto_advance")),
        "next_payment_attempt": source.get("next_payment_attempt"),
        "due_date": source.get("due_date"),
        "period_start": source.get("period_start"),
        "period_end": source.get("period_end"),
        "hosted_invoice_url": source.get("hosted_invoice_url"),
        "invoice_pdf": source.get("invoice_pdf"),
        "default_payment_method": ident(source.get("default_payment_method")),
        "default_source": ident(source.get("default_source")),
        "description": source.get("description"),
        "discounts": discount_ids(source),
        "metadata": metadata(source),
        **_amounts(source),
        **_transitions(source),
    }


def line(source: Object, parent: Row) -> Row:
    """A row of `invoice_lines`; a line's `created` is its invoice's."""
    item, pending = dig(source, "parent", "subscription_item_details"), _pending(source)
    period = source.get("period") or {}
    price = either(dig(source, "pricing", "price_details"), source.get("price"), source.get("plan"))
    return {
        "id": source["id"],
        "created": parent["created"],
        "invoice": parent["id"],
        "amount": source["amount"],
        "discount_amount": sum(part["amount"] for part in source.get("discount_amounts") or []),
        "currency": source["currency"],
        "description": source.get("description"),
        "quantity": source.get("quantity"),
        "period_start": period.get("start"),
        "period_end": period.get("end"),
        "price": ident(either(dig(price, "price"), dig(price, "id"))),
        "product": ident(dig(price, "product")),
        "subscription": ident(
            either(dig(item, "subscription"), dig(pending, "subscription"), source.get("subscription"))
        ),
        "subscription_item": either(dig(item, "subscription_item"), ident(source.get("subscription_item"))),
        "invoice_item": either(
            dig(pending, "invoice_item"), dig(item, "invoice_item"), ident(source.get("invoice_item"))
        ),
        "proration": bool(either(dig(item, "proration"), dig(pending, "proration"), source.get("proration"))),
    }


def invoice_item(source: Object) -> Row:
    """A row of `invoice_items`; Stripe calls its time `date`."""
    period = source.get("period") or {}
    price = either(dig(source, "pricing", "price_details", "price"), source.get("price"))
    return {
        "id": source["id"],
        "created": source["date"],
        "customer": ident(source["customer"]) or "",
        "subscription": subscription_of(source),
        "invoice": ident(source.get("invoice")),
        "amount": source["amount"],
        "currency": source["currency"],
        "description": source.get("description"),
        "quantity": source.get("quantity") or 0,
        "period_start": period.get("start"),
        "period_end": period.get("end"),
        "price": ident(price),
        "proration": bool(source.get("proration")),
        "metadata": metadata(source),
    }


def invoice_payment(source: Object) -> Row:
    """A row of `invoice_payments`."""
    payment = source["payment"]
    return {
        "id": source["id"],
        "created": source["created"],
        "invoice": ident(source["invoice"]) or "",
        "status": source["status"],
        "amount_paid": source.get("amount_paid"),
        "amount_requested": source.get("amount_requested") or 0,
        "currency": source["currency"],
        "is_default": bool(source.get("is_default")),
        "payment_type": payment["type"],
        "payment_intent": ident(payment.get("payment_intent")),
        "charge": ident(payment.get("charge")),
        "paid_at": dig(source, "status_transitions", "paid_at"),
    }


def credit_note(source: Object) -> Row:
    """A row of `credit_notes`."""
    return {
        "id": source["id"],
        "created": source["created"],
        "invoice": ident(source["invoice"]) or "",
        "customer": ident(source["customer"]) or "",
        "number": source.get("number"),
        "status": source["status"],
        "type": source.get("type"),
        "reason": source.get("reason"),
        "currency": source["currency"],
        "total": source["total"],
        "memo": source.get("memo"),
        "metadata": metadata(source),
    }


def subscription_of(source: Object) -> str | None:
    """The subscription of an invoice or an invoice item, in its new or its old place."""
    return ident(
        either(dig(source, "parent", "subscription_details", "subscription"), source.get("subscription"))
    )


def _pending(source: Object) -> object:
    return dig(source, "parent", "invoice_item_details")


def _amounts(source: Object) -> Row:
    return {
        "currency": source["currency"],
        "subtotal": source.get("subtotal") or 0,
        "total": source["total"],
        "amount_due": source["amount_due"],
        "amount_paid": source["amount_paid"],
        "amount_remaining": source["amount_remaining"],
        "starting_balance": source.get("starting_balance") or 0,
        "ending_balance": source.get("ending_balance"),
    }


def _transitions(source: Object) -> Row:
    at = source.get("status_transitions") or {}
    return {
        name: at.get(name) for name in ("finalized_at", "paid_at", "voided_at", "marked_uncollectible_at")
    }
