"""The book of failed payments: what became of each, and what paid it."""

from __future__ import annotations

from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from models import Event, Subscription
from services.clock import DAY
from services.metrics.recovery import dunning_rows, failure_book, failures, recovered_by
from services.metrics.recovery.dunning import Payments
from services.metrics.recovery.dunning_rows import Chosen
from services.metrics.statistics.statistics import Rate
from tests.metrics.build import HOUR, at
from tests.metrics.failing import OTHER, Failing, count, facts, numbers, paying
from tests.support import statements

NOW = at("2026-06-15 12:00")
MAY = at("2026-05-04")


@pytest.fixture
def account() -> Failing:
    return Failing()


@pytest.fixture
def ada(account: Failing) -> Subscription:
    return paying(account, "ada", at("2026-01-10"))


def test_past_due_is_in_recovery_and_unpaid_still_is(database: ModuleType, account, ada) -> None:
    """Stripe has given up to try by itself, but the subscription lives and the invoice is owed."""
    ada.status = "past_due"
    invoice = account.failure(ada, MAY, attempt_count=4)
    count(database, account)
    assert [fact.state for fact in facts(database)] == ["in_recovery"]
    with database.transaction() as session:
        session.get_one(Subscription, ada.id).status = "unpaid"
    count(database)
    [fact] = facts(database)
    assert (fact.invoice, fact.state, fact.paid_at, fact.recovered_by) == (
        invoice.id, "in_recovery", None, "",
    )  # fmt: skip
    assert numbers(database, NOW).cohorts[-2].open


def test_the_subscription_ended_over_it_so_it_is_lost(database, account, ada) -> None:
    ada.status, ada.ended_at = "canceled", MAY + 30 * DAY
    account.failure(ada, MAY)
    count(database, account)
    [fact] = facts(database)
    assert fact.state == "lost"
    assert numbers(database, NOW).all.states["lost"] == Payments(1, 4900)


def test_a_failed_first_charge_that_was_paid_later_is_recovered(database, account) -> None:
    """The first charge of a customer who never trialed."""
    bob = account.subscription(account.customer("bob", MAY), MAY)
    account.retried(account.failure(bob, MAY, reason="subscription_create"), MAY + 2 * DAY)
    count(database, account)
    [fact] = facts(database)
    assert (fact.state, fact.failed_at, fact.paid_at) == ("recovered", MAY + HOUR, MAY + 2 * DAY)
    assert not fact.first_after_trial
    found = numbers(database, NOW).cohorts[-2]
    assert (found.recovery, found.failure, found.open) == (Rate(1, 1), Rate(1, 1), False)


def test_the_first_invoice_after_a_trial_is_marked_and_in_no_number(database, account) -> None:
    trial = account.trial(account.customer("tia", MAY - 14 * DAY), MAY - 14 * DAY, status="past_due")
    account.failure(trial, MAY)
    count(database, account)
    [fact] = facts(database)
    assert fact.first_after_trial
    found = numbers(database, NOW)
    assert (found.all.failed, found.all.passed) == (Payments(), Payments())
    with database.session() as session:
        assert dunning_rows.count(session, Chosen(found.asked)) == Payments()
        assert dunning_rows.read(session, Chosen(found.asked)) == []


def test_nor_is_the_first_invoice_after_a_trial_that_passed_at_once(database, account) -> None:
    trial = account.trial(account.customer("tia", MAY - 14 * DAY), MAY - 14 * DAY, status="active")
    account.invoice(trial, MAY)
    account.invoice(trial, MAY + DAY)  # the second one counts
    count(database, account)
    assert numbers(database, NOW).all.passed == Payments(1, 4900)


def test_a_refund_after_recovery_does_not_turn_it_back(database, account, ada) -> None:
    invoice = account.retried(account.failure(ada, MAY), MAY + 3 * DAY)
    account.refund(invoice, MAY + 9 * DAY)
    count(database, account)
    assert numbers(database, NOW).cohorts[-2].states["recovered"] == Payments(1, 4900)


