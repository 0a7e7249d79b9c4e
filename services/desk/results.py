"""What did actions come to: what was charged, and was it paid? In few words, for many actions at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlmodel import Session, col, select

from models import Action, Invoice
from services.desk import words

_UNPAID = frozenset(("past_due", "unpaid", "incomplete", "paused"))


def of(session: Session, actions: Collection[Action]) -> dict[str, str]:
    """What was charged, by token, of those actions that charged or added anything."""
    ids = {id for action in actions if (id := _invoice_id(action))}
    invoices = {row.id: row for row in session.exec(select(Invoice).where(col(Invoice.id).in_(ids)))}
    found = {action.token: _charged(action, invoices.get(_invoice_id(action))) for action in actions}
    return {token: said for token, said in found.items() if said}


def _invoice_id(action: Action) -> str:
    if action.command == "retry_payment":
        return action.object_id
    return str(action.result.get("invoice") or "")


def _charged(action: Action, invoice: Invoice | None) -> str:
    if action.state != "done":
        return ""
    amount, currency = _announced(action.params)
    if action.params.get("when") == "next":
        return f"{words.money(amount, currency)} added to the next invoice" if currency else ""
    if invoice is None:
        return ""
    if action.command != "retry_payment":
        amount, currency = invoice.amount_due, invoice.currency
    if not amount or not currency:
        return f"{words.money(invoice.total, invoice.currency)} paid from credit" if invoice.total else ""
    paid = invoice.status == "paid" and action.after.get("status") not in _UNPAID
    by_hand = invoice.collection_method == "send_invoice" and action.command != "retry_payment"
    said = f"invoice of {words.money(amount, currency)} sent" if by_hand else (
        f"charged {words.money(amount, currency)}"
    )  # fmt: skip
    return f"{said}, {'paid' if paid else 'not paid yet'}"


def _announced(params: dict[str, Any]) -> tuple[int, str]:
    return int(params.get("amount") or 0), str(params.get("currency") or "")
