"""What happens around a customer's money? Charges that staff add, credit, refunds, disputes, late payers.

Each function carries out one intent, as in `deeds`.
"""

from typing import Any

from services.sandbox.billing import balance, disputes, invoiceitems, manual, payments, refunds
from services.sandbox.billing.account import Account
from services.sandbox.billing.agenda import ENDED
from services.sandbox.billing.periods import DAY
from services.sandbox.history import offers
from services.sandbox.history.chance import chance
from services.sandbox.history.deeds import living
from services.sandbox.store import Body

Params = dict[str, Any]

_CHARGES = ("Data import", "Extra training session", "Custom report", "Overage: API calls")
_REASONS = {"fraudulent": 0.45, "subscription_canceled": 0.25, "product_not_received": 0.1, "general": 0.2}
_REFUND_REASONS = ("requested_by_customer", "requested_by_customer", "duplicate", None)


def add_charge(account: Account, customer: str | None, params: Params) -> None:
    """Staff add a one-off amount: on the next invoice, or `now`."""
    subscription = living(account, params, "active")
    if subscription is None:
        return
    draws = chance(customer, account.now, "charge")
    currency, owner = subscription["currency"], subscription["customer"]
    link = {"customer": owner, "subscription": subscription["id"]}
    if draws.happens(0.2):
        price = offers.setup_price_id(account, currency)
        invoiceitems.create(account, **link, pricing={"price": price})
    else:
        amount = draws.randint(4, 40) * 500
        text = draws.choice(_CHARGES)
        invoiceitems.create(account, **link, amount=amount, currency=currency, description=text)
    if params.get("now", draws.happens(0.4)):
        invoice = manual.create(account, **link, auto_advance=True)
        manual.finalize(account, invoice["id"])


def credit(account: Account, customer: str | None, params: Params) -> None:
    """Staff apologise with credit for the next invoices."""
    subscription = living(account, params, "active", "past_due")
    if subscription:
        amount = -chance(customer, account.now, "credit").randint(2, 12) * 500
        owner = account.get("customer", subscription["customer"])
        balance.adjust(
            account,
            owner,
            amount,
            "adjustment",
            currency=subscription["currency"],
            description="Credit for the outage",
        )


def refund(account: Account, customer: str | None, params: Params) -> None:
    """Staff pay the last charge back, whole or in part (`share`)."""
    charge = _last_charge(account, params)
    if charge is None or charge["disputed"] or charge["amount_refunded"]:
        return
    draws = chance(customer, account.now, "refund")
    share = params.get("share") or (1 if draws.happens(0.6) else draws.choice((0.25, 0.5)))
    amount = max(1, int(charge["amount"] * share))
    reason = draws.choice(_REFUND_REASONS)
    refunds.create(account, charge=charge["id"], amount=amount, **({"reason": reason} if reason else {}))


def dispute(account: Account, customer: str | None, params: Params) -> None:
    """The customer's bank takes the last charge back; `outcome` may fix how it ends (won, lost, open)."""
    charge = _last_charge(account, params)
    if charge is None or charge["disputed"] or charge["refunded"]:
        return
    draws = chance(customer, account.now, "dispute")
    made = disputes.create(account, charge["id"], reason=draws.weighted(_REASONS))
    outcome = params.get("outcome") or draws.weighted({"won": 0.35, "lost": 0.55, "late": 0.1})
    if outcome in ("won", "lost"):
        answered = account.now + draws.span(3, 13, DAY)
        account.schedule_intent(answered, "answer_dispute", {"dispute": made["id"]}, customer)
        closed = account.now + draws.span(20, 55, DAY)
        decided = {"dispute": made["id"], "outcome": outcome}
        account.schedule_intent(closed, "close_dispute", decided, customer)


def answer_dispute(account: Account, _customer: str | None, params: Params) -> None:
    """Staff hand in evidence."""
    disputes.submit(account, params["dispute"])


def close_dispute(account: Account, _customer: str | None, params: Params) -> None:
    """The bank decides."""
    disputes.close(account, params["dispute"], params["outcome"])


def settle(account: Account, customer: str | None, params: Params) -> None:
    """Somebody who pays by bank transfer pays what was sent, mostly in time, and will do so again."""
    subscription = living(account, params)
    if subscription is None or subscription["status"] in ENDED:
        return
    draws = chance(customer, account.now, "settle")
    invoice = account.store.find(subscription["latest_invoice"] or "")
    if invoice and invoice["status"] == "open" and draws.happens(0.92):
        payments.pay(account, invoice["id"], paid_out_of_band=True)
    account.schedule_intent(account.now + draws.span(24, 34, DAY), "settle", params, customer)


def _last_charge(account: Account, params: Params) -> Body | None:
    """The charge that paid the subscription's last paid invoice, for as long as the customer exists."""
    subscription = living(account, params)
    invoice = account.store.find(subscription["latest_invoice"] or "") if subscription else None
    if invoice is None or invoice["status"] != "paid" or not invoice["amount_paid"]:
        return None
    for payment in account.store.all("invoice_payment", "parent = ?", (invoice["id"],)):
        if payment["status"] == "paid" and payment["payment"]["type"] == "payment_intent":
            intent = account.get("payment_intent", payment["payment"]["payment_intent"])
            return account.store.find(intent["latest_charge"] or "")
    return None
