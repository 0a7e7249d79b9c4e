"""Invoices by command, invoice items and credit notes."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.shop import Shop


def _draft(shop: Shop, amount: int = 2500, customer: str | None = None) -> stripe.Invoice:
    customer = customer or shop.customer()
    shop.v1.invoice_items.create(
        {"customer": customer, "amount": amount, "currency": "usd", "description": "Training"}
    )
    return shop.v1.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})


def test_from_draft_to_paid_by_hand(shop: Shop) -> None:
    draft = _draft(shop)
    assert (draft.status, draft.billing_reason, draft.total, draft.auto_advance) == (
        "draft",
        "manual",
        2500,
        False,
    )
    final = shop.v1.invoices.finalize_invoice(draft.id)
    assert (final.status, final.next_payment_attempt) == ("open", None)
    assert final.hosted_invoice_url is not None
    paid = shop.v1.invoices.pay(draft.id)
    assert (paid.status, paid.amount_paid, paid.attempt_count) == ("paid", 2500, 1)


def test_a_finalized_invoice_that_advances_is_charged_within_the_hour(shop: Shop) -> None:
    draft = _draft(shop)
    final = shop.v1.invoices.finalize_invoice(draft.id, {"auto_advance": True})
    assert (final.status, final.amount_paid) == ("open", 0)
    shop.sandbox.advance(hours=1, seconds=60)
    assert shop.v1.invoices.retrieve(draft.id).status == "paid"


def test_numbers_count_up_for_each_customer(shop: Shop) -> None:
    customer = shop.customer()
    numbers = [shop.v1.invoices.pay(_draft(shop, 1000 + n, customer).id).number or "" for n in range(3)]
    prefix = shop.v1.customers.retrieve(customer).invoice_prefix
    assert numbers == [f"{prefix}-{n:04}" for n in (1, 2, 3)]


def test_pending_items_are_left_out_unless_included(shop: Shop) -> None:
    customer = shop.customer()
    shop.v1.invoice_items.create({"customer": customer, "amount": 100, "currency": "usd"})
    empty = shop.v1.invoices.create({"customer": customer})
    assert (empty.total, empty.lines.data) == (0, [])
    shop.v1.invoice_items.create(
        {"customer": customer, "amount": 900, "currency": "usd", "invoice": empty.id}
    )
    assert shop.v1.invoices.retrieve(empty.id).total == 900


def test_items_are_changed_and_removed_while_they_wait(shop: Shop) -> None:
    customer = shop.customer()
    item = shop.v1.invoice_items.create({"customer": customer, "amount": 100, "currency": "usd"})
    assert shop.v1.invoice_items.update(item.id, {"amount": 250, "description": "More"}).amount == 250
    invoice = shop.v1.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
    shop.v1.invoice_items.update(item.id, {"amount": 300})
    assert shop.v1.invoices.retrieve(invoice.id).total == 300
    shop.v1.invoice_items.delete(item.id)
    assert shop.v1.invoices.retrieve(invoice.id).total == 0
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.invoice_items.retrieve(item.id)


def test_a_line_on_a_finalized_invoice_cannot_be_changed(shop: Shop) -> None:
    draft = _draft(shop)
    item = shop.v1.invoice_items.list({"invoice": draft.id}).data[0]
    shop.v1.invoices.finalize_invoice(draft.id)
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.invoice_items.update(item.id, {"amount": 1})
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.invoices.finalize_invoice(draft.id)


def test_an_invoice_of_nothing_leaves_the_balance_as_it_was(shop: Shop) -> None:
    customer = shop.customer()
    shop.v1.customers.balance_transactions.create(customer, {"amount": -1000, "currency": "usd"})
    shop.v1.invoices.finalize_invoice(str((draft := shop.v1.invoices.create({"customer": customer})).id))
    final = shop.v1.invoices.retrieve(str(draft.id))
    assert (final.total, final.starting_balance, final.ending_balance) == (0, -1000, -1000)


def test_voiding_cancels_the_payment_and_gives_the_credit_back(shop: Shop) -> None:
    customer = shop.customer()
    shop.v1.customers.balance_transactions.create(customer, {"amount": -1000, "currency": "usd"})
    draft = _draft(shop, 2500, customer)
    final = shop.v1.invoices.finalize_invoice(draft.id)
    assert (final.starting_balance, final.ending_balance, final.amount_due) == (-1000, 0, 1500)
    void = shop.v1.invoices.void_invoice(draft.id)
    assert void.status == "void"
    payment = shop.v1.invoice_payments.list({"invoice": draft.id}).data[0]
    assert payment.status == "canceled"
    assert shop.v1.payment_intents.retrieve(str(payment.payment.payment_intent)).status == "canceled"
    assert shop.v1.customers.retrieve(customer).balance == -1000
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.invoices.pay(draft.id)


def test_an_uncollectible_invoice_can_still_be_paid(shop: Shop) -> None:
    draft = _draft(shop)
    shop.v1.invoices.finalize_invoice(draft.id)
    assert shop.v1.invoices.mark_uncollectible(draft.id).status == "uncollectible"
    assert shop.v1.invoices.pay(draft.id).status == "paid"


def test_deleting_a_draft_frees_its_items(shop: Shop) -> None:
    draft = _draft(shop)
    shop.v1.invoices.delete(draft.id)
    pending = shop.v1.invoice_items.list({"customer": str(draft.customer), "pending": True}).data
    assert [item.amount for item in pending] == [2500]
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.invoices.retrieve(draft.id)


def test_less_than_the_smallest_charge_waits_on_the_balance(shop: Shop) -> None:
    draft = _draft(shop, 30)
    final = shop.v1.invoices.finalize_invoice(draft.id)
    assert (final.status, final.amount_due) == ("paid", 0)
    assert shop.v1.customers.retrieve(str(draft.customer)).balance == 30


def test_yen_have_no_minor_unit(shop: Shop) -> None:
    subscription = shop.subscribe(price=shop.price(980, currency="jpy"))
    invoice = shop.latest(subscription)
    assert (invoice.currency, invoice.amount_paid) == ("jpy", 980)
    assert "¥980 / month" in (invoice.lines.data[0].description or "")


def test_a_charge_now_for_a_subscription(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.v1.invoice_items.create(
        {
            "customer": str(subscription.customer),
            "subscription": subscription.id,
            "amount": 900,
            "currency": "usd",
        }
    )
    invoice = shop.v1.invoices.create({"subscription": subscription.id, "auto_advance": False})
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert shop.v1.invoices.pay(invoice.id).amount_paid == 900


def test_ten_new_invoices_a_minute_for_a_subscription(shop: Shop) -> None:
    subscription = shop.subscribe()
    customer = str(subscription.customer)

    def charge() -> None:
        item = {"customer": customer, "subscription": subscription.id, "amount": 900, "currency": "usd"}
        shop.v1.invoice_items.create(item)  # type: ignore[arg-type]
        shop.v1.invoices.create({"subscription": subscription.id})

    for _ in range(9):
        charge()
    with pytest.raises(stripe.RateLimitError) as caught:
        charge()
    assert caught.value.headers is not None
    assert caught.value.headers["Stripe-Rate-Limited-Reason"] == "resource-specific"
    shop.sandbox.advance(seconds=61)
    shop.v1.invoices.create({"subscription": subscription.id})


def test_a_credit_note_lowers_what_is_open(shop: Shop) -> None:
    draft = _draft(shop, 5000)
    shop.v1.invoices.finalize_invoice(draft.id)
    note = shop.v1.credit_notes.create({"invoice": draft.id, "amount": 2000, "memo": "Sorry"})
    assert (note.type, note.number) == ("pre_payment", f"{shop.v1.invoices.retrieve(draft.id).number}-CN-01")
    paid = shop.v1.invoices.pay(draft.id)
    assert (paid.amount_paid, paid.pre_payment_credit_notes_amount) == (3000, 2000)


def test_a_credit_note_for_the_whole_settles_it(shop: Shop) -> None:
    draft = _draft(shop, 5000)
    shop.v1.invoices.finalize_invoice(draft.id)
    shop.v1.credit_notes.create({"invoice": draft.id, "amount": 5000})
    settled = shop.v1.invoices.retrieve(draft.id)
    assert (settled.status, settled.amount_paid) == ("paid", 0)


def test_credit_notes_after_payment_refund_or_give_credit(shop: Shop) -> None:
    draft = _draft(shop, 5000)
    shop.v1.invoices.pay(draft.id)
    note = shop.v1.credit_notes.create(
        {"invoice": draft.id, "amount": 3000, "refund_amount": 1000, "credit_amount": 2000}
    )
    assert [one.amount_refunded for one in note.refunds] == [1000]
    assert shop.v1.customers.retrieve(str(draft.customer)).balance == -2000
    charge = shop.v1.charges.list({"customer": str(draft.customer)}).data[0]
    assert charge.amount_refunded == 1000
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.credit_notes.create({"invoice": draft.id, "amount": 2001, "credit_amount": 2001})
