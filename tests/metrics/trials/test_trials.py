"""What became of each trial: known answers by name, and six states that add up to the cohort."""

from __future__ import annotations

from types import ModuleType

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Base, SubscriptionItem
from services.clock import DAY
from services.metrics.trials.trials import STATES, running, running_now, trials
from tests.metrics.build import HOUR, Account, at
from tests.metrics.oracle.reading import Books
from tests.metrics.oracle.trials import trial

NOW = at("2026-06-15 12:00")
START = at("2026-05-01")
OVER = START + 14 * DAY


@pytest.fixture
def account() -> Account:
    return Account()


def states(database: ModuleType, account: Account, as_of: int = NOW) -> dict[str, str]:
    """State by customer's name."""
    account.save(database)
    with database.session() as session:
        t = trials(as_of)
        return {row.customer[4:]: row.state for row in session.execute(sa.select(t.c.customer, t.c.state))}


def test_the_paid_invoice_of_zero_at_a_trials_start_is_no_conversion(database, account) -> None:
    account.trial(account.customer("ada", START), NOW - DAY)
    assert states(database, account) == {"ada": "running"}


def test_a_trial_that_is_over_and_paid_is_converted(database, account) -> None:
    sub = account.trial(account.customer("ada", START), START, status="active")
    account.invoice(sub, OVER)
    assert states(database, account) == {"ada": "converted"}


def test_a_trial_that_staff_ended_early_and_was_paid_is_converted(database, account) -> None:
    sub = account.trial(account.customer("ada", START), START, 3, status="active", first_trial_end=OVER)
    account.invoice(sub, START + 3 * DAY, reason="subscription_update")
    assert states(database, account) == {"ada": "converted"}


def test_a_first_invoice_that_is_still_a_draft_keeps_the_trial_running(database, account) -> None:
    sub = account.trial(account.customer("ada", START), NOW - 14 * DAY, status="active")
    account.invoice(sub, NOW - 60, paid_at=None, status="draft")
    assert states(database, account) == {"ada": "running"}


def test_a_failed_first_charge_is_a_missed_payment_until_it_is_paid(database, account) -> None:
    late = OVER + 9 * DAY
    sub = account.trial(account.customer("ada", START), START, status="active")
    account.invoice(sub, OVER, paid_at=late, attempt_count=4)
    assert states(database, account, late - 1) == {"ada": "missed_payment"}
    assert states(database, account, late) == {"ada": "converted"}


def test_an_unpaid_first_invoice_is_missed_even_when_stripe_gave_up_and_canceled(database, account) -> None:
    sub = account.trial(
        account.customer("ada", START),
        START,
        status="canceled",
        ended_at=OVER + 21 * DAY,
        canceled_at=OVER + 21 * DAY,
    )
    account.invoice(sub, OVER, paid_at=None)
    assert states(database, account) == {"ada": "missed_payment"}


def test_a_later_cancel_does_not_undo_a_conversion(database, account) -> None:
    sub = account.trial(
        account.customer("ada", START),
        START,
        status="canceled",
        ended_at=OVER + 20 * DAY,
        canceled_at=OVER + 2 * DAY,
    )
    account.invoice(sub, OVER)
    assert states(database, account) == {"ada": "converted"}


@pytest.mark.parametrize("ended", [START + 5 * DAY, OVER], ids=["at once", "at the trial's end"])
def test_a_cancel_during_the_trial(database, account, ended: int) -> None:
    account.trial(
        account.customer("ada", START), START, status="canceled", canceled_at=START + 5 * DAY, ended_at=ended
    )
    assert states(database, account) == {"ada": "cancelled_in_trial"}


def test_a_cancel_that_is_only_scheduled_leaves_the_trial_running(database, account) -> None:
    account.trial(account.customer("ada", START), NOW - DAY, canceled_at=NOW - HOUR, cancel_at=NOW + 13 * DAY)
    assert states(database, account) == {"ada": "running"}


def test_without_a_card_a_trial_expires_by_cancel_or_by_pause(database, account) -> None:
    account.trial(
        account.customer("ada", START), START, status="canceled", canceled_at=OVER + 60, ended_at=OVER + 60
    )
    account.trial(account.customer("bob", START), START, status="paused")
    assert states(database, account) == {"ada": "expired", "bob": "expired"}


def test_a_pause_is_the_end_of_a_trial_whatever_end_it_still_names(database, account) -> None:
    account.trial(account.customer("ada", START), NOW - DAY, status="paused", as_of=NOW - HOUR)
    assert states(database, account) == {"ada": "expired"}
    assert states(database, account, NOW - 2 * HOUR) == {"ada": "running"}


