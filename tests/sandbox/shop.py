"""Short words for what the tests of the sandbox do over and over: sell, subscribe, look at invoices."""

from __future__ import annotations

from typing import Any

import stripe

from tests.support.sandbox import Account

DAY = 86_400


class Shop:
    """An account with somebody who sells; every method goes through the official SDK."""

    def __init__(self, sandbox: Account, client: stripe.StripeClient) -> None:
        self.sandbox, self.client, self.v1 = sandbox, client, client.v1

    def price(self, amount: int = 4900, interval: str = "month", currency: str = "usd", **more: Any) -> str:
        """A new recurring price."""
        product = self.v1.products.create({"name": "Team"})
        recurring = {"interval": interval, **more}
        given = {"product": product.id, "currency": currency, "unit_amount": amount, "recurring": recurring}
        return str(self.v1.prices.create(given).id)  # type: ignore[arg-type]

    def customer(self, card: str | None = "pm_card_visa", **more: Any) -> str:
        """A new customer, with a default card unless `card` is None."""
        customer = self.v1.customers.create({"name": "Ann", "email": "ann@example.com", **more})  # type: ignore[typeddict-item]
        if card:
            self.sandbox.add_card(customer.id, card)
        return str(customer.id)

    def subscribe(
        self, customer: str | None = None, price: str | None = None, **more: Any
    ) -> stripe.Subscription:
        """A new subscription, of a new customer to a new price unless they are given."""
        items = more.pop("items", None) or [
            {"price": price or self.price(), "quantity": more.pop("quantity", 1)}
        ]
        return self.v1.subscriptions.create({"customer": customer or self.customer(), "items": items, **more})

    def renew(self, subscription: stripe.Subscription) -> None:
        """Let the current period end, and its invoice be charged an hour later."""
        end = self.again(subscription)["items"].data[0].current_period_end
        self.sandbox.move_to(end + 2 * 3600)

    def again(self, subscription: stripe.Subscription) -> stripe.Subscription:
        """The subscription as it is now."""
        return self.v1.subscriptions.retrieve(subscription.id)

    def invoices(self, subscription: stripe.Subscription) -> list[stripe.Invoice]:
        """The subscription's invoices, newest first."""
        return list(self.v1.invoices.list({"subscription": subscription.id, "limit": 100}).data)

    def latest(self, subscription: stripe.Subscription) -> stripe.Invoice:
        """The subscription's newest invoice."""
        return self.invoices(subscription)[0]

    def default_card(self, customer: str) -> str:
        """The customer's default payment method."""
        settings = self.v1.customers.retrieve(customer).invoice_settings
        assert settings is not None
        return str(settings.default_payment_method)

    def events(self, object_id: str, kind: str | None = None) -> list[dict[str, Any]]:
        """The events about an object, oldest first, as JSON."""
        found = []
        params: dict[str, Any] = {"limit": 100, **({"type": kind} if kind else {})}
        while True:
            page = self.client.raw_request("get", "/v1/events", **params)
            body = page.data
            found += [event for event in body["data"] if event["data"]["object"].get("id") == object_id]
            if not body["has_more"]:
                return found[::-1]
            params["starting_after"] = body["data"][-1]["id"]
