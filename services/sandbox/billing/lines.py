"""What stands on the lines of an invoice?"""

from __future__ import annotations

from typing import Any

from services.sandbox import objects
from services.sandbox.billing import money
from services.sandbox.billing.account import Account
from services.sandbox.store import Body

Span = tuple[int, int]
Share = tuple[int, int]
WHOLE, NOTHING = (1, 1), (0, 1)


def product_name(account: Account, price: Body) -> str:
    """The name that people know the price by."""
    product = account.store.find(price["product"])
    return str(product["name"]) if product else str(price["nickname"] or price["id"])


def item_amount(item: Body) -> int:
    """What a subscription item costs for a whole period, before discounts."""
    return money.times(item["price"]["unit_amount_decimal"], item["quantity"])


def pricing(price: Body) -> dict[str, Any]:
    """The hash that says which price a line or an invoice item was made from."""
    details = objects.part("price_details", price=price["id"], product=price["product"])
    return objects.part("pricing", price_details=details, unit_amount_decimal=price["unit_amount_decimal"])


def of_item(account: Account, invoice_id: str, item: Body, span: Span, share: Share = WHOLE) -> Body:
    """The line for a period of a subscription item, or for a share of it; a trial's share is 0."""
    price, quantity = item["price"], item["quantity"]
    amount = money.divide(item_amount(item), *share)
    name = product_name(account, price)
    rate = money.text(money.times(price["unit_amount_decimal"], 1), price["currency"])
    text = f"{quantity} × {name} (at {rate} / {price['recurring']['interval']})"
    details = objects.part(
        "line_item.parent.subscription_item", subscription=item["subscription"], subscription_item=item["id"]
    )
    return objects.new(
        "line_item",
        id=account.ids.new("il"),
        amount=amount,
        subtotal=amount,
        currency=price["currency"],
        description=f"Trial period for {name}" if share == NOTHING else text,
        invoice=invoice_id,
        period={"start": span[0], "end": span[1]},
        quantity=quantity,
        quantity_decimal=str(quantity),
        pricing=pricing(price),
        parent=objects.part(
            "line_item.parent", type="subscription_item_details", subscription_item_details=details
        ),
        subscription=item["subscription"],
        discounts=[] if share == NOTHING else list(item["discounts"]),
        metadata=dict(item["metadata"]),
    )


def of_invoice_item(account: Account, invoice_id: str, item: Body) -> Body:
    """The line for an invoice item that was waiting."""
    parent = item["parent"]
    subscription = parent["subscription_details"]["subscription"] if parent else None
    details = objects.part(
        "line_item.parent.invoice_item",
        invoice_item=item["id"],
        proration=item["proration"],
        subscription=subscription,
    )
    return objects.new(
        "line_item",
        id=account.ids.new("il"),
        amount=item["amount"],
        subtotal=item["amount"],
        currency=item["currency"],
        description=item["description"],
        discountable=item["discountable"],
        invoice=invoice_id,
        period=dict(item["period"]),
        quantity=item["quantity"],
        quantity_decimal=item["quantity_decimal"],
        pricing=item["pricing"],
        parent=objects.part("line_item.parent", type="invoice_item_details", invoice_item_details=details),
        subscription=subscription,
        metadata=dict(item["metadata"]),
    )