def test_when_a_paused_trial_was_read_last_does_not_move_its_pause(database, account) -> None:
    paused = NOW - 40 * DAY
    account.trial(account.customer("ada", START - 30 * DAY), START - 30 * DAY, 90, status="paused",
                  paused_at=paused, as_of=NOW)  # fmt: skip
    assert states(database, account, paused - 1) == {"ada": "running"}
    assert states(database, account, paused) == {"ada": "expired"}
    with database.session() as session:
        assert running(session, paused - 1)["usd"].running == 1
        assert running(session, NOW - 30 * DAY) == {}


def test_nothing_above_zero_ever_due_is_free(database, account) -> None:
    sub = account.trial(account.customer("ada", START), START, status="active")
    account.invoice(sub, OVER, 0)
    gone = account.trial(
        account.customer("bob", START),
        START,
        status="canceled",
        canceled_at=OVER + 20 * DAY,
        ended_at=OVER + 20 * DAY,
    )
    account.invoice(gone, OVER, 0)
    assert states(database, account) == {"ada": "free", "bob": "free"}


def test_a_voided_first_invoice_was_never_due(database, account) -> None:
    sub = account.trial(account.customer("ada", START), START, status="active")
    account.invoice(sub, OVER, paid_at=None, status="void", voided_at=OVER + DAY)
    account.invoice(sub, OVER + DAY)
    assert states(database, account) == {"ada": "converted"}


@pytest.mark.parametrize("ended", [OVER + HOUR, OVER + 25 * DAY], ids=["within a day", "much later"])
def test_a_first_invoice_that_was_voided_before_the_end_was_missed_and_not_free(
    database, account, ended: int
) -> None:
    sub = account.trial(
        account.customer("ada", START), START, status="canceled", canceled_at=ended, ended_at=ended
    )
    account.invoice(sub, OVER, paid_at=None, status="void", voided_at=OVER + DAY)
    assert states(database, account) == {"ada": "missed_payment"}
    assert states(database, account, OVER + 2 * DAY)["ada"] == (
        "missed_payment" if ended <= OVER + DAY else "free"
    )


def test_a_first_invoice_that_was_given_up_is_missed(database, account) -> None:
    sub = account.trial(account.customer("ada", START), START, status="active")
    account.invoice(sub, OVER, paid_at=None, status="uncollectible")
    assert states(database, account) == {"ada": "missed_payment"}


def test_a_voided_invoice_of_before_the_trial_or_of_a_running_one_is_no_missed_payment(
    database, account
) -> None:
    begun = account.trial(
        account.customer("ada", START - 40 * DAY),
        START,
        status="canceled",
        canceled_at=OVER - DAY,
        ended_at=OVER - DAY,
    )
    account.invoice(begun, START - 30 * DAY, paid_at=None, status="void")
    forgiven = account.trial(account.customer("bob", START), START, status="active")
    account.invoice(forgiven, OVER, paid_at=None, status="void")
    assert states(database, account) == {"ada": "cancelled_in_trial", "bob": "free"}


def test_a_trial_that_is_no_longer_in_the_account_stays_in_its_cohort_and_no_longer_runs(
    database, account
) -> None:
    """A tombstone keeps the status that it had."""
    deleted = NOW - DAY
    account.trial(account.customer("ada", NOW - 5 * DAY), NOW - 5 * DAY, deleted=True, as_of=deleted)
    account.trial(account.customer("bob", NOW - 5 * DAY), NOW - 5 * DAY)
    paid = account.trial(account.customer("cem", START), START, status="active", deleted=True, as_of=deleted)
    account.invoice(paid, OVER)
    assert states(database, account) == {"ada": "cancelled_in_trial", "bob": "running", "cem": "converted"}
    assert states(database, account, deleted - 1)["ada"] == "running"
    with database.session() as session:
        assert running_now(session, NOW)["usd"].running == 1
        assert running(session, NOW)["usd"].running == 1
        assert running(session, deleted - 1)["usd"].running == 2


ends = st.none() | st.integers(START + 1, NOW - DAY)
drawn_invoices = st.tuples(
    st.sampled_from(("paid", "open", "void", "uncollectible", "draft")),
    st.sampled_from((0, 4900)),
    st.integers(0, 20 * DAY),
    st.sampled_from(("subscription_cycle", "subscription_cycle", "manual")),
)
drawn_trials = st.tuples(
    st.sampled_from(("trialing", "active", "past_due", "paused")),
    st.integers(1, 30),
    ends,
    st.integers(0, 10 * DAY),
    st.lists(drawn_invoices, max_size=3),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(drawn_trials, min_size=1, max_size=8))
