"""Which payment methods does a customer have, and what happens when one is charged?

Cards are chosen by Stripe's names for test cards (`pm_card_visa`) or by how they behave: "ok", a decline code
such as "insufficient_funds", or "requires_action". How a card behaves is kept in its notes: `decline` is the
code, `left` how many more charges it declines (None: all of them).
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any, NamedTuple

from services.sandbox import objects
from services.sandbox.billing import metadata
from services.sandbox.billing.account import Account
from services.sandbox.billing.declines import DECLINES, Decline
from services.sandbox.errors import CardDeclined, InvalidRequest, NoSuchObject
from services.sandbox.store import Body

REQUIRES_ACTION = "requires_action"


class TestCard(NamedTuple):
    """A card of Stripe's for tests; `refused` ones cannot even be attached."""

    brand: str
    last4: str
    behaviour: str = "ok"
    refused: bool = False


_DECLINED_AT_ONCE = {
    "": ("0002", "generic_decline"),
    "InsufficientFunds": ("9995", "insufficient_funds"),
    "LostCard": ("9987", "lost_card"),
    "StolenCard": ("9979", "stolen_card"),
    "ExpiredCard": ("0069", "expired_card"),
    "IncorrectCvc": ("0127", "incorrect_cvc"),
    "ProcessingError": ("0119", "processing_error"),
    "VelocityLimitExceeded": ("6975", "card_velocity_exceeded"),
    "Fraudulent": ("0019", "fraudulent"),
}
TEST_CARDS: dict[str, TestCard] = {
    "pm_card_visa": TestCard("visa", "4242"),
    "pm_card_visa_debit": TestCard("visa", "5556"),
    "pm_card_mastercard": TestCard("mastercard", "4444"),
    "pm_card_mastercard_debit": TestCard("mastercard", "3222"),
    "pm_card_amex": TestCard("amex", "8431"),
    "pm_card_discover": TestCard("discover", "9424"),
    "pm_card_jcb": TestCard("jcb", "0505"),
    "pm_card_chargeCustomerFail": TestCard("visa", "0341", "generic_decline"),
    "pm_card_authenticationRequired": TestCard("visa", "3184", REQUIRES_ACTION),
    "pm_card_authenticationRequiredOnSetup": TestCard("visa", "3155"),
    "pm_card_threeDSecure2Required": TestCard("visa", "3220", REQUIRES_ACTION),
    **{
        f"pm_card_{brand}chargeDeclined{name}": TestCard("visa", last4, code, refused=True)
        for brand in ("", "visa_")
        for name, (last4, code) in _DECLINED_AT_ONCE.items()
    },
}
NO_CARD = (
    "This customer has no attached payment source or default payment method. Please consider adding a "
    "default payment method. For more information, visit "
    "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority."
)
BEHAVIOURS = ("ok", *DECLINES, REQUIRES_ACTION)
_DEFAULTS = ("default_payment_method", "default_source")


def create(account: Account, card: str, **params: Any) -> Body:
    """A payment method that belongs to nobody yet. `card` is a test card's name or a behaviour;
    params: brand, last4, exp_month, exp_year, country, funding, billing_details, metadata.
    """
    chosen = TEST_CARDS.get(card) or TestCard("visa", "4242" if card == "ok" else "0341", card)
    if chosen.behaviour not in BEHAVIOURS:
        raise NoSuchObject("payment_method", card, "payment_method")
    brand, last4 = params.get("brand", chosen.brand), params.get("last4", chosen.last4)
    year = datetime.fromtimestamp(account.now, UTC).year
    details = objects.part(
        "payment_method.card",
        brand=brand,
        last4=last4,
        exp_month=params.get("exp_month", 8),
        exp_year=params.get("exp_year", year + 3),
        country=params.get("country", "US"),
        funding=params.get("funding", "credit"),
        display_brand=brand,
        fingerprint=f"{zlib.crc32(f'{brand}{last4}'.encode()):016x}",
        networks={"available": [brand], "preferred": None},
    )
    method = account.new(
        "payment_method",
        "pm",
        card=details,
        billing_details=objects.part("billing_details", **(params.get("billing_details") or {})),
        metadata=metadata.merge({}, params.get("metadata")),
        notes={"refused": True} if chosen.refused else None,
    )
    if chosen.behaviour != "ok":
        account.note(method, decline=chosen.behaviour, left=None)
    return method


