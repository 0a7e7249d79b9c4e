"""Which intents are there, and what carries each of them out?

An intent is something that a person outside Stripe is going to do: it waits in the account's file until the
account's clock gets there, in history as in the months after it.
"""

import logging
from typing import Any

from services.sandbox.billing.account import Account, IntentHandler
from services.sandbox.errors import ApiError
from services.sandbox.history import deeds, money_deeds, offers, signups

_log = logging.getLogger(__name__)


def _raise_prices(account: Account, _customer: str | None, _params: dict[str, Any]) -> None:
    offers.raise_prices(account)


def _change_settings(account: Account, _customer: str | None, params: dict[str, Any]) -> None:
    account.set(**params)


_ACTS: dict[str, IntentHandler] = {
    "arrivals": signups.arrive,
    "sign_up": signups.sign_up,
    "subscribe": signups.subscribe,
    "buy_once": signups.buy_once,
    "add_card": deeds.add_card,
    "card_fails": deeds.card_fails,
    "card_works": deeds.card_works,
    "extend_trial": deeds.extend_trial,
    "end_trial": deeds.end_trial,
    "cancel": deeds.cancel,
    "undo_cancel": deeds.undo_cancel,
    "come_back": deeds.come_back,
    "change_seats": deeds.change_seats,
    "upgrade": deeds.upgrade,
    "downgrade": deeds.downgrade,
    "go_yearly": deeds.go_yearly,
    "pause_collection": deeds.pause_collection,
    "delete": deeds.delete,
    "add_charge": money_deeds.add_charge,
    "credit": money_deeds.credit,
    "refund": money_deeds.refund,
    "dispute": money_deeds.dispute,
    "answer_dispute": money_deeds.answer_dispute,
    "close_dispute": money_deeds.close_dispute,
    "settle": money_deeds.settle,
    "raise_prices": _raise_prices,
    "change_settings": _change_settings,
}


def enable(account: Account, *, strict: bool = False) -> None:
    """Let the account carry out what people intend; without this, time passes and nobody does anything.

    What the account refuses is left out, because staff may have changed anything in the meantime; `strict`
    raises the ApiError instead: in a history that nobody interferes with, nothing is refused.
    """
    account.intents.update(_ACTS if strict else HANDLERS)


def _lenient(name: str, act: IntentHandler) -> IntentHandler:
    def attempt(account: Account, customer: str | None, params: dict[str, Any]) -> None:
        try:
            act(account, customer, params)
        except ApiError as refusal:
            _log.warning("%s meant to %s, but was refused: %s", customer, name, refusal)

    return attempt


HANDLERS: dict[str, IntentHandler] = {name: _lenient(name, act) for name, act in _ACTS.items()}
