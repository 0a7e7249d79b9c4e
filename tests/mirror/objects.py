"""Whole objects of Stripe's for tests without an account: a few fields given, the rest as Stripe sends it.

And how they get into the tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlmodel import Session

from services.mirror import rates, writer
from services.mirror.batch import Batch
from services.sandbox import objects as sandbox

NOW = 1_800_000_000
Object = dict[str, Any]


def store(session: Session, objects: Iterable[Object], as_of: int, *, exact: bool = True) -> set[str]:
    """Writes objects that were true at `as_of` as the desk would; whose facts may have changed."""
    batch = Batch()
    for source in objects:
        batch.add(source, as_of)
    touched = writer.write(session, batch, exact=exact).own
    rates.refresh(session, touched)
    return touched


def customer(id: str = "cus_1", **fields: Any) -> Object:
    return sandbox.new("customer", id=id, **{"created": NOW - 1000, "email": f"{id}@Example.com", **fields})


def product(id: str = "prod_1", **fields: Any) -> Object:
    return sandbox.new("product", id=id, **{"created": NOW - 9000, "updated": NOW, "name": "Team", **fields})


def price(id: str = "price_1", amount: int = 1000, interval: str = "month", **fields: Any) -> Object:
    recurring = sandbox.part("recurring", interval=interval)
    given = {
        "currency": "usd",
        "product": "prod_1",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
    return sandbox.new("price", id=id, created=NOW - 9000, **{**given, "recurring": recurring, **fields})


def item(
    id: str, of: Object | None = None, quantity: int = 1, subscription: str = "sub_1", **fields: Any
) -> Object:
    sold = of or price()
    period = {"current_period_start": NOW - 100, "current_period_end": NOW + 100}
    given = {"created": NOW - 500, "price": sold, "plan": sandbox.plan_of(sold), "quantity": quantity}
    return sandbox.new("subscription_item", id=id, subscription=subscription, **{**period, **given, **fields})


def subscription(id: str = "sub_1", items: list[Object] | None = None, **fields: Any) -> Object:
    members = [item(f"si_{id}", subscription=id)] if items is None else items
    given = {
        "billing_cycle_anchor": NOW,
        "created": NOW - 500,
        "currency": "usd",
        "customer": "cus_1",
        "start_date": NOW - 500,
        "status": "active",
    }
    listed = sandbox.listing(f"/v1/subscription_items?subscription={id}", members)
    return sandbox.new("subscription", id=id, items=listed, **{**given, **fields})


def line(id: str, amount: int = 1000, **fields: Any) -> Object:
    given = {
        "amount": amount,
        "currency": "usd",
        "invoice": "in_1",
        "period": {"start": NOW, "end": NOW + 100},
    }
    return sandbox.new("line_item", id=id, **{**given, **fields})


def invoice(id: str = "in_1", lines: list[Object] | None = None, amount: int = 1000, **fields: Any) -> Object:
    given = {
        "created": NOW - 400,
        "currency": "usd",
        "customer": "cus_1",
        "period_start": NOW - 500,
        "period_end": NOW - 400,
        "status": "open",
        "total": amount,
        "amount_due": amount,
        "amount_remaining": amount,
    }
    listed = sandbox.listing(f"/v1/invoices/{id}/lines", [line(f"il_{id}")] if lines is None else lines)
    return sandbox.new("invoice", id=id, lines=listed, **{**given, **fields})


def charge(id: str = "ch_1", **fields: Any) -> Object:
    card = sandbox.part("charge.card", brand="visa", exp_month=1, exp_year=2031, last4="4242", country="FR")
    given = {
        "amount": 1000,
        "created": NOW - 300,
        "currency": "usd",
        "status": "succeeded",
        "customer": "cus_1",
        "payment_method": "pm_charged",
        "payment_method_details": {"type": "card", "card": card},
    }
    return sandbox.new("charge", id=id, **{**given, **fields})


def declined(id: str, reason: str, **fields: Any) -> Object:
    outcome = sandbox.part("charge.outcome", type="issuer_declined", reason=reason)
    return charge(id, status="failed", failure_code="card_declined", outcome=outcome, **fields)


def invoice_payment(
    id: str = "inpay_1", invoice: str = "in_1", intent: str = "pi_1", **fields: Any
) -> Object:
    payment = sandbox.part("invoice_payment.payment", payment_intent=intent)
    given = {"amount_requested": 1000, "created": NOW - 390, "currency": "usd", "status": "open"}
    return sandbox.new("invoice_payment", id=id, invoice=invoice, payment=payment, **{**given, **fields})


def method(id: str = "pm_1", last4: str = "1881", **fields: Any) -> Object:
    card = sandbox.part("payment_method.card", brand="visa", exp_month=2, exp_year=2032, last4=last4)
    return sandbox.new("payment_method", id=id, **{"created": NOW - 800, "card": card, **fields})


def coupon(id: str = "HALF", **fields: Any) -> Object:
    return sandbox.new(
        "coupon", id=id, **{"created": NOW - 9000, "duration": "forever", "percent_off": 50, **fields}
    )


def discount(id: str = "di_1", of: Any = "HALF", **fields: Any) -> Object:
    return sandbox.new(
        "discount", id=id, source={"type": "coupon", "coupon": of}, **{"start": NOW - 500, **fields}
    )


def dispute(id: str = "dp_1", **fields: Any) -> Object:
    details = sandbox.part("dispute.evidence_details", due_by=NOW + 500)
    given = {
        "amount": 1000,
        "charge": "ch_1",
        "created": NOW - 200,
        "currency": "usd",
        "reason": "fraudulent",
    }
    return sandbox.new(
        "dispute", id=id, evidence_details=details, **{"status": "needs_response", **given, **fields}
    )


def deleted(kind: str, id: str) -> Object:
    return sandbox.deleted(kind, id)
