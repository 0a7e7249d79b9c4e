"""Renewals, changes in the middle of a period, cancellation, discounts and previews."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.sandbox.shop import DAY, Shop


def test_renewals_keep_the_anchors_day(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.sandbox.advance(days=95)
    anchor = datetime.fromtimestamp(subscription.billing_cycle_anchor, UTC)
    begun = [line.period.start for invoice in shop.invoices(subscription) for line in invoice.lines.data]
    assert len(begun) == 4
    for start in begun:
        moment = datetime.fromtimestamp(start, UTC)
        assert moment.time() == anchor.time()
        assert moment.day == anchor.day or moment.day >= 28
    now = shop.again(subscription)
    assert now["items"].data[0].current_period_start == max(begun)
    assert {invoice.status for invoice in shop.invoices(subscription)} == {"paid"}


def test_a_week_and_a_year(shop: Shop) -> None:
    weekly = shop.subscribe(price=shop.price(700, "week"))
    yearly = shop.subscribe(price=shop.price(49_000, "year"))
    shop.sandbox.advance(days=22)
    assert len(shop.invoices(weekly)) == 4
    assert len(shop.invoices(yearly)) == 1
    end = yearly["items"].data[0].current_period_end
    assert end - yearly.created in (365 * DAY, 366 * DAY)


def test_an_upgrade_credits_the_rest_and_charges_the_new_rest(shop: Shop) -> None:
    subscription = shop.subscribe(price=shop.price(3000))
    item = subscription["items"].data[0]
    start, end = item.current_period_start, item.current_period_end
    shop.sandbox.move_to(start + (end - start) // 2)
    items: Any = [{"id": item.id, "price": shop.price(9000)}]
    shop.v1.subscriptions.update(subscription.id, {"items": items})
    pending = shop.v1.invoice_items.list({"customer": str(subscription.customer), "pending": True}).data
    credit, charge = sorted(one.amount for one in pending)
    assert credit == pytest.approx(-1500, abs=2)
    assert charge == pytest.approx(4500, abs=2)
    assert len(shop.invoices(subscription)) == 1
    shop.sandbox.move_to(end + 4000)
    assert shop.latest(subscription).total == 9000 + credit + charge


@pytest.mark.parametrize("behaviour", ["none", "always_invoice"])
def test_proration_behaviours(shop: Shop, behaviour: str) -> None:
    subscription = shop.subscribe(price=shop.price(3000))
    item = subscription["items"].data[0]
    items: Any = [{"id": item.id, "quantity": 3}]
    shop.v1.subscriptions.update(subscription.id, {"items": items, "proration_behavior": behaviour})  # type: ignore[typeddict-item]
    invoices = shop.invoices(subscription)
    if behaviour == "none":
        assert len(invoices) == 1
        assert shop.v1.invoice_items.list({"customer": str(subscription.customer)}).data == []
    else:
        assert (len(invoices), invoices[0].status) == (2, "paid")
        assert invoices[0].total == pytest.approx(6000, abs=5)
        details = [line.parent and line.parent.invoice_item_details for line in invoices[0].lines.data]
        assert [bool(one and one.proration) for one in details] == [True, True]
    assert shop.again(subscription)["items"].data[0].quantity == 3


def test_going_over_to_a_yearly_price_starts_a_new_period_now(shop: Shop) -> None:
    subscription = shop.subscribe(price=shop.price(3000))
    item = subscription["items"].data[0]
    shop.sandbox.move_to((item.current_period_start + item.current_period_end) // 2)
    items: Any = [{"id": item.id, "price": shop.price(30_000, "year")}]
    changed = shop.v1.subscriptions.update(subscription.id, {"items": items})
    invoice = shop.latest(subscription)
    assert invoice.status == "paid"
    assert invoice.total == pytest.approx(30_000 - 1500, abs=2)
    assert changed.billing_cycle_anchor == changed["items"].data[0].current_period_start
    assert changed["items"].data[0].current_period_end > changed.billing_cycle_anchor + 364 * DAY


def test_a_credit_that_is_larger_than_the_charge_goes_to_the_balance(shop: Shop) -> None:
    subscription = shop.subscribe(price=shop.price(9000))
    items: Any = [{"id": subscription["items"].data[0].id, "price": shop.price(1000)}]
    shop.v1.subscriptions.update(subscription.id, {"items": items, "proration_behavior": "always_invoice"})
    customer = str(subscription.customer)
    balance = shop.v1.customers.retrieve(customer).balance
    assert balance == pytest.approx(-8000, abs=5)
    shop.renew(subscription)
    renewal = shop.latest(subscription)
    assert (renewal.total, renewal.amount_due, renewal.status) == (1000, 0, "paid")
    assert shop.v1.customers.retrieve(customer).balance == (balance or 0) + 1000
    moves = shop.v1.customers.balance_transactions.list(customer).data
    assert sum(move.amount for move in moves) == moves[0].ending_balance == (balance or 0) + 1000


def test_cancel_at_period_end_and_taking_it_back(shop: Shop) -> None:
    subscription = shop.subscribe()
    end = subscription["items"].data[0].current_period_end
    details: Any = {"feedback": "too_expensive", "comment": "sorry"}
    planned = shop.v1.subscriptions.update(
        subscription.id, {"cancel_at_period_end": True, "cancellation_details": details}
    )
    assert (planned.status, planned.cancel_at, planned.cancel_at_period_end) == ("active", end, True)
    assert planned.canceled_at is not None
    assert planned.cancellation_details is not None
    assert (planned.cancellation_details.feedback, planned.cancellation_details.reason) == (
        "too_expensive", "cancellation_requested")  # fmt: skip
    back = shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    assert (back.cancel_at, back.canceled_at, back.cancel_at_period_end) == (None, None, False)
    shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    shop.sandbox.move_to(end + 60)
    ended = shop.again(subscription)
    assert (ended.status, ended.ended_at) == ("canceled", end)
    assert len(shop.invoices(subscription)) == 1


def test_cancel_at_a_date(shop: Shop) -> None:
    subscription = shop.subscribe()
    at = subscription.created + 10 * DAY
    planned = shop.v1.subscriptions.update(subscription.id, {"cancel_at": at})
    assert (planned.cancel_at, planned.cancel_at_period_end) == (at, False)
    unset = shop.v1.subscriptions.update(subscription.id, {"cancel_at": ""})
    assert unset.cancel_at is None
    shop.v1.subscriptions.update(subscription.id, {"cancel_at": at})
    shop.sandbox.move_to(at + 60)
    assert shop.again(subscription).ended_at == at


def test_canceling_now_stops_collection_and_keeps_pending_items(shop: Shop) -> None:
    subscription = shop.subscribe()
    customer = str(subscription.customer)
    shop.sandbox.behave(shop.default_card(customer), "insufficient_funds")
    shop.renew(subscription)
    shop.v1.invoice_items.create(
        {"customer": customer, "subscription": subscription.id, "amount": 700, "currency": "usd"}
    )
    ended = shop.v1.subscriptions.cancel(subscription.id, {"cancellation_details": {"feedback": "unused"}})
    assert ended.status == "canceled"
    assert ended.ended_at == ended.canceled_at
    invoice = shop.latest(subscription)
    assert (invoice.status, invoice.auto_advance, invoice.next_payment_attempt) == ("open", False, None)
    assert len(shop.v1.invoice_items.list({"customer": customer, "pending": True}).data) == 1
    shop.sandbox.advance(days=30)
    assert shop.latest(subscription).attempt_count == 1


def test_what_was_never_completed_ends_without_stopping_what_else_is_owed(shop: Shop) -> None:
    owing = shop.subscribe()
    customer = str(owing.customer)
    shop.sandbox.behave(shop.default_card(customer), "insufficient_funds")
    shop.renew(owing)
    incomplete = shop.subscribe(customer)
    shop.sandbox.advance(hours=24)
    assert shop.again(incomplete).status == "incomplete_expired"
    assert shop.latest(incomplete).status == "void"
    invoice = shop.latest(owing)
    assert (invoice.status, invoice.auto_advance) == ("open", True)
    assert invoice.next_payment_attempt


def test_canceling_with_proration_and_an_invoice_gives_credit(shop: Shop) -> None:
    subscription = shop.subscribe(price=shop.price(3000))
    shop.v1.subscriptions.cancel(subscription.id, {"prorate": True, "invoice_now": True})
    assert shop.v1.customers.retrieve(str(subscription.customer)).balance == pytest.approx(-3000, abs=5)


def test_a_canceled_subscription_takes_only_metadata_and_details(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.v1.subscriptions.cancel(subscription.id)
    changed = shop.v1.subscriptions.update(subscription.id, {"metadata": {"a": "1"}})
    assert changed.metadata["a"] == "1"
    forbidden: list[Any] = [{"cancel_at_period_end": False}, {"trial_end": "now"}, {"description": "x"}]
    for params in forbidden:
        with pytest.raises(stripe.InvalidRequestError):
            shop.v1.subscriptions.update(subscription.id, params)
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.subscriptions.resume(subscription.id)


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")],
)
def test_paused_collection(shop: Shop, behaviour: str, status: str) -> None:
    subscription = shop.subscribe()
    resumes = subscription.created + 40 * DAY
    pause: Any = {"behavior": behaviour, "resumes_at": resumes}
    paused = shop.v1.subscriptions.update(subscription.id, {"pause_collection": pause})
    assert paused.status == "active"
    shop.renew(subscription)
    assert (shop.again(subscription).status, shop.latest(subscription).status) == ("active", status)
    shop.sandbox.move_to(resumes + 60)
    assert shop.again(subscription).pause_collection is None
    shop.sandbox.advance(days=31)
    assert shop.latest(subscription).status == "paid"


def test_invoices_that_are_sent_become_overdue(shop: Shop) -> None:
    sent: Any = {"collection_method": "send_invoice", "days_until_due": 14}
    subscription = shop.subscribe(shop.customer(None), **sent)
    assert (subscription.status, shop.latest(subscription).status) == ("active", "draft")
    shop.sandbox.advance(hours=2)
    invoice = shop.latest(subscription)
    assert (invoice.status, invoice.collection_method, invoice.attempt_count) == ("open", "send_invoice", 0)
    assert invoice.due_date == int(invoice.status_transitions.finalized_at or 0) + 14 * DAY
    assert shop.events(invoice.id, "invoice.sent")
    shop.sandbox.advance(days=15)
    assert shop.again(subscription).status == "past_due"
    assert shop.events(invoice.id, "invoice.overdue")
    shop.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    assert shop.again(subscription).status == "active"


def _discounted(shop: Shop, coupon: dict[str, Any], amount: int = 10_000) -> stripe.Subscription:
    made = shop.v1.coupons.create(coupon)  # type: ignore[arg-type]
    return shop.subscribe(price=shop.price(amount), discounts=[{"coupon": made.id}])


@pytest.mark.parametrize(
    ("coupon", "totals"),
    [
        ({"percent_off": 25, "duration": "forever"}, [7500, 7500, 7500, 7500]),
        ({"percent_off": 50, "duration": "once"}, [5000, 10_000, 10_000, 10_000]),
        ({"percent_off": 10, "duration": "repeating", "duration_in_months": 2}, [9000, 9000, 10_000, 10_000]),
        ({"amount_off": 2500, "currency": "usd", "duration": "forever"}, [7500, 7500, 7500, 7500]),
        ({"amount_off": 99_000, "currency": "usd", "duration": "once"}, [0, 10_000, 10_000, 10_000]),
    ],
)
def test_coupons_hold_for_as_long_as_they_say(shop: Shop, coupon: dict[str, Any], totals: list[int]) -> None:
    subscription = _discounted(shop, coupon)
    shop.sandbox.advance(days=95)
    invoices = shop.invoices(subscription)[::-1]
    assert [invoice.total for invoice in invoices] == totals
    off = [sum(one.amount for one in invoice.total_discount_amounts or []) for invoice in invoices]
    assert [total + less for total, less in zip(totals, off, strict=True)] == [10_000] * 4
    assert bool(shop.again(subscription).discounts) == (coupon["duration"] == "forever")


def test_a_coupon_that_is_once_waits_for_the_end_of_a_trial(shop: Shop) -> None:
    coupon = shop.v1.coupons.create({"percent_off": 50, "duration": "once"})
    subscription = shop.subscribe(
        price=shop.price(8000), discounts=[{"coupon": coupon.id}], trial_period_days=5
    )
    shop.sandbox.advance(days=5, hours=2)
    assert shop.latest(subscription).total == 4000


def test_promotion_codes_count_and_run_out(shop: Shop) -> None:
    coupon = shop.v1.coupons.create({"percent_off": 20, "duration": "forever", "max_redemptions": 1})
    code = shop.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    subscription = shop.subscribe(discounts=[{"promotion_code": code.id}])
    discount = shop.v1.subscriptions.retrieve(subscription.id, {"expand": ["discounts"]}).discounts[0]
    assert isinstance(discount, stripe.Discount)
    assert (discount.promotion_code, discount.source.coupon) == (code.id, coupon.id)
    assert shop.v1.coupons.retrieve(coupon.id).valid is False
    with pytest.raises(stripe.InvalidRequestError):
        shop.subscribe(discounts=[{"coupon": coupon.id}])


def test_customers_have_one_currency(shop: Shop) -> None:
    subscription = shop.subscribe()
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.subscribe(str(subscription.customer), shop.price(4900, currency="eur"))
    assert "currencies" in str(caught.value)


@pytest.mark.parametrize("count", [21])
def test_at_most_twenty_items(shop: Shop, count: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.subscribe(items=[{"price": shop.price(100 + n)} for n in range(count)])
    assert caught.value.param == "items"


def test_an_inactive_price_cannot_be_subscribed_to(shop: Shop) -> None:
    price = shop.price()
    shop.v1.prices.update(price, {"active": False})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.subscribe(price=price)
    assert "inactive" in str(caught.value)


def test_a_preview_tells_what_the_change_costs_and_changes_nothing(shop: Shop) -> None:
    subscription = shop.subscribe(price=shop.price(3000))
    item = subscription["items"].data[0]
    shop.sandbox.move_to((item.current_period_start + item.current_period_end) // 2)
    books = shop.sandbox.books()["counts"]
    change: Any = {"items": [{"id": item.id, "quantity": 4}], "proration_behavior": "always_invoice"}
    preview = shop.v1.invoices.create_preview(
        {"subscription": subscription.id, "subscription_details": change}
    )
    assert preview.status == "draft"
    assert shop.sandbox.books()["counts"] == books
    assert shop.again(subscription)["items"].data[0].quantity == 1
    shop.v1.subscriptions.update(subscription.id, change)
    assert shop.latest(subscription).total == pytest.approx(preview.total, abs=3)


def test_the_preview_of_a_renewal_is_the_renewal(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.v1.invoice_items.create(
        {"customer": str(subscription.customer), "amount": 1300, "currency": "usd", "description": "Extra"}
    )
    preview = shop.v1.invoices.create_preview({"subscription": subscription.id})
    assert preview.amount_due == 6200
    shop.renew(subscription)
    invoice = shop.latest(subscription)
    assert (invoice.total, len(invoice.lines.data)) == (6200, 2)
    assert [line.description for line in preview.lines.data] == [
        line.description for line in invoice.lines.data
    ]


def test_a_preview_of_a_trial_shows_its_first_bill(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(None), trial_period_days=14, quantity=2)
    preview = shop.v1.invoices.create_preview({"subscription": subscription.id})
    assert (preview.amount_due, preview.period_end) == (9800, subscription.trial_end)
    assert shop.again(subscription).status == "trialing"


def test_nothing_to_preview(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.invoices.create_preview({"subscription": subscription.id})
    assert caught.value.code == "invoice_upcoming_none"


def test_items_are_added_changed_and_removed(shop: Shop) -> None:
    subscription = shop.subscribe()
    added = shop.v1.subscription_items.create(
        {"subscription": subscription.id, "price": shop.price(1500), "quantity": 2}
    )
    assert len(shop.again(subscription)["items"].data) == 2
    assert shop.v1.subscription_items.update(added.id, {"quantity": 5}).quantity == 5
    assert shop.v1.subscription_items.retrieve(added.id).quantity == 5
    shop.v1.subscription_items.delete(added.id)
    assert [one.id for one in shop.again(subscription)["items"].data] == [subscription["items"].data[0].id]
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.subscription_items.delete(subscription["items"].data[0].id)


def test_a_coupon_of_another_currency_is_refused_and_not_used_up(shop: Shop) -> None:
    coupon = shop.v1.coupons.create({"amount_off": 500, "currency": "eur", "duration": "once"})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.subscribe(discounts=[{"coupon": coupon.id}])
    assert "eur" in str(caught.value)
    assert shop.v1.coupons.retrieve(coupon.id).times_redeemed == 0


def test_default_incomplete_waits_for_a_payment(shop: Shop) -> None:
    waiting: Any = {
        "payment_behavior": "default_incomplete",
        "payment_settings": {"save_default_payment_method": "on_subscription"},
    }
    subscription = shop.subscribe(shop.customer(None), **waiting)
    invoice = shop.latest(subscription)
    assert (subscription.status, invoice.status, invoice.attempt_count) == ("incomplete", "open", 0)
    shop.sandbox.add_card(str(subscription.customer))
    shop.v1.invoices.pay(invoice.id)
    paid = shop.again(subscription)
    assert paid.status == "active"
    assert paid.default_payment_method == shop.default_card(str(subscription.customer))


@pytest.mark.parametrize("interval", ["month", "year"])
def test_a_change_is_prorated_as_of_the_date_that_was_previewed(shop: Shop, interval: str) -> None:
    subscription = shop.subscribe(price=shop.price(3000))
    item = subscription["items"].data[0]
    half = (item.current_period_start + item.current_period_end) // 2
    change: Any = {
        "items": [{"id": item.id, "price": shop.price(9000, interval)}],
        "proration_behavior": "always_invoice",
        "proration_date": half,
    }
    shop.sandbox.move_to(half)
    asked: Any = {"subscription": subscription.id, "subscription_details": change}
    previewed = shop.v1.invoices.create_preview(asked)
    shop.sandbox.move_to(half + 5 * DAY)
    shop.v1.subscriptions.update(subscription.id, change)
    assert shop.latest(subscription).total == previewed.total
    with pytest.raises(stripe.InvalidRequestError, match="outside of the current subscription period"):
        before: Any = {**change, "proration_date": item.current_period_start - 9 * DAY}
        shop.v1.subscriptions.update(subscription.id, before | {"items": [{"id": item.id, "quantity": 2}]})


def test_what_was_free_and_costs_something_is_billed_at_once_for_a_new_period(shop: Shop) -> None:
    subscription = shop.subscribe(price=shop.price(0))
    item = subscription["items"].data[0]
    half = (item.current_period_start + item.current_period_end) // 2
    shop.sandbox.move_to(half)
    changed = shop.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item.id, "price": shop.price(9000)}]}
    )
    assert shop.latest(subscription).total == 9000
    assert changed.billing_cycle_anchor == changed["items"].data[0].current_period_start >= half


def test_a_discount_that_is_taken_away_is_told_by_an_event(shop: Shop) -> None:
    coupons = [shop.v1.coupons.create({"percent_off": 20, "duration": "forever"}).id for _ in range(2)]
    subscription = shop.subscribe(discounts=[{"coupon": coupon} for coupon in coupons])
    kept, gone = (str(discount) for discount in subscription.discounts)
    changed = shop.v1.subscriptions.update(subscription.id, {"discounts": [{"discount": kept}]})
    assert changed.discounts == [kept]
    assert [event["type"] for event in shop.events(gone)] == [
        "customer.discount.created", "customer.discount.deleted"
    ]  # fmt: skip
    assert len(shop.events(kept)) == 1
