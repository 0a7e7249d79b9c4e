"""Trials: how they start, move, warn and end."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.shop import DAY, Shop


def _end_behaviour(what: str) -> dict[str, Any]:
    return {"trial_settings": {"end_behavior": {"missing_payment_method": what}}}


def test_a_trial_starts_with_a_paid_invoice_of_nothing(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(None), trial_period_days=14)
    assert subscription.status == "trialing"
    assert subscription.trial_end == subscription.created + 14 * DAY
    assert subscription.billing_cycle_anchor == subscription.trial_end
    item = subscription["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (
        subscription.created,
        subscription.trial_end,
    )
    (invoice,) = shop.invoices(subscription)
    assert (invoice.status, invoice.total, invoice.billing_reason) == ("paid", 0, "subscription_create")
    assert shop.v1.invoice_payments.list({"invoice": invoice.id}).data == []


def test_with_a_card_the_trial_ends_in_a_draft_that_is_charged_an_hour_later(shop: Shop) -> None:
    subscription = shop.subscribe(trial_period_days=14, quantity=3)
    end = int(subscription.trial_end or 0)
    shop.sandbox.move_to(end + 60)
    now = shop.again(subscription)
    draft = shop.latest(subscription)
    assert (now.status, now.latest_invoice) == ("active", draft.id)
    assert (draft.status, draft.billing_reason, draft.amount_due) == ("draft", "subscription_cycle", 14_700)
    assert draft.automatically_finalizes_at == end + 3600
    assert draft.number is None
    shop.sandbox.move_to(end + 3660)
    paid = shop.latest(subscription)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 14_700, 0)
    assert paid.status_transitions.finalized_at == end + 3600
    assert paid.number is not None
    assert now.trial_end == end


@pytest.mark.parametrize(
    ("behaviour", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "active")]
)
def test_without_a_card_the_trial_ends_as_it_was_told(shop: Shop, behaviour: str, status: str) -> None:
    subscription = shop.subscribe(shop.customer(None), trial_period_days=7, **_end_behaviour(behaviour))
    end = int(subscription.trial_end or 0)
    shop.sandbox.move_to(end + 60)
    after = shop.again(subscription)
    assert after.status == status
    assert len(shop.invoices(subscription)) == (2 if behaviour == "create_invoice" else 1)
    if behaviour == "cancel":
        assert after.ended_at == end
    if behaviour == "pause":
        assert after.status_details is not None
        assert after.status_details.paused.subscription.type == "trial_end_without_payment_method"
        assert shop.events(subscription.id, "customer.subscription.paused")


def test_the_default_without_a_card_is_an_invoice_that_nobody_can_pay(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(None), trial_period_days=7)
    shop.sandbox.advance(days=7, hours=2)
    invoice = shop.latest(subscription)
    assert (shop.again(subscription).status, invoice.status, invoice.attempt_count) == ("past_due", "open", 1)
    assert invoice.next_payment_attempt is not None
    assert shop.v1.charges.list({"customer": str(subscription.customer)}).data == []


def test_a_trials_end_is_announced_three_days_before(shop: Shop) -> None:
    subscription = shop.subscribe(trial_period_days=10)
    end = int(subscription.trial_end or 0)
    shop.sandbox.move_to(end - 3 * DAY - 120)
    assert shop.events(subscription.id, "customer.subscription.trial_will_end") == []
    shop.sandbox.move_to(end - 3 * DAY + 5)
    (event,) = shop.events(subscription.id, "customer.subscription.trial_will_end")
    assert event["created"] == end - 3 * DAY


def test_a_short_trial_is_announced_at_once(shop: Shop) -> None:
    subscription = shop.subscribe(trial_period_days=2)
    shop.sandbox.advance(seconds=5)
    (event,) = shop.events(subscription.id, "customer.subscription.trial_will_end")
    assert event["created"] <= subscription.created + 3


def test_extending_moves_the_anchor_and_announces_the_new_end(shop: Shop) -> None:
    subscription = shop.subscribe(trial_period_days=2)
    shop.sandbox.advance(days=1)
    end = int(subscription.trial_end or 0) + 10 * DAY
    moved = shop.v1.subscriptions.update(subscription.id, {"trial_end": end, "proration_behavior": "none"})
    assert (moved.status, moved.trial_end, moved.billing_cycle_anchor) == ("trialing", end, end)
    assert moved["items"].data[0].current_period_end == end
    assert len(shop.invoices(subscription)) == 1
    shop.sandbox.move_to(end - 60)
    assert shop.again(subscription).status == "trialing"
    assert len(shop.events(subscription.id, "customer.subscription.trial_will_end")) == 2
    shop.sandbox.move_to(end + 4000)
    assert shop.again(subscription).status == "active"
    assert [one.status for one in shop.invoices(subscription)] == ["paid", "paid"]


def test_ending_a_trial_now_bills_at_once(shop: Shop) -> None:
    subscription = shop.subscribe(trial_period_days=14)
    shop.sandbox.advance(days=2)
    ended = shop.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    invoice = shop.latest(subscription)
    assert (ended.status, ended.latest_invoice) == ("active", invoice.id)
    assert (invoice.status, invoice.amount_paid) == ("paid", 4900)
    assert ended.trial_end == ended.billing_cycle_anchor == ended["items"].data[0].current_period_start


def test_ending_a_trial_now_with_a_card_that_is_declined(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer("insufficient_funds"), trial_period_days=14)
    ended = shop.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    assert ended.status == "past_due"
    assert shop.latest(subscription).next_payment_attempt is not None


@pytest.mark.parametrize(("behaviour", "status"), [("cancel", "canceled"), ("pause", "paused")])
def test_ending_a_trial_now_without_a_card_moves_its_end(shop: Shop, behaviour: str, status: str) -> None:
    subscription = shop.subscribe(shop.customer(None), trial_period_days=14, **_end_behaviour(behaviour))
    shop.sandbox.advance(days=2)
    ended = shop.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    assert ended.status == status
    assert ended.trial_end is not None
    assert ended.trial_end <= shop.sandbox.now() < int(subscription.trial_end or 0)


def test_a_trial_on_an_active_subscription_stops_billing_until_its_end(shop: Shop) -> None:
    subscription = shop.subscribe()
    end = subscription.created + 45 * DAY
    trial = shop.v1.subscriptions.update(subscription.id, {"trial_end": end, "proration_behavior": "none"})
    assert (trial.status, trial.trial_end) == ("trialing", end)
    shop.sandbox.move_to(end - 60)
    assert [one.total for one in shop.invoices(subscription)] == [0, 4900]
    shop.sandbox.move_to(end + 4000)
    assert [one.amount_paid for one in shop.invoices(subscription)] == [4900, 0, 4900]


@pytest.mark.parametrize("offset", [-DAY, 0, 732 * DAY])
def test_a_trial_end_in_the_past_or_beyond_two_years_is_refused(shop: Shop, offset: int) -> None:
    subscription = shop.subscribe(trial_period_days=14)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.subscriptions.update(subscription.id, {"trial_end": shop.sandbox.now() + offset})
    assert caught.value.param == "trial_end"
    assert shop.again(subscription).trial_end == subscription.trial_end


def test_more_than_730_days_are_refused(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.subscribe(trial_period_days=731)
    assert caught.value.param == "trial_period_days"


def test_canceling_at_the_end_of_a_trial_never_bills(shop: Shop) -> None:
    subscription = shop.subscribe(trial_period_days=7)
    planned = shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert (planned.status, planned.cancel_at) == ("trialing", subscription.trial_end)
    shop.sandbox.advance(days=7, hours=2)
    assert shop.again(subscription).status == "canceled"
    assert len(shop.invoices(subscription)) == 1


def test_extending_a_trial_that_is_to_be_canceled_moves_the_cancel_too(shop: Shop) -> None:
    subscription = shop.subscribe(trial_period_days=7)
    shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    end = int(subscription.trial_end or 0) + 5 * DAY
    moved = shop.v1.subscriptions.update(subscription.id, {"trial_end": end})
    assert (moved.cancel_at, moved.cancel_at_period_end) == (end, True)


def test_paused_is_resumed_with_a_card(shop: Shop) -> None:
    customer = shop.customer(None)
    subscription = shop.subscribe(customer, trial_period_days=7, **_end_behaviour("pause"))
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.subscriptions.resume(subscription.id)
    shop.sandbox.advance(days=40)
    assert shop.again(subscription).status == "paused"
    shop.sandbox.add_card(customer)
    assert shop.v1.subscriptions.resume(subscription.id).status == "paused", "nothing was charged yet"
    invoice = shop.latest(subscription)
    assert (invoice.status, invoice.attempted, invoice.auto_advance) == ("open", False, False)
    assert shop.v1.invoices.pay(invoice.id).amount_paid == 4900
    resumed = shop.again(subscription)
    assert resumed.status == "active"
    assert resumed.billing_cycle_anchor == resumed["items"].data[0].current_period_start
    assert shop.events(subscription.id, "customer.subscription.resumed")


def _resuming(shop: Shop, card: str = "ok") -> tuple[stripe.Subscription, stripe.Invoice]:
    """A paused subscription that was asked to resume, and the invoice that has to be paid for it."""
    customer = shop.customer(None)
    subscription = shop.subscribe(customer, trial_period_days=7, **_end_behaviour("pause"))
    shop.sandbox.advance(days=8)
    shop.sandbox.add_card(customer, card)
    shop.v1.subscriptions.resume(subscription.id)
    return subscription, shop.latest(subscription)


def test_what_resumes_is_past_due_when_its_payment_fails_and_nothing_is_tried_again(shop: Shop) -> None:
    subscription, invoice = _resuming(shop, "insufficient_funds")
    with pytest.raises(stripe.CardError):
        shop.v1.invoices.pay(invoice.id)
    assert (shop.again(subscription).status, shop.latest(subscription).next_payment_attempt) == (
        "past_due",
        None,
    )
    shop.sandbox.add_card(str(subscription.customer))
    shop.v1.invoices.pay(invoice.id)
    assert shop.again(subscription).status == "active"


def test_without_a_try_within_23_hours_it_stays_paused_and_the_invoice_is_voided(shop: Shop) -> None:
    subscription, _ = _resuming(shop)
    shop.sandbox.advance(hours=22)
    assert shop.latest(subscription).status == "open"
    shop.sandbox.advance(hours=2)
    assert (shop.latest(subscription).status, shop.again(subscription).status) == ("void", "paused")


def test_voiding_the_invoice_by_hand_leaves_it_paused_and_giving_it_up_does_not(shop: Shop) -> None:
    subscription, invoice = _resuming(shop)
    shop.v1.invoices.void_invoice(invoice.id)
    assert shop.again(subscription).status == "paused"
    assert shop.events(subscription.id, "customer.subscription.resumed") == []
    shop.v1.subscriptions.resume(subscription.id)
    shop.v1.invoices.mark_uncollectible(shop.latest(subscription).id)
    assert shop.again(subscription).status == "active"


def test_only_what_is_charged_automatically_resumes_and_only_in_the_flexible_mode_at_once(shop: Shop) -> None:
    customer = shop.customer(None)
    subscription = shop.subscribe(customer, trial_period_days=7, **_end_behaviour("pause"))
    shop.sandbox.advance(days=8)
    shop.sandbox.add_card(customer)
    with pytest.raises(stripe.InvalidRequestError, match="flexible"):
        shop.v1.subscriptions.resume(subscription.id, {"payment_behavior": "resume_on_payment_success"})
    shop.v1.subscriptions.update(subscription.id, {"collection_method": "send_invoice", "days_until_due": 7})
    with pytest.raises(stripe.InvalidRequestError, match="charged automatically"):
        shop.v1.subscriptions.resume(subscription.id)


@pytest.mark.parametrize("state", ["trialing", "paused"])
@pytest.mark.parametrize(
    ("behaviour", "status"),
    [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")],
)
def test_nothing_is_collected_at_once_while_collection_is_paused(
    shop: Shop, state: str, behaviour: str, status: str
) -> None:
    customer = shop.customer(None)
    subscription = shop.subscribe(customer, trial_period_days=14, **_end_behaviour("pause"))
    if state == "paused":
        shop.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    shop.sandbox.add_card(customer)
    shop.v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": behaviour}})  # type: ignore[typeddict-item]
    if state == "paused":
        shop.v1.subscriptions.resume(subscription.id)
    else:
        shop.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    assert shop.latest(subscription).status == status
    assert shop.v1.charges.list({"customer": customer}).data == []
    stands = state == "paused" and behaviour != "mark_uncollectible"
    assert shop.again(subscription).status == ("paused" if stands else "active")
    shop.sandbox.advance(hours=3)
    assert shop.v1.charges.list({"customer": customer}).data == []
