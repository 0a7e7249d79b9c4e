"""Charges that fail, are tried again, are given back or taken back."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.shop import DAY, Shop


def _failing(shop: Shop, code: str = "insufficient_funds") -> stripe.Subscription:
    """A subscription whose second month could not be charged."""
    subscription = shop.subscribe()
    shop.sandbox.behave(shop.default_card(str(subscription.customer)), code)
    shop.renew(subscription)
    return subscription


def test_a_failed_renewal_is_past_due_with_its_reason(shop: Shop) -> None:
    subscription = _failing(shop)
    invoice = shop.latest(subscription)
    assert (shop.again(subscription).status, invoice.status, invoice.attempt_count) == ("past_due", "open", 1)
    (charge, _) = shop.v1.charges.list({"customer": str(subscription.customer)}).data
    assert (charge.status, charge.failure_code, charge.paid) == ("failed", "card_declined", False)
    assert charge.outcome is not None
    assert (charge.outcome.reason, charge.outcome.advice_code) == ("insufficient_funds", "try_again_later")
    intent = shop.v1.payment_intents.retrieve(str(charge.payment_intent))
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.decline_code == "insufficient_funds"
    failed = shop.events(invoice.id, "invoice.payment_failed")
    assert [event["data"]["object"]["next_payment_attempt"] for event in failed] == [
        invoice.next_payment_attempt
    ]


def test_attempts_follow_the_schedule_and_the_last_one_says_so(shop: Shop) -> None:
    subscription = _failing(shop)
    first = shop.latest(subscription)
    begun = int(first.status_transitions.finalized_at or 0)
    expected = [begun + 3 * DAY, begun + 8 * DAY, begun + 15 * DAY]
    for attempt, at in enumerate(expected, 1):
        invoice = shop.latest(subscription)
        assert (invoice.attempt_count, invoice.next_payment_attempt) == (attempt, at)
        assert shop.again(subscription).status == "past_due"
        shop.sandbox.move_to(at + 60)
    last = shop.latest(subscription)
    assert (last.attempt_count, last.next_payment_attempt, last.status) == (4, None, "open")
    ended = shop.again(subscription)
    assert ended.status == "canceled"
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.reason == "payment_failed"
    assert ended.ended_at == expected[-1]


def test_tries_by_hand_after_the_first_neither_count_nor_move_the_schedule(shop: Shop) -> None:
    subscription = _failing(shop)
    first = shop.latest(subscription)
    shop.sandbox.advance(days=1)
    with pytest.raises(stripe.CardError):
        shop.v1.invoices.pay(first.id)
    tried = shop.latest(subscription)
    assert (tried.attempt_count, tried.next_payment_attempt) == (1, first.next_payment_attempt)
    shop.sandbox.move_to(int(first.next_payment_attempt or 0) + 60)
    assert shop.latest(subscription).attempt_count == 2
    shop.sandbox.add_card(str(subscription.customer))
    paid = shop.v1.invoices.pay(first.id)
    assert (paid.status, paid.attempt_count) == ("paid", 2)


@pytest.mark.parametrize("setting", ["unpaid", "past_due"])
def test_after_the_last_attempt_the_accounts_setting_decides(shop: Shop, setting: str) -> None:
    shop.sandbox.control("POST", "settings", when_retries_end=setting)
    subscription = _failing(shop)
    shop.sandbox.advance(days=16)
    assert shop.again(subscription).status == setting


def test_while_unpaid_invoices_stay_drafts_and_paying_the_last_one_brings_it_back(shop: Shop) -> None:
    shop.sandbox.control("POST", "settings", when_retries_end="unpaid")
    subscription = _failing(shop)
    shop.sandbox.advance(days=32)
    draft = shop.latest(subscription)
    assert (draft.status, draft.auto_advance) == ("draft", False)
    shop.sandbox.add_card(str(subscription.customer))
    paid = shop.v1.invoices.pay(draft.id)
    assert (paid.status, shop.again(subscription).status) == ("paid", "active")


def test_a_retry_that_works_recovers_the_subscription(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.sandbox.behave(shop.default_card(str(subscription.customer)), "processing_error", times=2)
    shop.renew(subscription)
    shop.sandbox.advance(days=9)
    invoice = shop.latest(subscription)
    assert (invoice.status, invoice.attempt_count) == ("paid", 3)
    assert shop.again(subscription).status == "active"
    statuses = [one.status for one in shop.v1.charges.list({"customer": str(subscription.customer)}).data]
    assert statuses == ["succeeded", "failed", "failed", "succeeded"]


def test_a_new_card_does_not_pay_by_itself_but_paying_works(shop: Shop) -> None:
    subscription = _failing(shop)
    invoice = shop.latest(subscription)
    shop.sandbox.add_card(str(subscription.customer))
    assert shop.latest(subscription).status == "open"
    assert shop.v1.invoices.pay(invoice.id).status == "paid"
    assert shop.again(subscription).status == "active"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.invoices.pay(invoice.id)
    assert caught.value.code == "invoice_already_paid"


@pytest.mark.parametrize(
    ("card", "code", "decline", "advice"),
    [
        ("generic_decline", "card_declined", "generic_decline", "try_again_later"),
        ("lost_card", "card_declined", "lost_card", "do_not_try_again"),
        ("expired_card", "expired_card", "expired_card", "confirm_card_data"),
        ("processing_error", "processing_error", "processing_error", "try_again_later"),
        ("requires_action", "authentication_required", "authentication_required", "confirm_card_data"),
    ],
)
def test_paying_with_a_card_that_declines(
    shop: Shop, card: str, code: str, decline: str, advice: str
) -> None:
    customer = shop.customer(card)
    shop.v1.invoice_items.create({"customer": customer, "amount": 2000, "currency": "usd"})
    invoice = shop.v1.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
    with pytest.raises(stripe.CardError) as caught:
        shop.v1.invoices.pay(invoice.id)
    error = caught.value.error
    assert error is not None
    assert (caught.value.http_status, error.code, error.decline_code, error.advice_code) == (
        402,
        code,
        decline,
        advice,
    )
    after = shop.v1.invoices.retrieve(invoice.id)
    assert (after.status, after.attempt_count, after.amount_paid) == ("open", 1, 0)


def test_paying_without_a_card_says_what_is_missing(shop: Shop) -> None:
    customer = shop.customer(None)
    shop.v1.invoice_items.create({"customer": customer, "amount": 2000, "currency": "usd"})
    invoice = shop.v1.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.invoices.pay(invoice.id)
    assert caught.value.code == "resource_missing"
    assert shop.v1.invoices.retrieve(invoice.id).status == "draft"


def test_stripes_declined_cards_cannot_be_attached(shop: Shop) -> None:
    customer = shop.customer(None)
    with pytest.raises(stripe.CardError) as caught:
        shop.v1.payment_methods.attach("pm_card_visa_chargeDeclinedInsufficientFunds", {"customer": customer})
    assert caught.value.error is not None
    assert caught.value.error.decline_code == "insufficient_funds"
    assert shop.v1.customers.payment_methods.list(customer).data == []
    attached = shop.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    assert attached.customer == customer


def test_detaching_the_default_card_leaves_nothing_to_charge(shop: Shop) -> None:
    subscription = shop.subscribe()
    customer = str(subscription.customer)
    card = shop.default_card(customer)
    assert shop.v1.payment_methods.detach(card).customer is None
    settings = shop.v1.customers.retrieve(customer).invoice_settings
    assert settings is not None
    assert settings.default_payment_method is None
    shop.renew(subscription)
    assert shop.again(subscription).status == "past_due"


def test_a_first_payment_that_fails_leaves_it_incomplete_for_23_hours(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer("generic_decline"))
    assert subscription.status == "incomplete"
    assert shop.latest(subscription).next_payment_attempt is None
    shop.sandbox.advance(hours=22)
    assert shop.again(subscription).status == "incomplete"
    shop.sandbox.advance(hours=2)
    assert shop.again(subscription).status == "incomplete_expired"
    assert shop.latest(subscription).status == "void"


def test_an_incomplete_subscription_is_completed_by_paying(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer("generic_decline"))
    shop.sandbox.add_card(str(subscription.customer))
    shop.v1.invoices.pay(shop.latest(subscription).id)
    assert shop.again(subscription).status == "active"


def test_error_if_incomplete_leaves_nothing_behind(shop: Shop) -> None:
    customer = shop.customer("generic_decline")
    with pytest.raises(stripe.CardError):
        shop.subscribe(customer, payment_behavior="error_if_incomplete")
    assert shop.v1.subscriptions.list({"customer": customer, "status": "all"}).data == []
    assert shop.v1.invoices.list({"customer": customer}).data == []


def test_a_subscription_without_a_card_is_refused(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.subscribe(shop.customer(None))
    assert caught.value.code == "resource_missing"


def test_refunds_in_part_and_in_whole(shop: Shop) -> None:
    subscription = shop.subscribe()
    charge = shop.v1.charges.list({"customer": str(subscription.customer)}).data[0]
    shop.v1.refunds.create({"charge": charge.id, "amount": 900, "reason": "requested_by_customer"})
    part = shop.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert (part.amount_refunded, part.refunded) == (900, False)
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.refunds.create({"charge": charge.id, "amount": 4001})
    rest = shop.v1.refunds.create({"payment_intent": str(charge.payment_intent)})
    whole = shop.v1.charges.retrieve(charge.id)
    assert (rest.amount, whole.amount_refunded, whole.refunded) == (4000, 4900, True)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.refunds.create({"charge": charge.id})
    assert caught.value.code == "charge_already_refunded"
    assert len(shop.v1.refunds.list({"charge": charge.id}).data) == 2


def test_a_dispute_has_a_due_date_and_is_lost_when_nobody_answers(shop: Shop) -> None:
    subscription = shop.subscribe()
    charge = shop.v1.charges.list({"customer": str(subscription.customer)}).data[0]
    made = shop.sandbox.dispute(charge.id, reason="product_not_received")
    dispute = shop.v1.disputes.retrieve(made["id"])
    assert (dispute.status, dispute.reason, dispute.amount) == (
        "needs_response",
        "product_not_received",
        4900,
    )
    assert dispute.evidence_details.due_by == dispute.created + 14 * DAY
    assert shop.v1.charges.retrieve(charge.id).disputed is True
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.refunds.create({"charge": charge.id})
    assert caught.value.code == "charge_disputed"
    shop.sandbox.advance(days=14, hours=1)
    assert shop.v1.disputes.retrieve(dispute.id).status == "lost"
    assert shop.events(dispute.id, "charge.dispute.closed")


def test_a_dispute_can_be_won(shop: Shop) -> None:
    subscription = shop.subscribe()
    charge = shop.v1.charges.list({"customer": str(subscription.customer)}).data[0]
    made = shop.sandbox.dispute(charge.id)
    shop.sandbox.control("POST", "disputes", dispute=made["id"], outcome="won")
    assert shop.v1.disputes.retrieve(made["id"]).status == "won"
    shop.sandbox.advance(days=20)
    assert shop.v1.disputes.retrieve(made["id"]).status == "won"


@pytest.mark.parametrize(
    "named",
    ["pay", "pay as a source", "invoice", "source of the invoice", "customer", "source of the customer"],
)
def test_the_card_that_is_charged_is_the_one_named_last(shop: Shop, named: str) -> None:
    customer = shop.customer()
    default, other = shop.default_card(customer), shop.v1.payment_methods.attach(
        "pm_card_amex", {"customer": customer}
    ).id  # fmt: skip
    own = {"invoice": "default_payment_method", "source of the invoice": "default_source"}
    terms = {own[named]: other} if named in own else {}
    draft = shop.v1.invoices.create({"customer": customer, **terms})  # type: ignore[typeddict-item]
    shop.v1.invoice_items.create(
        {"customer": customer, "invoice": str(draft.id), "amount": 900, "currency": "usd"}
    )
    if named == "source of the customer":
        shop.v1.payment_methods.detach(default)
        shop.v1.customers.update(customer, {"default_source": other})
    given = {"pay": {"payment_method": other}, "pay as a source": {"source": other}}.get(named, {})
    shop.v1.invoices.pay(str(draft.id), given)  # type: ignore[arg-type]
    (charge,) = shop.v1.charges.list({"customer": customer}).data
    assert charge.payment_method == (default if named == "customer" else other)


def test_a_subscriptions_source_comes_before_the_customers_card_and_after_its_own(shop: Shop) -> None:
    customer = shop.customer()
    default = shop.default_card(customer)
    source = shop.v1.payment_methods.attach("pm_card_amex", {"customer": customer}).id
    item = {"price": shop.price()}
    of_source: Any = {"customer": customer, "items": [item], "default_source": source}
    subscription = shop.v1.subscriptions.create(of_source)
    assert subscription.default_source == source
    anew: Any = {"billing_cycle_anchor": {"type": "now"}, "proration_behavior": "none"}
    shop.v1.subscriptions.update(subscription.id, {"default_payment_method": default, **anew})
    charges = shop.v1.charges.list({"customer": customer}).data
    assert [charge.payment_method for charge in charges] == [default, source]
    shop.v1.payment_methods.detach(source)
    assert shop.v1.subscriptions.retrieve(subscription.id).default_source is None


@pytest.mark.parametrize("name", ["payment_method", "source"])
def test_nobody_pays_with_a_card_of_somebody_else(shop: Shop, name: str) -> None:
    subscription = _failing(shop)
    theirs = shop.default_card(shop.customer())
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method") as refusal:
        shop.v1.invoices.pay(str(shop.latest(subscription).id), {name: theirs})  # type: ignore[misc]
    assert refusal.value.param == name