def attach(account: Account, method: str, customer: str, *, default: bool = False, **params: Any) -> Body:
    """Give a customer a payment method: the id of one, a test card's name, or a behaviour. With `default`
    it becomes what invoices are charged to. Does not pay open invoices. Raises CardDeclined for a card of
    Stripe's that cannot be attached.
    """
    owner = account.customer(customer)
    known = method in TEST_CARDS or method in BEHAVIOURS
    body = (
        create(account, method, **params)
        if known
        else account.get("payment_method", method, "payment_method")
    )
    if account.store.notes(body["id"]).get("refused"):
        account.store.remove(body["id"])
        raise declined(DECLINES[TEST_CARDS[method].behaviour if known else "generic_decline"])
    if body["customer"] not in (None, customer):
        raise InvalidRequest("The payment method you provided has already been attached to a customer.")
    if account.change(body, customer=customer):
        account.emit("payment_method.attached", body)
    if default:
        settings = {**owner["invoice_settings"], "default_payment_method": body["id"]}
        account.change(owner, "customer.updated", invoice_settings=settings)
    return body


def detach(account: Account, method_id: str) -> Body:
    """Take a payment method from its customer; whatever named it as default does so no more."""
    method = account.get("payment_method", method_id, "payment_method")
    owner_id = method["customer"]
    if owner_id is None:
        raise InvalidRequest(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    account.change(method, customer=None)
    account.emit("payment_method.detached", method, {"customer": owner_id})
    owner = account.get("customer", owner_id)
    if not owner.get("deleted") and owner["invoice_settings"]["default_payment_method"] == method_id:
        settings = {**owner["invoice_settings"], "default_payment_method": None}
        account.change(owner, "customer.updated", invoice_settings=settings)
    if not owner.get("deleted") and owner["default_source"] == method_id:
        account.change(owner, "customer.updated", default_source=None)
    for subscription in account.store.all("subscription", "customer = ?", (owner_id,)):
        if named := {name: None for name in _DEFAULTS if subscription[name] == method_id}:
            account.change(subscription, "customer.subscription.updated", **named)
    return method


def update(account: Account, method_id: str, **params: Any) -> Body:
    """Change a payment method: card (exp_month, exp_year), billing_details, metadata."""
    method = account.get("payment_method", method_id, "payment_method")
    fields: dict[str, Any] = {}
    if "card" in params:
        fields["card"] = {**method["card"], **params["card"]}
    if "billing_details" in params:
        fields["billing_details"] = {**method["billing_details"], **params["billing_details"]}
    if "metadata" in params:
        fields["metadata"] = metadata.merge(method["metadata"], params["metadata"])
    account.change(method, "payment_method.updated", **fields)
    return method


def decline(account: Account, method_id: str, code: str, times: int | None = None) -> None:
    """From now on the card is declined with this code (or "requires_action"), `times` times or for good."""
    if code not in BEHAVIOURS[1:]:
        raise InvalidRequest(f"There is no decline code '{code}'.", "code")
    method = account.get("payment_method", method_id, "payment_method")
    account.note(method, decline=code, left=times)


def restore(account: Account, method_id: str) -> None:
    """From now on the card works."""
    method = account.get("payment_method", method_id, "payment_method")
    account.note(method, decline=None, left=None)


def charge(account: Account, method: Body) -> Decline | str | None:
    """Charge a card: None when it works, REQUIRES_ACTION, or the decline. Counts down `left`."""
    notes = account.store.notes(method["id"])
    code = notes.get("decline")
    if not code:
        return None
    if notes.get("left") is not None:
        left = notes["left"] - 1
        account.note(method, left=left, decline=code if left else None)
    return REQUIRES_ACTION if code == REQUIRES_ACTION else DECLINES[code]


def owned(account: Account, method_id: str, customer: str, param: str) -> Body:
    """The customer's payment method; raises when it does not exist or belongs to somebody else."""
    method = account.get("payment_method", method_id, param)
    if method["customer"] != customer:
        raise InvalidRequest(
            f"The customer does not have a payment method with the ID {method_id}. The payment method must "
            "be attached to the customer.",
            param,
            "resource_missing",
        )
    return method


def defaults(account: Account, params: dict[str, Any], customer: str) -> dict[str, str | None]:
    """Of the parameters the default payment method and source; raises for what is not the customer's."""
    given = {name: params[name] or None for name in _DEFAULTS if name in params}
    for name, method_id in given.items():
        if method_id:
            owned(account, method_id, customer, name)
    return given


def default_for(account: Account, customer: Body, *before: Body | None) -> Body | None:
    """What an automatic charge would use: a default of the invoice or subscription `before` the customer's
    own; of each its payment method, then its source."""
    chosen = [holder[name] for holder in before if holder for name in _DEFAULTS]
    settings = customer.get("invoice_settings") or {}
    chosen += [settings.get("default_payment_method"), customer.get("default_source")]
    first = next(filter(None, chosen), None)
    return account.store.find(first) if first else None


def declined(why: Decline, **fields: Any) -> CardDeclined:
    """The error that a declined card is answered with."""
    return CardDeclined(
        why.message, code=why.code, decline_code=why.decline_code, advice_code=why.advice, **fields
    )