def test_each_trial_is_in_one_of_six_states_and_the_oracle_agrees(database, drawn) -> None:
    with database.transaction() as session:
        for model in reversed(Base.metadata.sorted_tables):
            session.connection().execute(sa.delete(model))
    account, subscriptions, invoices_made = Account(), [], []
    for number, (status, days, ended, notice, invoices) in enumerate(drawn):
        over = {} if ended is None else {"ended_at": ended, "canceled_at": max(START, ended - notice)}
        state = status if ended is None else "canceled"
        sub = account.trial(account.customer(f"c{number}", START), START, days, state, **over)
        item = {
            "price": {"unit_amount": 4900, "product": "prod_pro"},
            "quantity": 1,
            "created": 0,
            "id": "si",
        }
        subscriptions.append(sub.model_dump() | {"created": sub.created, "items": {"data": [item]}})
        for kind, total, later, reason in invoices:
            paid_at = {"paid_at": START + days * DAY + later if kind == "paid" else None}
            row = account.invoice(
                sub, START + days * DAY + later, total, status=kind, reason=reason, **paid_at
            )
            parent = {"parent": {"subscription_details": {"subscription": sub.id}}}
            paid = {"status_transitions": {"paid_at": row.paid_at}}
            invoices_made.append(row.model_dump() | parent | paid)
    found = states(database, account, NOW + 30 * DAY)
    books = Books.of(subscriptions=subscriptions, invoices=invoices_made)
    assert len(found) == len(drawn)
    assert set(found.values()) <= set(STATES)
    for name, state in found.items():
        assert trial(books, f"cus_{name}").state == state


def test_a_one_off_charge_that_staff_added_in_the_trial_is_no_conversion(database, account) -> None:
    sub = account.trial(
        account.customer("ada", START), START, status="canceled", canceled_at=OVER, ended_at=OVER
    )
    account.invoice(sub, START + DAY, 2500, reason="manual")
    assert states(database, account) == {"ada": "expired"}


def test_a_trial_extended_twice_still_starts_where_it_started(database, account) -> None:
    account.trial(account.customer("ada", START), START, 60, first_trial_end=OVER)
    account.save(database)
    with database.session() as session:
        row = session.execute(sa.select(trials(NOW))).one()
    assert (row.state, row.started, row.trial_end - row.first_trial_end) == ("running", START, 46 * DAY)


def test_who_comes_back_after_an_expired_trial_and_pays_has_converted(database, account) -> None:
    ada = account.customer("ada", START)
    account.trial(ada, START, status="canceled", canceled_at=OVER, ended_at=OVER)
    again = account.subscription(ada, OVER + 10 * DAY)
    account.invoice(again, OVER + 10 * DAY, reason="subscription_create")
    assert states(database, account, OVER + 9 * DAY) == {"ada": "expired"}
    assert states(database, account) == {"ada": "converted"}


def test_a_second_trial_after_the_first_expired_is_still_running_and_one_row(database, account) -> None:
    ada = account.customer("ada", START)
    account.trial(ada, START, status="canceled", canceled_at=OVER, ended_at=OVER)
    account.trial(ada, NOW - DAY)
    assert states(database, account) == {"ada": "running"}


def test_what_an_older_subscription_pays_says_nothing_of_the_trial(database, account) -> None:
    ada = account.customer("ada", START - 90 * DAY)
    old = account.subscription(ada, START - 90 * DAY)
    account.trial(ada, START, status="canceled", canceled_at=OVER, ended_at=OVER)
    account.invoice(old, OVER + 2 * DAY)
    assert states(database, account) == {"ada": "expired"}


def test_states_of_the_past_are_those_of_the_past(database, account) -> None:
    sub = account.trial(account.customer("ada", START), START, status="active")
    account.invoice(sub, OVER)
    for as_of, state in (
        (START - 1, None),
        (START, "running"),
        (OVER - 1, "running"),
        (OVER + HOUR, "converted"),
    ):
        assert states(database, account, as_of).get("ada") == state


def test_the_plan_is_the_dearest_item_that_is_still_there(database, account) -> None:
    sub = account.trial(account.customer("ada", START), NOW - DAY)
    for id, plan, deleted in (("si_addon", "addon", False), ("si_gone", "team", True)):
        account.add(
            SubscriptionItem(
                id=id, created=START, subscription=sub.id, price=f"price_{plan}", product=f"prod_{plan}",
                deleted=deleted,
            )
        )  # fmt: skip
    account.plan("addon", 900, "month")
    account.save(database)
    with database.session() as session:
        row = session.execute(sa.select(trials(NOW))).one()
    assert (row.plan, row.price) == ("prod_pro", "price_pro")
