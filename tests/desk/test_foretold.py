"""Are the sums and instants of a preview, where they are our own arithmetic, those of the account afterwards?

Any amounts, balances and states, in dollars, euros and yen. What the dialog announced is looked for in its
words; what came of it is asked of the account.
"""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services import clock, money
from services.desk import commands, fresh, words
from services.desk.command import Form
from tests.desk.bench import ANA, Bench

pytestmark = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
CURRENCIES = st.sampled_from(("usd", "eur", "jpy"))
AMOUNTS = st.integers(50, 200_000)  # minor units, of which yen has no smaller ones
BALANCES = st.sampled_from((0, -1, -30, 49, 5_000)) | st.integers(-250_000, 50_000)
RUNNING = st.sampled_from(("trialing", "active"))
PRICE = 4900
some = settings(max_examples=max(4, settings.default.max_examples // 8))  # each is several requests


def customer(desk: Bench, currency: str, balance: int = 0, state: str = "active") -> tuple[str, str]:
    """A customer with a card, a balance and a subscription in the state: the ids of both."""
    made = desk.customer()
    plan = {"items": [{"price": desk.price(PRICE, currency)}]}
    subscription = desk.trial(made, **plan) if state == "trialing" else desk.subscribe(made, **plan)
    if balance:
        desk.sdk.customers.update(made, {"balance": balance})
    return made, subscription


def typed(amount: int, currency: str) -> str:
    """An amount as people type it."""
    return str(amount) if currency == "jpy" else f"{amount // 100}.{amount % 100:02d}"


def told(desk: Bench, command: str, about: tuple[str, str], form: Form) -> str:
    """What the dialog says with a form, which is then carried out."""
    del desk
    opened = commands.open(ANA, command, *about)
    said = commands.preview(opened, form)
    outcome = commands.submit(opened, ANA, form, "asked for it")
    assert outcome.state == "done", outcome
    return " ".join(said.happens)


def charged(desk: Bench, id: str) -> int:
    """What the customer's cards were charged in all."""
    found = desk.sdk.charges.list({"customer": id, "limit": 100}).data
    return sum(each.amount for each in found if each.paid)


def next_due(desk: Bench, subscription: str) -> int:
    """What the next invoice of a subscription asks for."""
    return desk.sdk.invoices.create_preview({"subscription": subscription}).amount_due


@some
@given(currency=CURRENCIES, amount=AMOUNTS, balance=BALANCES, state=RUNNING)
def test_what_is_charged_now(desk: Bench, currency: str, amount: int, balance: int, state: str) -> None:
    about = customer(desk, currency, balance, state)
    before = charged(desk, about[0])
    form = {"amount": typed(amount, currency), "description": "Setup", "when": "now"}
    said = told(desk, "add_charge", about, form)
    taken = charged(desk, about[0]) - before
    left = desk.sdk.customers.retrieve(about[0]).balance
    assert ("nothing is charged" in said) == (taken == 0)
    assert left == (0 if taken else balance + amount), "what is not charged is owed"
    if taken and not balance:
        assert f"An invoice for {words.money(taken, currency)} is made" in said
    elif taken:
        assert f"{words.money(taken, currency)} is charged now to" in said
    if balance < 0:
        used = min(amount, -balance)
        assert f"{words.money(used, currency)} of it is taken from the customer's credit" in said
    if not taken and left > 0:
        assert words.too_small(left, currency) in said


@some
@given(currency=CURRENCIES, amount=AMOUNTS, balance=BALANCES, state=RUNNING)
def test_what_the_next_invoice_comes_to(
    desk: Bench, currency: str, amount: int, balance: int, state: str
) -> None:
    about = customer(desk, currency, balance, state)
    form = {"amount": typed(amount, currency), "description": "Setup", "when": "next"}
    said = told(desk, "add_charge", about, form)
    assert f"{words.money(amount, currency)} for “Setup” is added" in said
    if due := next_due(desk, about[1]):
        assert f"That invoice then comes to {words.money(due, currency)}, before any tax" in said
    else:
        assert "That invoice then comes to" not in said


@some
@given(currency=CURRENCIES, amount=AMOUNTS, balance=BALANCES, way=st.sampled_from(("give", "take")))
def test_what_credit_leaves(desk: Bench, currency: str, amount: int, balance: int, way: str) -> None:
    assume(way == "give" or balance + amount <= money.maximum_charge(currency))
    about = customer(desk, currency, balance)
    form = {"way": way, "amount": typed(amount, currency), "description": "Sorry", "currency": currency}
    said = told(desk, "account_credit", (about[0], about[0]), form)
    left = desk.sdk.customers.retrieve(about[0]).balance
    assert f"the customer then has {words.balance(left, currency)} instead of" in said
    assert words.money(next_due(desk, about[1]), currency) in said


@some
@given(days=st.integers(1, 300))
def test_when_a_longer_trial_ends(desk: Bench, days: int) -> None:
    about = customer(desk, "usd", state="trialing")
    said = told(desk, "extend_trial", about, {"mode": "days", "days": str(days)})
    ends = desk.sdk.subscriptions.retrieve(about[1]).trial_end
    assert ends and words.moment(ends) in said


@some
@given(currency=CURRENCIES, state=RUNNING)
def test_when_a_subscription_ends(desk: Bench, currency: str, state: str) -> None:
    about = customer(desk, currency, state=state)
    said = told(desk, "cancel", about, {"when": "period_end"})
    ends = desk.sdk.subscriptions.retrieve(about[1]).cancel_at
    assert ends and words.moment(ends) in said


@some
@given(currency=CURRENCIES, part=st.integers(1, PRICE))
def test_what_a_refund_leaves(desk: Bench, currency: str, part: int) -> None:
    about = customer(desk, currency)
    [charge] = desk.sdk.charges.list({"customer": about[0]}).data
    form = {"part": "part", "amount": typed(part, currency), "code": "duplicate"}
    said = told(desk, "refund", (about[0], charge.id), form)
    kept = desk.sdk.charges.retrieve(charge.id)
    left = kept.amount_captured - kept.amount_refunded
    assert kept.amount_refunded == part
    assert ("Nothing more of it can be refunded" in said) == (left == 0)
    assert not left or f"{words.money(left, currency)} of it can still be refunded" in said


@some
@given(currency=CURRENCIES, quantity=st.integers(1, 40), days=st.integers(1, 400))
def test_when_a_new_trial_ends_and_what_it_costs_then(
    desk: Bench, currency: str, quantity: int, days: int
) -> None:
    id = desk.customer()
    form = {
        "price": desk.price(PRICE, currency), "quantity": str(quantity), "days": str(days), "at_end": "cancel"
    }  # fmt: skip
    opened = commands.open(ANA, "start_trial", id)
    opened.ask(form)
    said = " ".join(commands.preview(opened, form).happens)
    assert commands.submit(opened, ANA, form, "asked for it").state == "done"
    [made] = desk.sdk.subscriptions.list({"customer": id}).data
    assert made.trial_end and made.trial_start and f"in {words.days(days)}. Nothing is charged now." in said
    assert abs(made.trial_end - made.trial_start - days * clock.DAY) < 10  # seconds since the dialog opened
    assert f"The first payment, {words.money(next_due(desk, made.id), currency)}, is taken then." in said


def test_what_is_due_without_a_coupon(desk: Bench) -> None:
    about = desk.in_state("discounted")
    opened = commands.open(ANA, "remove_coupon", about.customer.id, about.object_id)
    opened.ask({})
    said = " ".join(commands.preview(opened, {}).happens)
    assert commands.submit(opened, ANA, {}, "asked for it").state == "done"
    due = next_due(desk, about.object_id)
    assert due == PRICE and f"The next payment, {words.money(due, 'usd')}" in said


@pytest.mark.parametrize(("days", "still"), [(10, True), (60, False)])
def test_a_longer_trial_may_outlive_a_discount(desk: Bench, days: int, still: bool) -> None:
    about = customer(desk, "usd", state="trialing")
    coupon = desk.coupon("MONTH", 20, duration="repeating", duration_in_months=1)
    desk.sdk.subscriptions.update(about[1], {"discounts": [{"coupon": coupon}]})
    fresh.subject(*about)
    said = told(desk, "extend_trial", about, {"mode": "days", "days": str(days)})
    due = next_due(desk, about[1])
    assert due == (PRICE * 8 // 10 if still else PRICE)
    assert (f"The first payment, {words.money(due, 'usd')}, is taken then." in said) == still
    assert ("does not count any more then." in said) == (not still)
    assert still or words.money(PRICE * 8 // 10, "usd") not in said