def test_a_dispute_after_recovery_does_not_turn_it_back(database, account, ada) -> None:
    invoice = account.retried(account.failure(ada, MAY), MAY + 3 * DAY)
    account.disputed(invoice, MAY + 9 * DAY)
    count(database, account)
    assert numbers(database, NOW).cohorts[-2].states["recovered"] == Payments(1, 4900)


def test_paid_elsewhere_is_recovered_out_of_band(database, account, ada) -> None:
    account.out_of_band(account.failure(ada, MAY), MAY + 5 * DAY)
    count(database, account)
    [fact] = facts(database)
    assert (fact.state, fact.recovered_by) == ("recovered", "out_of_band")


def test_paid_elsewhere_before_any_try_has_neither_failed_nor_passed(database, account, ada) -> None:
    account.invoice(ada, MAY, attempted=False, attempt_count=0)
    count(database, account)
    found = numbers(database, NOW, months=2).all
    assert (found.failed, found.passed) == (Payments(), Payments())


def test_yen_have_no_cents_and_stand_apart(database, account, ada) -> None:
    yen = paying(account, "yuki", at("2026-01-10"), currency="jpy")
    account.retried(account.failure(yen, MAY, 5000), MAY + DAY)
    account.failure(ada, MAY, 4900)
    count(database, account)
    here, there = (numbers(database, NOW, currency=code).cohorts[-2] for code in ("usd", "jpy"))
    assert (here.failed, here.states["recovered"]) == (Payments(1, 4900), Payments())
    assert (there.failed, there.states["recovered"]) == (Payments(1, 5000), Payments(1, 5000))


def test_stripes_own_retry_brought_it_back(database, account, ada) -> None:
    account.retried(account.failure(ada, MAY), MAY + 3 * DAY)
    count(database, account)
    assert [fact.recovered_by for fact in facts(database)] == ["automatic"]


def test_another_card_brought_it_back(database, account, ada) -> None:
    account.retried(account.failure(ada, MAY, code="expired_card"), MAY + 3 * DAY, card=OTHER)
    count(database, account)
    assert [fact.recovered_by for fact in facts(database)] == ["new_card"]


@pytest.mark.parametrize("all", [False, True])
def test_staff_brought_it_back_with_a_retry_from_the_desk(database, account, ada, all) -> None:
    invoice = account.failure(ada, MAY)
    account.retried(invoice, MAY + 3 * DAY, by_hand=True)
    account.staff_tried(invoice, MAY + 3 * DAY, all=all)
    count(database, account)
    assert [fact.recovered_by for fact in facts(database)] == ["staff"]


def test_the_customer_paid_on_the_invoices_page(database, account, ada) -> None:
    account.retried(account.failure(ada, MAY), MAY + 3 * DAY, by_hand=True, card=OTHER)
    count(database, account)
    [fact] = facts(database)
    assert (fact.recovered_by, fact.attempts) == ("customer", 2)


def test_stripes_retry_brought_it_back_after_staff_had_tried_in_vain(database, account, ada) -> None:
    invoice = account.failure(ada, MAY)
    account.charge(invoice, MAY + DAY, "failed", code="do_not_honor")
    account.staff_tried(invoice, MAY + DAY, "refused")
    account.retried(invoice, MAY + 3 * DAY)
    count(database, account)
    [fact] = facts(database)
    assert (fact.recovered_by, fact.attempts) == ("automatic", 3)
    assert (fact.code, fact.last_code) == ("insufficient_funds", "do_not_honor")


def test_the_customer_paid_an_invoice_that_was_sent(database, account, ada) -> None:
    sent = account.failure(ada, MAY, collection_method="send_invoice")
    account.retried(sent, MAY + 3 * DAY)
    count(database, account)
    assert [fact.recovered_by for fact in facts(database)] == ["customer"]


def test_a_credit_note_settled_it(database, account, ada) -> None:
    account.credited(account.failure(ada, MAY), MAY + 3 * DAY)
    count(database, account)
    assert [fact.recovered_by for fact in facts(database)] == ["credit"]


