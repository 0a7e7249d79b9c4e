"""The billing engine on its own: limits that would take long over HTTP, and the rules of its store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.sandbox.billing import cards, catalog, changes, customers, lifecycle, previews, subscriptions
from services.sandbox.billing.account import Account, StuckError
from services.sandbox.billing.periods import DAY
from services.sandbox.errors import InvalidRequest
from services.sandbox.store import Body

START = 1_790_000_000


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    made = lifecycle.open_account(tmp_path / "account.db", START)
    yield made
    made.store.close()


def _price(account: Account, amount: int = 4900) -> str:
    product = catalog.create_product(account, name="Team")["id"]
    given = {"product": product, "currency": "usd", "unit_amount": amount}
    return str(catalog.create_price(account, **given, recurring={"interval": "month"})["id"])


def _trial(account: Account, days: int = 14) -> Body:
    customer = customers.create(account, name="Ann")["id"]
    cards.attach(account, "ok", customer, default=True)
    items = [{"price": _price(account)}]
    return subscriptions.create(account, customer=customer, items=items, trial_period_days=days)


def test_at_most_500_subscriptions_for_a_customer(account: Account) -> None:
    customer, price = customers.create(account)["id"], _price(account)

    def subscribe() -> Body:
        return subscriptions.create(
            account, customer=customer, items=[{"price": price}], trial_period_days=30
        )

    made = [subscribe() for _ in range(500)]
    with pytest.raises(InvalidRequest, match="500"):
        subscribe()
    subscriptions.cancel(account, made[0]["id"])
    subscribe()


def test_what_was_not_committed_has_not_happened(account: Account) -> None:
    subscription = _trial(account)
    account.store.commit()
    changes.update(account, subscription["id"], trial_end=START + 60 * DAY, metadata={"a": "1"})
    customers.create(account, name="Nobody")
    account.store.rollback()
    after = account.get("subscription", subscription["id"])
    assert (after["trial_end"], after["metadata"]) == (START + 14 * DAY, {})
    assert len(account.store.all("customer")) == 1
    account.advance(START + 14 * DAY + 2 * 3600)
    assert account.get("subscription", subscription["id"])["status"] == "active"


def test_a_preview_leaves_the_plan_of_what_is_due_as_it_was(account: Account) -> None:
    subscription = _trial(account)
    details = {"trial_end": "now"}
    shown = previews.create(account, subscription=subscription["id"], subscription_details=details)
    assert (shown["amount_due"], account.now) == (4900, START)
    account.advance(START + 14 * DAY + 2 * 3600)
    assert [invoice["total"] for invoice in account.store.all("invoice")] == [0, 4900]


def test_an_account_opened_again_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "account.db"
    first = lifecycle.open_account(path, START)
    subscription = _trial(first)
    first.store.commit()
    first.store.close()
    second = lifecycle.open_account(path, START)
    second.advance(START + 50 * DAY)
    paid = [one["status_transitions"]["paid_at"] for one in second.store.all("invoice")]
    assert paid[:2] == [START, START + 14 * DAY + 3600]
    assert len(paid) == 3
    assert second.get("subscription", subscription["id"])["status"] == "active"
    second.store.close()


def test_one_year_at_once_is_the_year_day_by_day(tmp_path: Path) -> None:
    books = []
    for name, step in (("leap", 365), ("days", 1)):
        account = lifecycle.open_account(tmp_path / f"{name}.db", START)
        subscription = _trial(account)
        method = account.store.all("payment_method")[0]["id"]
        cards.decline(account, method, "insufficient_funds", times=3)
        for day in range(step, 366, step):
            account.advance(START + day * DAY)
        told = [
            (one["created"], one["status"], one["total"], one["attempt_count"])
            for one in account.store.all("invoice")
        ]
        books.append((told, account.get("subscription", subscription["id"])["status"]))
        account.store.close()
    assert books[0] == books[1]
    assert len(books[0][0]) == 13


def test_history_keeps_no_events_that_stripe_would_have_dropped(account: Account) -> None:
    account.events_from = START + 20 * DAY
    _trial(account)
    account.advance(START + 40 * DAY)
    events = account.store.all("event")
    assert events
    assert min(event["created"] for event in events) >= START + 20 * DAY


def test_intents_are_carried_out_in_time_and_survive_a_restart(tmp_path: Path) -> None:
    path, seen = tmp_path / "account.db", []
    first = lifecycle.open_account(path, START)
    first.schedule_intent(START + 50, "wave", {"n": 2}, "cus_1")
    first.schedule_intent(START + 20, "wave", {"n": 1})
    first.store.commit()
    first.store.close()
    second = lifecycle.open_account(path, START)
    second.intents["wave"] = lambda account, customer, params: seen.append(
        (account.now, customer, params["n"])
    )
    second.advance(START + 30)
    assert seen == [(START + 20, None, 1)]
    second.advance(START + 100)
    assert seen[1:] == [(START + 50, "cus_1", 2)]
    assert second.store.all("intent") == []
    second.store.close()


def test_one_object_that_cannot_be_moved_on_stops_nobody_else(account: Account) -> None:
    subscription = _trial(account)
    account.schedule_intent(START + 10, "fail", {})

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    account.intents["fail"] = fail
    account.store.commit()
    with pytest.raises(ZeroDivisionError):
        account.advance(START + 20)
    account.store.rollback()
    troubles: list[str] = []

    def leave_alone(object_id: str, error: Exception) -> None:
        troubles.append(type(error).__name__)
        account.store.rollback()

    account.on_trouble = leave_alone
    account.advance(START + 15 * DAY)
    assert troubles == ["ZeroDivisionError"]
    assert account.get("subscription", subscription["id"])["status"] == "active"


def test_a_handler_that_never_moves_on_is_noticed(account: Account) -> None:
    stuck = account.new(
        "checkout.session", "cs", mode="setup", expires_at=START + 5, payment_status="unpaid", url=""
    )
    account._handlers = {**account._handlers, "checkout.session": lambda *_: None}
    with pytest.raises(StuckError) as caught:
        account.advance(START + 10)
    assert (caught.value.object_id, caught.value.due) == (stuck["id"], START + 5)
