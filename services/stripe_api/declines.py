"""What does a decline or failure code mean in plain words, and what is the best next step?

Codes as in Stripe's documentation, "Decline codes" and "Error codes". A code that is not listed is shown
as it is: issuers and Stripe add new ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Explanation:
    """`words`: what happened. `advice`: the best next step."""

    words: str
    advice: str


_BANK = "Ask the customer to call their bank, or to use another card."
_OTHER = "Ask the customer for another card."
_CORRECT = "Ask the customer to enter the card again."
_LATER = "Try again later; if it keeps failing, ask the customer to call their bank."
_NEVER = "Do not try this card again. Ask the customer for another one."
_CONFIRM = "Send the customer the invoice's link, so that they can confirm the payment with their bank."

_GROUPS: tuple[tuple[str, str, str], ...] = (
    (
        "generic_decline card_declined do_not_honor no_action_taken not_permitted call_issuer "
        "revocation_of_authorization security_violation service_not_allowed stop_payment_order "
        "transaction_not_allowed approve_with_id",
        "The bank declined the card without giving a reason.",
        _BANK,
    ),
    (
        "insufficient_funds",
        "There was not enough money on the card.",
        "Try again in a few days, around payday, or ask the customer for another card.",
    ),
    ("expired_card", "The card has expired.", "Send the customer a link to update the card."),
    ("lost_card", "The card was reported lost.", _NEVER),
    ("stolen_card pickup_card", "The card was reported lost or stolen.", _NEVER),
    ("restricted_card", "The card is restricted; it may have been reported lost or stolen.", _NEVER),
    (
        "fraudulent merchant_blacklist",
        "The payment was blocked because it looked like fraud.",
        "Do not tell the customer more than a general decline. Check the payment in Stripe first.",
    ),
    ("incorrect_number invalid_number", "The card number is wrong.", _CORRECT),
    ("incorrect_cvc invalid_cvc", "The security code of the card is wrong.", _CORRECT),
    ("incorrect_zip incorrect_address", "The billing address does not match the card.", _CORRECT),
    ("invalid_expiry_month invalid_expiry_year", "The expiry date of the card is wrong.", _CORRECT),
    (
        "incorrect_pin invalid_pin pin_try_exceeded offline_pin_required online_or_offline_pin_required",
        "The card asks for its PIN, or the PIN was wrong.",
        _OTHER,
    ),
    (
        "authentication_required authentication_not_handled payment_intent_authentication_failure",
        "The bank wants the customer to confirm the payment.",
        _CONFIRM,
    ),
    (
        "processing_error issuer_not_available reenter_transaction try_again_later bank_account_unusable",
        "The bank could not process the payment just then.",
        _LATER,
    ),
    (
        "card_velocity_exceeded withdrawal_count_limit_exceeded",
        "The customer has reached the limit of the card.",
        _LATER,
    ),
    ("card_not_supported", "The card does not support this kind of payment.", _BANK),
    ("currency_not_supported", "The card does not support this currency.", _OTHER),
    (
        "duplicate_transaction",
        "A payment of the same amount was made a moment before.",
        "Check whether the customer has already paid before trying again.",
    ),
    (
        "invalid_account new_account_information_available account_closed",
        "The account behind the card is not valid any more.",
        _OTHER,
    ),
    ("invalid_amount", "The amount is not allowed for this card.", _BANK),
    (
        "revocation_of_all_authorizations",
        "The customer told their bank to stop all payments to us.",
        "Do not try this card again. Talk to the customer.",
    ),
    ("do_not_try_again", "The bank declined the card for good.", _NEVER),
    (
        "testmode_decline live_mode_test_card",
        "A test card was used where it cannot work.",
        "Use a card that fits the mode of the account.",
    ),
)
_KNOWN = MappingProxyType(
    {code: Explanation(words, advice) for codes, words, advice in _GROUPS for code in codes.split()}
)
CODES = tuple(_KNOWN)


def explain(code: str | None) -> Explanation:
    """The code in plain words with the best next step. Unknown codes are shown as they are."""
    if not code:
        return Explanation("The payment failed; Stripe gives no reason.", "Look at the payment in Stripe.")
    known = _KNOWN.get(code)
    return known or Explanation(f"The payment failed ({code}).", "Look the code up in Stripe.")
