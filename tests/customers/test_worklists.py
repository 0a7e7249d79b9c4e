"""Work lists: the right rows, in the right order, page by page, currency by currency."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from models import (
    Charge,
    Customer,
    CustomerFacts,
    Invoice,
    InvoicePayment,
    PaymentIntent,
    Product,
    Subscription,
    SubscriptionItem,
)
from services.clock import DAY
from services.customers import worklists
from services.customers.worklists import NO_OWNER, FailureFilter, Stake, TrialFilter
from services.metrics.recovery import recovery
from services.metrics.recovery.recovery import AtStake
from tests.customers import builders
from tests.customers.builders import NOW
from tests.support.statements import asked


@pytest.fixture
def trials(database: ModuleType) -> ModuleType:
    """Four running trials and three subscriptions that are none, seen from NOW."""
    with database.transaction() as session:
        owner = builders.staff(session, "Ann")
        for id, name in (("prod_a", "Team"), ("prod_b", "Solo")):
            builders.row(session, Product, id=id, name=name)
        for id, days, product, micros, currency, given in (
            ("soon", 1, "prod_a", 5, "usd", {"payment_method_on_file": True, "owner": owner}),
            ("later", 3, "prod_b", 9, "usd", {"last_contact_at": NOW, "last_contact_kind": "message"}),
            ("far", 20, "prod_a", 7, "eur", {}),
            ("over", -1, "prod_a", 1, "usd", {}),
        ):
            builders.customer(session, f"cus_{id}", name=f"Name {id}", email=f"{id}@x.example", **given)
            _trial(session, id, NOW + days * DAY, product, micros, currency)
        for id, changed in (
            ("active", {"status": "active"}),
            ("canceled", {"status": "canceled"}),
            ("gone", {"deleted": True}),
        ):
            builders.customer(session, f"cus_{id}")
            _trial(session, id, NOW + DAY, "prod_a", 1, "usd", **changed)
    return database


def _trial(session: Any, id: str, end: int, product: str, micros: int, currency: str, **changed: Any) -> None:
    values = {"status": "trialing", "trial_end": end, "plan_micros": micros, "currency": currency, **changed}
    builders.row(session, Subscription, id=f"sub_{id}", customer=f"cus_{id}", **values)
    builders.row(session, SubscriptionItem, id=f"si_{id}", subscription=f"sub_{id}", product=product)


def list_trials(
    database: ModuleType, wanted: TrialFilter, *, sort: str = "Days left", offset: int = 0, limit: int = 10
) -> list[str]:
    where = worklists.trial_conditions(wanted, NOW)
    with database.session() as session:
        rows = worklists.trials(session, where, sort=sort, offset=offset, limit=limit)
        if offset == 0 and len(rows) < limit:
            assert worklists.count_trials(session, where) == len(rows)
    return [row.subscription.removeprefix("sub_") for row in rows]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TrialFilter(), ["over", "soon", "later", "far"]),
        (TrialFilter(within_days=3), ["over", "soon", "later"]),
        (TrialFilter(within_days=2), ["over", "soon"]),
        (TrialFilter(product="prod_b"), ["later"]),
        (TrialFilter(card=True), ["soon"]),
        (TrialFilter(card=False), ["over", "later", "far"]),
        (TrialFilter(contact="contacted"), ["later"]),
        (TrialFilter(contact="not contacted"), ["over", "soon", "far"]),
        (TrialFilter(owner=1), ["soon"]),
        (TrialFilter(owner=NO_OWNER), ["over", "later", "far"]),
        (TrialFilter(within_days=5, product="prod_a", card=False), ["over"]),
    ],
)
def test_running_trials_by_days_left(trials: ModuleType, wanted: TrialFilter, found: list[str]) -> None:
    assert list_trials(trials, wanted) == found


def test_plan_values_are_compared_within_a_currency_only(trials: ModuleType) -> None:
    assert list_trials(trials, TrialFilter(), sort="Plan value") == ["far", "later", "soon", "over"]


def test_pages_of_trials_follow_one_another(trials: ModuleType) -> None:
    pages = [list_trials(trials, TrialFilter(), offset=offset, limit=2) for offset in (0, 2, 4)]
    assert pages == [["over", "soon"], ["later", "far"], []]


def test_a_trials_row_says_what_a_person_needs(trials: ModuleType) -> None:
    with trials.transaction() as session:
        builders.row(
            session, SubscriptionItem, id="si_2", subscription="sub_soon", product="prod_b", created=NOW + 1
        )
    with trials.session() as session:
        rows = worklists.trials(
            session,
            worklists.trial_conditions(TrialFilter(within_days=3), NOW),
            sort="Days left",
            offset=1,
            limit=2,
        )
        assert worklists.trial_products(session) == {"prod_b": "Solo", "prod_a": "Team"}
    soon, later = rows
    assert (soon.name, soon.email, soon.plan, soon.owner) == (
        "Name soon",
        "soon@x.example",
        "Team + 1 more",
        "Ann",
    )
    assert (soon.card, soon.last_contact_at, soon.canceling) == (True, None, False)
    assert (later.last_contact_at, later.last_contact_kind) == (NOW, "message")


def test_filters_offer_nothing_that_only_trials_have_that_stripe_no_longer_has(trials: ModuleType) -> None:
    with trials.transaction() as session:
        builders.row(session, Product, id="prod_old", name="Old")
        _trial(session, "old", NOW + DAY, "prod_old", 1, "jpy", deleted=True)
    with trials.session() as session:
        assert worklists.trial_products(session) == {"prod_b": "Solo", "prod_a": "Team"}
        assert worklists.trial_currencies(session) == ["eur", "usd"]


@pytest.fixture
def failures(database: ModuleType) -> ModuleType:
    """Three open failures in two currencies and four invoices that are none."""
    with database.transaction() as session:
        for id, amount, currency, given in (
            ("small", 1000, "usd", {"next_payment_attempt": NOW + DAY, "subscription": "sub_on"}),
            ("big", 9000, "usd", {"subscription": "sub_off"}),
            ("yen", 5000, "jpy", {}),
            ("paid", 7000, "usd", {"status": "paid"}),
            ("void", 7000, "usd", {"status": "void"}),
            ("untried", 7000, "usd", {"attempted": False}),
            ("settled", 0, "usd", {}),
        ):
            builders.customer(session, f"cus_{id}", name=f"Name {id}", owner=4 if id == "big" else None)
            values = {"status": "open", "attempted": True, "attempt_count": 2, **given}
            builders.row(
                session, Invoice, id=f"in_{id}", number=f"N-{id}", customer=f"cus_{id}",
                amount_remaining=amount, currency=currency, **values,
            )  # fmt: skip
        for id, status in (("sub_on", "past_due"), ("sub_off", "canceled")):
            builders.row(session, Subscription, id=id, customer="cus_x", status=status)
        builders.row(session, InvoicePayment, id="inpay_1", invoice="in_big", payment_intent="pi_1")
        builders.row(
            session, PaymentIntent, id="pi_1", decline_code="lost_card", error_code="card_declined",
            advice_code="do_not_try_again",
        )  # fmt: skip
        builders.row(session, InvoicePayment, id="inpay_2", invoice="in_small", charge="ch_1")
        builders.row(session, Charge, id="ch_1", status="failed", failure_code="expired_card")
    return database


def list_failures(database: ModuleType, wanted: FailureFilter) -> list[str]:
    with database.session() as session:
        rows = builders.open_failures(session, wanted)
    return [row.invoice.removeprefix("in_") for row in rows]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (FailureFilter(), ["small", "big", "yen"]),
        (FailureFilter(currency="usd"), ["small", "big"]),
        (FailureFilter(retry=True), ["small"]),
        (FailureFilter(retry=False), ["yen", "big"]),
        (FailureFilter(subscription="not ended"), ["yen", "small"]),
        (FailureFilter(subscription="ended"), ["big"]),
        (FailureFilter(subscription="ended", currency="jpy"), []),
        (FailureFilter(owner=4), ["big"]),
        (FailureFilter(contact="contacted"), []),
    ],
)
def test_open_failures_by_money_at_stake(
    failures: ModuleType, wanted: FailureFilter, found: list[str]
) -> None:
    assert list_failures(failures, wanted) == found


def test_money_at_stake_is_never_added_across_currencies(failures: ModuleType) -> None:
    with failures.session() as session:
        found = worklists.stakes(session, worklists.failure_conditions(FailureFilter()))
    assert found == [Stake("usd", 1, 1_000, 1, 9_000), Stake("jpy", 1, 5_000)]


def test_what_is_at_stake_and_what_ended_subscriptions_left_are_the_overviews(failures: ModuleType) -> None:
    with failures.transaction() as session:
        builders.row(
            session, Invoice, id="in_gone", customer="cus_big", status="open", attempted=True,
            amount_remaining=77, currency="usd", subscription="sub_gone",
        )  # fmt: skip
        builders.row(session, Subscription, id="sub_gone", customer="cus_big", status="active", deleted=True)
    with failures.session() as session:
        found = worklists.stakes(session, worklists.failure_conditions(FailureFilter()))
        alive, ended = recovery.open_failures(session)
        for stake in found:
            for standing, side, count, amount in (
                ("not ended", alive, stake.invoices, stake.amount),
                ("ended", ended, stake.ended_invoices, stake.ended_amount),
            ):
                told = side.get(stake.currency, AtStake())
                wanted = FailureFilter(stake.currency, subscription=standing)
                rows = builders.open_failures(session, wanted)
                assert (
                    (told.count, told.amount) == (count, amount) == (len(rows), sum(r.amount for r in rows))
                )
    assert ended["usd"].amount == 9_077


def test_the_issuers_reason_goes_before_the_general_one(failures: ModuleType) -> None:
    with failures.session() as session:
        rows = builders.open_failures(session, FailureFilter(currency="usd"))
    small, big = rows
    assert (big.code, big.advice, big.attempts, big.next_attempt) == (
        "lost_card",
        "do_not_try_again",
        2,
        None,
    )
    assert (small.code, small.advice, small.next_attempt) == ("expired_card", "", NOW + DAY)
    assert (big.subscription_status, small.subscription_status) == ("canceled", "past_due")
    assert (big.number, big.name, big.amount) == ("N-big", "Name big", 9000)


def test_a_long_list_costs_no_more_statements_than_a_short_one(database: ModuleType) -> None:
    where = worklists.trial_conditions(TrialFilter(within_days=7), NOW)
    costs = []
    for first, last in ((0, 5), (5, 300)):
        with database.transaction() as session:
            _fill(session, first, last)
        with database.session() as session:
            with asked(session.get_bind()) as statements:
                _read_once(session, where, last)
            costs.append(len(statements))
    assert costs == [3, 3]  # the count, the page, what its rows are on


def _read_once(session: Any, where: Any, trials: int) -> None:
    assert worklists.count_trials(session, where) == trials
    assert len(worklists.trials(session, where, sort="Days left", offset=0, limit=50)) == min(trials, 50)


def _fill(session: Any, first: int, last: int) -> None:
    ids = [f"cus_{number:05d}" for number in range(first, last)]
    session.bulk_insert_mappings(Customer, [{"id": id, "created": NOW} for id in ids])
    session.bulk_insert_mappings(CustomerFacts, [{"customer": id, "created": NOW} for id in ids])
    trials = [
        {"id": f"sub_{id}", "customer": id, "created": NOW, "status": "trialing", "trial_end": NOW + DAY}
        for id in ids
    ]
    session.bulk_insert_mappings(Subscription, trials)