def test_where_no_charge_failed_nobody_can_tell_what_brought_it_back(database, account, ada) -> None:
    """There was no card, or the bank wanted a confirmation: only Stripe's event tells of the failure."""
    invoice = account.failure(ada, MAY)
    account.rows.pop()  # the failed charge
    account.retried(invoice, MAY + 3 * DAY)
    account.add(Event(id="evt_1", created=MAY + HOUR, type="invoice.payment_failed", object_id=invoice.id))
    count(database, account)
    [fact] = facts(database)
    assert (fact.state, fact.recovered_by, fact.code) == ("recovered", "unknown", "")


def test_what_comes_back_moves_from_one_cell_to_another(database, account, ada) -> None:
    invoice = account.failure(ada, MAY)
    count(database, account)
    assert numbers(database, NOW).all.states["in_recovery"] == Payments(1, 4900)
    later = Failing(first=1000)
    with database.transaction() as session:
        later.retried(session.get_one(type(invoice), invoice.id), MAY + 3 * DAY)
        later.rows = [row for row in later.rows if row.id.startswith("ch_")]
    count(database, later)
    found = numbers(database, NOW).all
    assert found.states["in_recovery"] == Payments()
    assert found.states["recovered"] == Payments(1, 4900)


def test_months_are_the_workspaces(database, account, ada) -> None:
    """Late on 30 April in UTC is 1 May in Berlin."""
    berlin = ZoneInfo("Europe/Berlin")
    account.failure(ada, at("2026-04-30 21:30"))  # tried an hour later
    count(database, account, berlin)
    found = numbers(database, NOW, zone=berlin)
    assert [(one.period.key, one.failed.count) for one in found.cohorts[-3:]] == [
        ("2026-04", 0), ("2026-05", 1), ("2026-06", 0),
    ]  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("statement", [failure_book._failed, failure_book._passed])
def test_some_customers_are_counted_by_way_of_their_invoices(database, account, ada, statement) -> None:
    """SQLite goes through all that ever failed otherwise."""
    account.save(database)
    with database.session() as session:
        asked = statement().params(customers=[ada.customer, "cus_other"])
        written = asked.compile(
            session.get_bind(), compile_kwargs={"literal_binds": True, "render_postcompile": True}
        )
        plan = [row.detail for row in session.execute(sa.text(f"EXPLAIN QUERY PLAN {written}"))]
    tables = ("invoices", "invoice_payments", "charges", "payment_intents", "events", "subscriptions")
    assert not [step for step in plan if step.startswith("SCAN") and step.split()[1].strip('"') in tables], (
        plan
    )
    assert any("ix_invoices_customer_created" in step for step in plan)
    assert not [step for step in plan if "ix_invoices_status" in step], plan


@pytest.mark.both_databases
def test_an_amount_that_nobody_pays_keeps_no_other_payment_from_being_counted(database, account, ada) -> None:
    bob = paying(account, "bob", at("2026-01-10"))
    for _ in range(3):
        account.failure(bob, MAY, 2**63 - 1)
        account.invoice(bob, MAY, 2**63 - 1)
    account.failure(ada, MAY, 4900)
    count(database, account)
    may = numbers(database, NOW).cohorts[-2]
    assert may.states["in_recovery"] == Payments(4, 3 * 10**14 + 4900)
    assert may.passed == Payments(3, 3 * 10**14)


def test_however_many_invoices_failed_no_statement_names_more_than_a_database_takes(
    database, account, ada
) -> None:
    many = {account.failure(ada, MAY + number).id for number in range(1_100)}
    account.save(database)
    with database.session() as session, statements.asked(database.engine()) as sent:
        connection = session.connection()
        assert failures.last(connection, many).keys() == many
        assert failures.first_try(connection, many).keys() == many
        assert recovered_by.known(connection, [ada.customer], many).keys() == many
    assert max(each.count("?") + each.count("%(") for each in sent) < 1_100
