"""The pages behind the links that customers get."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.shop import Shop


def _open_invoice(shop: Shop, name: str = "Ann") -> stripe.Invoice:
    customer = shop.customer(None, name=name)
    shop.v1.invoice_items.create(
        {"customer": customer, "amount": 2500, "currency": "usd", "description": "<b>Extra</b> (café)"}
    )
    draft = shop.v1.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
    return shop.v1.invoices.finalize_invoice(draft.id)


def test_an_invoice_can_be_seen_and_paid(shop: Shop) -> None:
    invoice = _open_invoice(shop)
    url = str(invoice.hosted_invoice_url)
    assert url.startswith(shop.sandbox.url)
    shown = requests.get(url, timeout=10)
    assert shown.status_code == 200
    assert "$25.00" in shown.text
    assert "&lt;b&gt;Extra&lt;/b&gt;" in shown.text
    assert "<b>Extra" not in shown.text
    declined = requests.post(url, data={"card": "insufficient_funds"}, timeout=10)
    assert "insufficient funds" in declined.text
    failed = shop.v1.invoices.retrieve(invoice.id)
    assert (failed.status, failed.attempt_count) == ("open", 1)
    requests.post(url, data={"card": "pm_card_visa"}, timeout=10)
    assert shop.v1.invoices.retrieve(invoice.id).status == "paid"
    assert "<form" not in requests.get(url, timeout=10).text


def test_the_pdf_is_one(shop: Shop) -> None:
    invoice = _open_invoice(shop, name="Zoë (R&D) 株式会社")
    answer = requests.get(str(invoice.invoice_pdf), timeout=10)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-1.4")
    assert answer.content.endswith(b"%%EOF\n")
    start = int(answer.content.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    assert answer.content[start:].startswith(b"xref")
    assert "Zoë \\(R&D\\) ????".encode("latin-1") in answer.content


def test_the_portal_takes_a_card_and_leads_back(shop: Shop) -> None:
    customer = shop.customer(None)
    flow: Any = {"type": "payment_method_update"}
    session = shop.v1.billing_portal.sessions.create(
        {"customer": customer, "return_url": "https://desk.example/back", "flow_data": flow}
    )
    assert "Card" in requests.get(session.url, timeout=10).text
    done = requests.post(session.url, data={"card": "pm_card_mastercard"}, timeout=10, allow_redirects=False)
    assert (done.status_code, done.headers["Location"]) == (303, "https://desk.example/back")
    card = shop.v1.payment_methods.retrieve(shop.default_card(customer)).card
    assert card is not None
    assert card.brand == "mastercard"


def test_a_portal_link_is_short_lived(shop: Shop) -> None:
    session = shop.v1.billing_portal.sessions.create({"customer": shop.customer(None)})
    shop.sandbox.advance(hours=2)
    assert requests.get(session.url, timeout=10).status_code == 404


def test_checkout_sets_a_card_up(shop: Shop) -> None:
    customer = shop.customer(None)
    session = shop.v1.checkout.sessions.create(
        {
            "mode": "setup",
            "customer": customer,
            "currency": "usd",
            "success_url": "https://desk.example/done?s={CHECKOUT_SESSION_ID}",
        }
    )
    done = requests.post(str(session.url), data={"card": "pm_card_visa"}, timeout=10, allow_redirects=False)
    assert done.headers["Location"] == f"https://desk.example/done?s={session.id}"
    after = shop.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert after.status == "complete"
    assert isinstance(after.setup_intent, stripe.SetupIntent)
    assert after.setup_intent.status == "succeeded"
    assert shop.v1.payment_methods.retrieve(str(after.setup_intent.payment_method)).customer == customer
    assert shop.events(session.id, "checkout.session.completed")
    assert requests.get(str(session.url), timeout=10).status_code == 404


def test_checkout_subscribes(shop: Shop) -> None:
    price = shop.price()
    session = shop.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer_email": "new@example.com",
            "line_items": [{"price": price, "quantity": 2}],
            "subscription_data": {"trial_period_days": 7},
            "success_url": "https://desk.example/done",
        }
    )
    requests.post(str(session.url), data={"card": "pm_card_visa"}, timeout=10, allow_redirects=False)
    after = shop.v1.checkout.sessions.retrieve(session.id)
    subscription = shop.v1.subscriptions.retrieve(str(after.subscription))
    assert (subscription.status, subscription["items"].data[0].quantity) == ("trialing", 2)
    customer = shop.v1.customers.retrieve(str(after.customer))
    assert customer.email == "new@example.com"


def test_checkout_with_a_card_that_is_declined_makes_nothing(shop: Shop) -> None:
    customer = shop.customer(None)
    session = shop.v1.checkout.sessions.create(
        {"mode": "subscription", "customer": customer, "line_items": [{"price": shop.price(), "quantity": 1}]}
    )
    page = requests.post(str(session.url), data={"card": "generic_decline"}, timeout=10)
    assert "declined" in page.text
    assert shop.v1.subscriptions.list({"customer": customer, "status": "all"}).data == []
    assert shop.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_an_open_checkout_page_expires_after_a_day(shop: Shop) -> None:
    session = shop.v1.checkout.sessions.create({"mode": "setup", "currency": "usd"})
    shop.sandbox.advance(days=1, seconds=5)
    assert shop.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert requests.get(str(session.url), timeout=10).status_code == 404


def test_setup_needs_a_currency(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.checkout.sessions.create({"mode": "setup"})
    assert caught.value.param == "currency"


@pytest.mark.parametrize(
    "path", ["invoice/none", "portal/none", "checkout/none", "invoice/x/secret", "other/x"]
)
def test_links_that_lead_nowhere(shop: Shop, path: str) -> None:
    assert requests.get(f"{shop.sandbox.url}/hosted/{path}", timeout=10).status_code == 404
