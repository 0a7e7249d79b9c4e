"""What does an invoice come to?"""

from __future__ import annotations

from typing import Any

from services.sandbox.billing import discounts, money
from services.sandbox.billing.account import Account
from services.sandbox.store import Body


def add_up(account: Account, invoice: Body, customer: Body, applied: list[tuple[Body, Body]]) -> None:
    """Add the lines up, take the discounts off, and say what would be due now."""
    made = [_afresh(account, line) for line in invoice["lines"]["data"]]
    eligible = [line for line in made if line["discountable"]]
    totals = [part for line in made for part in line["discount_amounts"]]
    for discount, coupon in applied:
        left = [
            line["amount"] - sum(part["amount"] for part in line["discount_amounts"]) for line in eligible
        ]
        taken = discounts.shares(coupon, left) if left else []
        for line, amount in zip(eligible, taken, strict=True):
            line["discount_amounts"].append({"amount": amount, "discount": discount["id"]})
            line["discounts"].append(discount["id"])
        totals.append({"amount": sum(taken), "discount": discount["id"]})
    subtotal = sum(line["amount"] for line in made)
    total = subtotal - sum(entry["amount"] for entry in totals)
    sums = {"subtotal": subtotal, "subtotal_excluding_tax": subtotal}
    account.change(
        invoice,
        lines={**invoice["lines"], "data": made},
        total=total,
        total_excluding_tax=total,
        total_discount_amounts=totals,
        **sums,
    )
    owed, _ = due(invoice, customer)
    account.change(invoice, amount_due=owed, amount_remaining=owed, starting_balance=customer["balance"])


def _afresh(account: Account, line: Body) -> Body:
    """The line with nothing taken off but the discounts of its own subscription item."""
    own = [id for id in line["discounts"] if account.get("discount", id)["subscription_item"]]
    parts: list[dict[str, Any]] = []
    for discount, coupon in discounts.running(account, own, account.now):
        left = line["amount"] - sum(part["amount"] for part in parts)
        parts.append({"amount": discounts.shares(coupon, [left])[0], "discount": discount["id"]})
    return {**line, "discount_amounts": parts, "discounts": own}


def due(invoice: Body, customer: Body) -> tuple[int, int]:
    """What is to be paid, and what the customer's balance is then. Less than the smallest charge waits."""
    total, credit = invoice["total"], customer["balance"]
    if total == 0:
        return 0, credit
    owed = total + credit
    if owed < money.minimum(invoice["currency"]):
        return 0, owed
    return owed, 0
