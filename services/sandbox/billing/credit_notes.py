"""How is a finalized invoice made smaller afterwards?"""

from __future__ import annotations

from typing import Any

from services.sandbox import objects
from services.sandbox.billing import balance, invoices, metadata, refunds, standing
from services.sandbox.billing.account import Account
from services.sandbox.errors import InvalidRequest
from services.sandbox.store import Body


def create(account: Account, *, invoice: str, **params: Any) -> Body:
    """Credit an amount (minor units) of an invoice. Of an open one it lowers what is due; of a paid one it
    goes to a refund (refund_amount), the customer's balance (credit_amount), or outside Stripe
    (out_of_band_amount). Also: reason, memo, metadata. Raises InvalidRequest.
    """
    body = account.get("invoice", invoice, "invoice")
    if body["status"] not in ("open", "paid"):
        raise InvalidRequest("You can only create credit notes for open or paid invoices.", "invoice")
    amount = _amount(body, params)
    open_before = body["status"] == "open"
    customer = account.customer(body["customer"])
    note_id = account.ids.new("cn")
    line = objects.new("credit_note_line_item", id=account.ids.new("cnli"), amount=amount, quantity=1)
    line |= {"unit_amount": amount, "unit_amount_decimal": str(amount), "description": params.get("memo")}
    note = account.new(
        "credit_note",
        "cn",
        id=note_id,
        amount=amount,
        subtotal=amount,
        total=amount,
        subtotal_excluding_tax=amount,
        total_excluding_tax=amount,
        currency=body["currency"],
        customer=body["customer"],
        invoice=invoice,
        lines=objects.listing(f"/v1/credit_notes/{note_id}/lines", [line]),
        number=_number(account, body),
        pdf=f"{body['invoice_pdf']}?credit_note={note_id}",
        type="pre_payment" if open_before else "post_payment",
        pre_payment_amount=amount if open_before else 0,
        post_payment_amount=0 if open_before else amount,
        effective_at=account.now,
        reason=params.get("reason"),
        memo=params.get("memo"),
        out_of_band_amount=params.get("out_of_band_amount"),
        metadata=metadata.merge({}, params.get("metadata")),
    )
    if open_before:
        _lower(account, body, amount)
    else:
        _give_back(account, body, customer, note, params)
    account.emit("credit_note.created", note)
    return note


def _amount(invoice: Body, params: dict[str, Any]) -> int:
    parts = [params.get(name) or 0 for name in ("refund_amount", "credit_amount", "out_of_band_amount")]
    amount = params.get("amount")
    if amount is None:
        amount = sum(parts)
    credited = invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"]
    left = invoice["amount_remaining"] if invoice["status"] == "open" else invoice["total"] - credited
    if amount < 1 or amount > left:
        raise InvalidRequest(
            f"The sum of credit amount, refund amount and out of band amount ({amount}) must be between 1 "
            f"and what is left of the invoice ({left}).",
            "amount",
        )
    if invoice["status"] == "paid" and sum(parts) != amount:
        raise InvalidRequest(
            "The sum of credit amount, refund amount and out of band amount must equal the credit note "
            "amount.",
            "amount",
        )
    return int(amount)


def _lower(account: Account, invoice: Body, amount: int) -> None:
    left = invoice["amount_remaining"] - amount
    account.change(
        invoice,
        "invoice.updated",
        amount_due=left,
        amount_remaining=left,
        pre_payment_credit_notes_amount=invoice["pre_payment_credit_notes_amount"] + amount,
    )
    payment = invoices.payment_of(account, invoice)
    if payment is None:
        return
    if left == 0:
        invoices.withdraw_payment(account, invoice, "void_invoice")
        invoices.settle(account, invoice)
        standing.settled(account, invoice)
        return
    account.change(payment, amount_requested=left)
    account.change(account.get("payment_intent", payment["payment"]["payment_intent"]), amount=left)


def _give_back(account: Account, invoice: Body, customer: Body, note: Body, params: dict[str, Any]) -> None:
    credited = invoice["post_payment_credit_notes_amount"] + note["amount"]
    account.change(invoice, "invoice.updated", post_payment_credit_notes_amount=credited)
    if params.get("credit_amount"):
        links = {"credit_note": note["id"], "invoice": invoice["id"], "currency": invoice["currency"]}
        moved = balance.adjust(account, customer, -params["credit_amount"], "credit_note", **links)
        account.change(note, customer_balance_transaction=moved["id"])
    payment = invoices.payment_of(account, invoice)
    if params.get("refund_amount"):
        if payment is None:
            raise InvalidRequest(
                "This invoice was not paid by a charge that could be refunded.", "refund_amount"
            )
        intent = payment["payment"]["payment_intent"]
        refund = refunds.create(account, payment_intent=intent, amount=params["refund_amount"])
        made = {"amount_refunded": refund["amount"], "payment_record_refund": None, "refund": refund["id"]}
        account.change(note, refunds=[{**made, "type": "refund"}])


def _number(account: Account, invoice: Body) -> str:
    sequence = account.store.notes(invoice["id"]).get("credit_notes", 0) + 1
    account.note(invoice, credit_notes=sequence)
    return f"{invoice['number']}-CN-{sequence:02}"
