"""The customers that the browser tests act on: one for each deed, made through the official SDK.

They are made together at the start, so that the desk needs to catch up only once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.sandbox.shop import DAY, Shop
from tests.support.sandbox import Account

NASTY = (
    "**Bold** <b>b</b> <script>window.hacked=1</script> ![i](http://evil.example/i.png) "
    "[Click](http://evil.example) :red[r] $x$ ~~s~~ `c`"
)


@dataclass(frozen=True, slots=True)
class Part:
    """A customer with a subscription, and the invoice that could not be collected."""

    customer: str
    name: str
    subscription: str = ""
    invoice: str = ""


class Cast:
    """Makes customers in a state, under names that nobody else has."""

    def __init__(self, account: Account) -> None:
        self.account, self.shop = account, Shop(account, account.client(max_network_retries=2))
        self.sdk = self.shop.v1
        self._prices = {currency: self.shop.price(4900, currency=currency) for currency in ("usd", "jpy")}
        self.parts: list[Part] = []

    def trial(self, name: str, card: str | None = "pm_card_visa", **params: Any) -> Part:
        """Fourteen days of trial have begun."""
        return self._subscribe(name, card, trial_period_days=14, **params)

    def active(self, name: str, currency: str = "usd", card: str = "pm_card_visa") -> Part:
        """Pays 49.00 (or 4,900 yen) a month."""
        return self._subscribe(name, card, currency)

    def paused(self, name: str) -> Part:
        """The trial ended without a card; there is one now."""
        pause = {"end_behavior": {"missing_payment_method": "pause"}}
        part = self.trial(name, None, trial_settings=pause)
        self.sdk.subscriptions.update(part.subscription, {"trial_end": "now"})
        self.account.add_card(part.customer)
        return part

    def canceled(self, name: str) -> Part:
        """Had a trial, and left."""
        part = self.trial(name)
        self.sdk.subscriptions.cancel(part.subscription)
        return part

    def ending(self, name: str) -> Part:
        """Is set to cancel at the period's end."""
        part = self.active(name)
        self.sdk.subscriptions.update(part.subscription, {"cancel_at_period_end": True})
        return part

    def failing(self, name: str, code: str = "insufficient_funds") -> Part:
        """The first invoice after the trial was declined."""
        part = self.trial(name)
        self.account.add_card(part.customer, code)
        moved = self.sdk.subscriptions.update(part.subscription, {"trial_end": "now"})
        assert moved.status == "past_due"
        made = Part(part.customer, part.name, part.subscription, str(moved.latest_invoice))
        self.parts[-1] = made
        return made

    def without_card(self, name: str) -> Part:
        """A trial without a card."""
        return self.trial(name, None)

    def _subscribe(self, name: str, card: str | None, currency: str = "usd", **params: Any) -> Part:
        email = f"{''.join(filter(str.isalnum, name[:40])).lower()}@cast.example"
        customer = self.shop.customer(card, name=name, email=email)
        made = self.shop.subscribe(customer, self._prices[currency], **params)
        part = Part(customer, name, made.id)
        self.parts.append(part)
        return part


__all__ = ["DAY", "NASTY", "Cast", "Part"]
