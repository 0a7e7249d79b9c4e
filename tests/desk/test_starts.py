"""Does a trial begin once, as the dialog said, and only for who has no subscription?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from services import clock
from services.desk import catalog, commands, fresh, repeats, unknown, words
from services.desk.subject import Subject
from services.errors import Conflict, InvalidInput, NotAllowed
from tests.desk.bench import ANA, BEN, SAM, STATES, Bench, asked, press, row

pytestmark = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(repeats, "PAUSES", (0.01,))
    yield


def form(desk: Bench, **instead: str) -> dict[str, str]:
    """What somebody types."""
    return {"price": desk.price(), "quantity": "3", "days": "14", "at_end": "pause", **instead}


def trials(desk: Bench, about: Subject) -> list[Any]:
    """The customer's subscriptions in the account."""
    return list(desk.sdk.subscriptions.list({"customer": about.customer.id, "status": "all"}).data)


@pytest.mark.parametrize("card", [None, "ok"])
@pytest.mark.parametrize("at_end", ["cancel", "pause"])
def test_a_trial_begins_as_announced(desk: Bench, card: str | None, at_end: str) -> None:
    about, given = fresh.subject(desk.customer(card)), form(desk, at_end=at_end)
    opened = commands.open(ANA, "start_trial", about.customer.id)
    told = asked(opened, given)
    outcome = commands.submit(opened, ANA, given, "asked by mail")
    [made] = trials(desk, about)
    assert (made.status, made.trial_end - made.trial_start) == (
        "trialing",
        pytest.approx(14 * clock.DAY, abs=9),
    )
    assert made.trial_settings.end_behavior.missing_payment_method == at_end
    assert [(item.price.id, item.quantity) for item in made["items"].data] == [(desk.price(), 3)]
    ends = words.moment(made.trial_end)
    plan = "3 × Team 4900-usd-month at $49.00 a month each"
    assert outcome.message == f"The trial of {plan} has begun; it ends on {ends}."
    said = " ".join(told.happens)
    assert "in 14 days. Nothing is charged now." in said and not told.warnings
    if card:
        assert said.endswith("The first payment, $147.00, is taken then.")
    else:
        stops = "is canceled" if at_end == "cancel" else "pauses"
        assert f"unless the customer adds one, the subscription {stops} then." in said
        assert said.endswith("With one, $147.00 is taken then.")
    assert row(opened.token)["result"] == {"new_subscription": made.id}


@pytest.mark.parametrize("state", STATES)
def test_only_who_has_no_subscription_is_offered_one(desk: Bench, state: str) -> None:
    about = fresh.subject(desk.shared(state).customer.id)
    if state == "canceled":
        assert catalog.find("start_trial").offered(about) == ""
        return
    assert "There is a subscription already" in catalog.find("start_trial").offered(about)
    with pytest.raises(Conflict, match="There is a subscription already"):
        commands.open(ANA, "start_trial", about.customer.id)


def test_who_had_a_trial_before_is_pointed_out(desk: Bench) -> None:
    customer, given = desk.customer(), form(desk)
    old = desk.trial(customer)
    desk.sdk.subscriptions.cancel(old)
    desk.mirror("subscription", old)
    opened = commands.open(ANA, "start_trial", customer)
    assert asked(opened, given).warnings[0].startswith("This customer had a trial before")


def test_what_somebody_else_began_meanwhile_stops_it(desk: Bench) -> None:
    about, given = fresh.subject(desk.customer()), form(desk)
    opened = [(who, commands.open(who, "start_trial", about.customer.id)) for who in (ANA, BEN)]
    outcomes = [commands.submit(each, who, given, "asked") for who, each in opened]
    assert [each.state for each in outcomes] == ["done", "failed"] and outcomes[1].overtaken
    assert "Ana did “Start trial”" in outcomes[1].message and len(trials(desk, about)) == 1


@pytest.mark.parametrize(
    ("kind", "state", "count"),
    [("timeout_after", "done", None), ("500_after", "done", None), ("500_before", "unknown", None),
     ("timeout_before", "done", 1), ("429", "done", 1)],
)  # fmt: skip
def test_a_lost_answer_begins_no_second_one(desk: Bench, kind: str, state: str, count: int | None) -> None:
    about, given = fresh.subject(desk.customer()), form(desk)
    opened = commands.open(ANA, "start_trial", about.customer.id)
    limit = {} if count is None else {"count": count}
    desk.sandbox.fault(kind, method="POST", path="/v1/subscriptions", **limit)
    outcome = commands.submit(opened, ANA, given, "asked")
    desk.sandbox.heal()
    assert outcome.state == state, outcome
    if state == "unknown":
        assert trials(desk, about) == []
        assert unknown.try_again(BEN, opened.token).state == "done"
    assert len(trials(desk, about)) == 1


@pytest.mark.parametrize(
    ("typed", "remark"),
    [
        ({"price": ""}, "Choose what the customer tries"),
        ({"price": "price_gone"}, "This price is not sold"),
        ({"quantity": "0"}, "not a quantity"),
        ({"quantity": "1.5"}, "not a quantity"),
        ({"days": "731"}, "between 1 and 730"),
        ({"at_end": "create_invoice"}, "without a card"),
    ],
)
def test_a_trial_that_cannot_be(desk: Bench, typed: dict[str, str], remark: str) -> None:
    about = fresh.subject(desk.customer())
    with pytest.raises(InvalidInput, match=remark) as error:
        press(ANA, "start_trial", about, **form(desk, **typed))
    assert error.value.field in typed and trials(desk, about) == []


def test_a_customer_tries_what_is_sold_in_their_currency(desk: Bench) -> None:
    euros = desk.price(4500, "eur")
    customer = desk.customer()
    ended = desk.subscribe(customer)
    desk.sdk.subscriptions.cancel(ended)
    desk.mirror("subscription", ended)
    with pytest.raises(InvalidInput, match="not sold in USD, which the customer pays in"):
        press(ANA, "start_trial", fresh.subject(customer), **form(desk, price=euros))


def test_who_only_sells_may_not(desk: Bench) -> None:
    with pytest.raises(NotAllowed, match="start trials"):
        commands.open(SAM, "start_trial", desk.customer())
