"""Why is a card declined, and what does Stripe advise then?

One entry for each decline code that the sandbox plays: the error's code, its sentence, and the advice.
"""

from __future__ import annotations

from typing import NamedTuple


class Decline(NamedTuple):
    """`code` is what charges carry as failure_code; `decline_code` says more; `advice` may be None."""

    decline_code: str
    code: str
    message: str
    advice: str | None


_DECLINED = "Your card was declined."
_STOP, _LATER, _CONFIRM = "do_not_try_again", "try_again_later", "confirm_card_data"

_ALL = (
    Decline("generic_decline", "card_declined", _DECLINED, _LATER),
    Decline("insufficient_funds", "card_declined", "Your card has insufficient funds.", _LATER),
    Decline("do_not_honor", "card_declined", _DECLINED, _LATER),
    Decline("try_again_later", "card_declined", _DECLINED, _LATER),
    Decline("issuer_not_available", "card_declined", _DECLINED, _LATER),
    Decline("reenter_transaction", "card_declined", _DECLINED, _LATER),
    Decline("approve_with_id", "card_declined", _DECLINED, _LATER),
    Decline("call_issuer", "card_declined", _DECLINED, _LATER),
    Decline("card_velocity_exceeded", "card_declined", "Your card was declined for making repeated attempts "
            "too frequently or exceeding its amount limit.", _LATER),
    Decline("withdrawal_count_limit_exceeded", "card_declined", _DECLINED, _LATER),
    Decline("transaction_not_allowed", "card_declined", _DECLINED, _STOP),
    Decline("card_not_supported", "card_declined", "Your card is not supported.", _STOP),
    Decline("currency_not_supported", "card_declined", "Your card does not support this currency.", _STOP),
    Decline("invalid_account", "card_declined", _DECLINED, _STOP),
    Decline("lost_card", "card_declined", _DECLINED, _STOP),
    Decline("stolen_card", "card_declined", _DECLINED, _STOP),
    Decline("pickup_card", "card_declined", _DECLINED, _STOP),
    Decline("fraudulent", "card_declined", _DECLINED, _STOP),
    Decline("revocation_of_authorization", "card_declined", _DECLINED, _STOP),
    Decline("do_not_try_again", "card_declined", _DECLINED, _STOP),
    Decline("authentication_required", "authentication_required", "Your card was declined. This transaction "
            "requires authentication.", _CONFIRM),
    Decline("expired_card", "expired_card", "Your card has expired.", _CONFIRM),
    Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", _CONFIRM),
    Decline("incorrect_number", "incorrect_number", "Your card number is incorrect.", _CONFIRM),
    Decline("incorrect_zip", "incorrect_zip", "Your card's zip code failed validation.", _CONFIRM),
    Decline("processing_error", "processing_error", "An error occurred while processing your card. Try again "
            "in a little bit.", _LATER),
)  # fmt: skip

DECLINES: dict[str, Decline] = {decline.decline_code: decline for decline in _ALL}
