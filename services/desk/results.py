"""What did actions come to: what was charged, and what became of it since? In few words, for many at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlmodel import Session, col, select

from models import Action, Invoice
from services.desk import words

_UNCHARGED = frozenset(("void_invoice", "mark_uncollectible", "send_invoice", "remove_charge"))
_LEFT = {"void": "voided since", "uncollectible": "given up as uncollectible"}


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
    if action.state != "done" or action.command in _UNCHARGED:
        return ""
    amount, currency = _announced(action.params)
    if action.command == "refund":
        return f"{words.money(amount, currency)} refunded"
    if action.params.get("when") == "next":
        return f"{words.money(amount, currency)} added to the next invoice" if currency else ""
    if invoice is None:
        return ""
    if action.command != "retry_payment":
        amount, currency = invoice.amount_due, invoice.currency
    if not amount or not currency:
        return _uncharged(invoice)
    by_hand = invoice.collection_method == "send_invoice" and action.command != "retry_payment"
    return _asked(words.money(amount, currency), invoice.status, by_hand)


def _uncharged(invoice: Invoice) -> str:
    """What paid an invoice that charged nothing."""
    parts = ((invoice.from_credit, "paid from credit"), (invoice.carried, "moved to the customer's balance"))
    return ", ".join(f"{words.money(amount, invoice.currency)} {how}" for amount, how in parts if amount)


def _asked(money: str, status: str | None, by_hand: bool) -> str:
    """An amount that was asked for, and where its invoice stands now."""
    paid = status == "paid"
    stands = "paid" if paid else _LEFT.get(status or "", "not paid yet")
    if by_hand:
        return f"invoice of {money} sent, {stands}"
    if paid:
        return f"charged {money}, paid"
    return f"{money} asked for, {stands}" if status in _LEFT else f"asked for {money}, {stands}"


def _announced(params: dict[str, Any]) -> tuple[int, str]:
    return int(params.get("amount") or 0), str(params.get("currency") or "")
