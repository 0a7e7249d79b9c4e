"""What does somebody who signs up subscribe to, and how likely is it that they will pay?

Terms are plain values: they wait in the account's file until the subscription starts.
"""

from typing import TypedDict

from services.sandbox.history.chance import Chance


class Terms(TypedDict, total=False):
    """How a subscription starts. `trial_days` 0 is no trial; `without_card` says what the end of a trial
    without a card does (cancel, pause, create_invoice); `card` is a card on file at the start, `bad_card`
    how it is declined; `support` adds the support plan as a second item.
    """

    plan: str
    interval: str
    seats: int
    trial_days: int
    without_card: str
    card: bool
    bad_card: str
    coupon: str
    promotion_code: str
    support: bool
    send_invoice: bool


_PATHS = {"trial": 0.54, "card trial": 0.2, "direct": 0.2, "never": 0.04, "once": 0.02}
_TRIAL_DAYS = {14: 0.62, 7: 0.23, 30: 0.15}
_WITHOUT_CARD = {"cancel": 0.62, "pause": 0.2, "create_invoice": 0.18}
_PLANS = {"starter": 0.46, "team": 0.38, "business": 0.16}
_SEATS = {"starter": (1, 1), "team": (2, 14), "business": (8, 45)}
_DISCOUNTS = {"LAUNCH25": 0.2, "THREE10": 0.3, "WELCOME20": 0.38, "TENOFF": 0.1, "PARTNER100": 0.02}
_CODES = {"THREE10": "FRIENDS10", "WELCOME20": "HELLO20"}

_BY_SOURCE = {"referral": 1.35, "partner": 1.2, "content": 1.05, "google": 1.0, "linkedin": 0.85, "ads": 0.65}
_BY_PLAN = {"starter": 1.1, "team": 1.0, "business": 0.8}
_WITH_CARD, _WITHOUT = 0.55, 0.25


def path(draws: Chance) -> str:
    """How a customer comes to pay: `trial` without a card, `card trial`, `direct`, `once` (one invoice and
    no subscription), or `never`.
    """
    return draws.weighted(_PATHS)


def terms(draws: Chance, way: str, currency: str) -> Terms:
    """The terms of somebody who takes this path."""
    plan = draws.weighted(_PLANS)
    made: Terms = {
        "plan": plan,
        "interval": "year" if draws.happens(0.2) else "month",
        "seats": draws.randint(*_SEATS[plan]),
        "trial_days": 0 if way == "direct" else draws.weighted(_TRIAL_DAYS),
        "without_card": draws.weighted(_WITHOUT_CARD),
        "card": way != "trial",
        "support": plan == "business" and draws.happens(0.3),
        "send_invoice": way == "direct" and plan == "business" and draws.happens(0.35),
    }
    if draws.happens(0.16):
        _discount(draws, made, currency)
    return made


def chance_to_pay(made: Terms, source: str) -> float:
    """The probability that a trial on these terms converts."""
    base = _WITH_CARD if made["card"] else _WITHOUT
    return min(0.95, base * _BY_PLAN[made["plan"]] * _BY_SOURCE.get(source, 0.9))


def _discount(draws: Chance, made: Terms, currency: str) -> None:
    coupon = draws.weighted(_DISCOUNTS)
    if coupon == "TENOFF" and (currency != "usd" or made["interval"] == "year"):
        return
    if coupon in _CODES and draws.happens(0.7):
        made["promotion_code"] = _CODES[coupon]
    else:
        made["coupon"] = coupon
