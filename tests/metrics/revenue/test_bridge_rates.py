"""From our rates to Stripe's: conversion of 30 days, and churn."""

from __future__ import annotations

from types import ModuleType

from sqlmodel import col, select

from models import Subscription
from services.clock import DAY
from services.metrics.revenue import bridge_rates
from tests.metrics import count
from tests.metrics.build import Account, at
from tests.metrics.count import UTC

NOW = at("2026-06-15 12:00")


def told(steps: list[bridge_rates.Step]) -> dict[str, tuple[int, int]]:
    return {step.key: (step.part, step.whole) for step in steps}


def counted(database: ModuleType, account: Account, seen: int = NOW) -> None:
    account.save(database)
    count.see(database, seen)
    count.everybody(database, now=NOW)


def test_stripe_counts_every_trial_and_we_the_first_of_each_customer(database: ModuleType) -> None:
    account = Account()
    ada = account.customer("ada", NOW - 90 * DAY)
    account.trial(ada, NOW - 90 * DAY, status="canceled", ended_at=NOW - 76 * DAY)
    again = account.trial(ada, NOW - 20 * DAY, status="active")
    account.invoice(again, NOW - 6 * DAY, 4900)
    bob = account.customer("bob", NOW - 20 * DAY)
    account.trial(bob, NOW - 20 * DAY, status="canceled", ended_at=NOW - 6 * DAY)
    counted(database, account)
    with database.session() as session:
        steps = bridge_rates.of_conversion(session, NOW)
    assert told(steps) == {"ours": (0, 1), "own_invoice": (0, 1), "further_trials": (1, 2)}
    assert steps[-1].value == 0.5


def test_who_came_back_by_another_subscription_converted_for_us_alone(database: ModuleType) -> None:
    account = Account()
    ada = account.customer("ada", NOW - 20 * DAY)
    account.trial(ada, NOW - 20 * DAY, status="canceled", ended_at=NOW - 6 * DAY)
    later = account.subscription(ada, NOW - 2 * DAY)
    account.invoice(later, NOW - 2 * DAY, 4900)
    counted(database, account)
    with database.session() as session:
        assert told(bridge_rates.of_conversion(session, NOW))["ours"] == (1, 1)
        assert told(bridge_rates.of_conversion(session, NOW))["own_invoice"] == (0, 1)


def test_churn_of_a_month_and_of_thirty_days(database: ModuleType) -> None:
    """Three pay on April 1; one leaves in May, one in June; one comes in June, and is not collected then."""
    account = Account()
    april = at("2026-04-01")
    for name in ("ada", "bob", "cem"):
        account.subscription(account.customer(name, april), april)
    account.save(database)
    count.see(database, april)
    for name, ended in (("bob", "2026-05-10"), ("cem", "2026-06-05")):
        change(database, name, at(ended), status="canceled")
    late = Account(100)
    late.rows.clear()
    late.subscription(late.customer("dee", at("2026-06-02")), at("2026-06-02"))
    late.save(database)
    count.see(database, at("2026-06-06"))
    change(database, "dee", at("2026-06-10"), pause_collection="void")
    count.everybody(database, now=NOW)
    with database.session() as session:
        assert told(bridge_rates.of_churn(session, NOW, UTC)) == {
            "ours": (1, 3),
            "rolling": (2, 2),
            "newcomers": (2, 3),
            "collection_paused": (1, 3),
        }


def test_who_is_collected_from_again_was_never_gone_to_stripe(database: ModuleType) -> None:
    """Two pay since April; of one nothing is collected in all of May, and again from June 5 on."""
    account, april = Account(), at("2026-04-01")
    for name in ("ada", "bob"):
        account.subscription(account.customer(name, april), april)
    account.save(database)
    count.see(database, april)
    change(database, "bob", at("2026-05-02"), pause_collection="void")
    change(database, "bob", at("2026-06-05"), pause_collection=None)
    count.everybody(database, now=NOW)
    with database.session() as session:
        steps = told(bridge_rates.of_churn(session, NOW, UTC))
    assert steps["newcomers"] == (0, 2)  # one was there, and one came back
    assert steps["collection_paused"] == (0, 2)  # both were there


def change(database: ModuleType, name: str, when: int, **fields: object) -> None:

    with database.transaction() as session:
        row = session.exec(select(Subscription).where(col(Subscription.customer) == f"cus_{name}")).one()
        row.sqlmodel_update(fields)
        session.add(row)
    count.see(database, when)


def test_without_trials_and_customers_there_is_no_data(database: ModuleType) -> None:
    counted(database, Account())
    with database.session() as session:
        assert {step.value for step in bridge_rates.of_conversion(session, NOW)} == {None}
        assert {step.value for step in bridge_rates.of_churn(session, NOW, UTC)} == {None}
