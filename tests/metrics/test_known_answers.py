"""What every founder would work out by hand: small stories, and what the numbers must say of them.

A micro is a millionth of a cent: 49.00 a month are 4,900 cents, 4,900,000,000 micros. All days are UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from services.sandbox.billing import cards, catalog, disputes, payments, refunds, subscriptions
from tests.metrics.build import at
from tests.metrics.tales import Tale
from tests.metrics.worlds import World, desk_on

CENT = 1_000_000
DOLLAR = 100 * CENT
YEN = 1_000_000  # a yen has no smaller unit


@pytest.fixture
def unseen(database: ModuleType) -> Iterator[Tale]:
    """An account without anybody, at noon on New Year's Day, to which no desk is connected."""
    with desk_on(World(at("2026-01-01 12:00")), database) as desk:
        yield Tale(desk, database, retry_after_days=[3, 5], when_retries_end="unpaid")


@pytest.fixture
def tale(unseen: Tale) -> Tale:
    """The same, with a desk that sees everything from the beginning."""
    return unseen.connect()


def test_a_yearly_plan_with_a_coupon_for_ever(tale: Tale) -> None:
    """1,200.00 a year less 25 % for ever are 900.00 a year, 75.00 a month, from the first day on."""
    quarter = tale.do(catalog.create_coupon, percent_off=25, duration="forever")["id"]
    ada = tale.customer("Ada")
    tale.subscribe(ada, tale.price(120_000, "year"), discounts=[{"coupon": quarter}])
    tale.until("2026-02-01")
    assert tale.moves() == [("2026-01-01", "new", 75 * DOLLAR)]
    assert tale.level("2026-01-31").mrr == 75 * DOLLAR
    assert tale.level("2026-01-31").arr == 900 * DOLLAR


def test_a_coupon_for_one_invoice_changes_no_mrr(tale: Tale) -> None:
    """49.00 a month, the first at half the price: 24.50 are paid, and MRR is 49.00."""
    half = tale.do(catalog.create_coupon, percent_off=50, duration="once")["id"]
    tale.subscribe(tale.customer("Ada"), tale.price(4_900), discounts=[{"coupon": half}])
    tale.until("2026-01-05")
    assert tale.level("2026-01-04").mrr == 49 * DOLLAR


def test_of_two_subscriptions_one_is_canceled(tale: Tale) -> None:
    """49.00 and 19.00 are 68.00. Without the 19.00 Ada still pays: contraction, and nobody churned."""
    ada = tale.customer("Ada")
    tale.subscribe(ada, tale.price(4_900))
    second = tale.subscribe(ada, tale.price(1_900))
    tale.until("2026-01-20")
    tale.do(subscriptions.cancel, second)
    tale.until("2026-01-25")
    assert tale.moves() == [
        ("2026-01-01", "new", 19 * DOLLAR),  # each plan has its row; both are one customer who is new
        ("2026-01-01", "new", 49 * DOLLAR),
        ("2026-01-20", "contraction", -19 * DOLLAR),
    ]
    assert (tale.level("2026-01-24").mrr, tale.level("2026-01-24").customers) == (49 * DOLLAR, 1)


def test_yen_have_no_cents(tale: Tale) -> None:
    """12,345 yen a year are 1,028.75 yen a month, kept to the millionth, and are added to no dollars."""
    tale.subscribe(tale.customer("Ken"), tale.price(12_345, "year", "jpy"))
    tale.subscribe(tale.customer("Ada"), tale.price(4_900))
    tale.until("2026-01-10")
    assert tale.level("2026-01-09", "jpy").mrr == 1_028_750_000 == int(1_028.75 * YEN)
    assert tale.level("2026-01-09").mrr == 49 * DOLLAR


def test_past_due_still_counts_and_unpaid_does_not(tale: Tale) -> None:
    """The payment of 1 February fails (an hour after the period began, at 13:00): past due, and 49.00 still
    count. It is tried again 3 days later, and 5 days after that, on 9 February: then it is unpaid, and 49.00
    are gone. That is churn for a cause of its own, and a payment in recovery: the invoice stays open."""
    ada = tale.customer("Ada")
    tale.subscribe(ada, tale.price(4_900))
    tale.until("2026-01-20")
    tale.world.do(cards.decline, tale.card_of(ada), "insufficient_funds")
    tale.until("2026-02-08")
    assert tale.level("2026-02-07").mrr == 49 * DOLLAR
    tale.until("2026-02-12")
    assert tale.moves() == [
        ("2026-01-01", "new", 49 * DOLLAR),
        ("2026-02-09", "churn: unpaid", -49 * DOLLAR),
    ]
    assert tale.failed() == ["in_recovery"]


def test_who_ends_while_past_due_churned_against_their_will(tale: Tale) -> None:
    """Canceled by staff on 5 February while the payment of 1 February is failing: involuntary."""
    ada = tale.customer("Ada")
    one = tale.subscribe(ada, tale.price(4_900))
    tale.until("2026-01-20")
    tale.world.do(cards.decline, tale.card_of(ada), "expired_card")
    tale.until("2026-02-05")
    tale.do(subscriptions.cancel, one)
    tale.until("2026-02-06")
    assert tale.moves()[-1] == ("2026-02-05", "churn: involuntary", -49 * DOLLAR)
    assert tale.failed() == ["lost"]


def test_a_trial_that_was_extended_twice(tale: Tale) -> None:
    """14 days from 1 January, then a week more, then ten days more: it began on 1 January, was given 14 days,
    and runs until 1 February. It brings nothing yet; 49.00 stand beside MRR as what it would bring."""
    one = tale.subscribe(tale.customer("Ada"), tale.price(4_900), trial_period_days=14)
    tale.until("2026-01-10")
    tale.change(one, trial_end=at("2026-01-22 12:00"), proration_behavior="none")
    tale.until("2026-01-20")
    tale.change(one, trial_end=at("2026-02-01 12:00"), proration_behavior="none")
    tale.until("2026-01-25")
    trial = tale.trial()
    assert (trial.state, trial.started, trial.trial_days) == ("running", at("2026-01-01 12:00"), 14)
    assert (trial.trial_end, trial.extended) == (at("2026-02-01 12:00"), 1)
    assert (tale.level("2026-01-24").mrr, tale.level("2026-01-24").trial) == (0, 49 * DOLLAR)
    tale.until("2026-02-03")
    trial = tale.trial()  # its invoice is a draft for an hour: paid at 13:00, after 31 days and an hour
    assert (trial.state, trial.converted_at, trial.days) == ("converted", at("2026-02-01 13:00"), 32)


def test_a_trial_that_converted_early(tale: Tale) -> None:
    """A trial of 30 days that was ended after five: charged at once, converted on day 5. The invoice of
    nothing at its start was paid at once, too, and is no conversion."""
    one = tale.subscribe(tale.customer("Ada"), tale.price(4_900), trial_period_days=30)
    tale.until("2026-01-06")
    assert tale.trial().state == "running"
    tale.change(one, trial_end="now")
    tale.until("2026-01-08")
    assert (tale.trial().state, tale.trial().days) == ("converted", 5)
    assert tale.moves() == [("2026-01-06", "new", 49 * DOLLAR)]


def test_a_failed_first_charge_that_is_paid_later(tale: Tale) -> None:
    """The trial is over on 15 January, and the card is declined: a missed payment, which is no failed payment
    of a customer, and 49.00 count while it is past due. Ada pays on the 20th: converted, on day 19."""
    ada = tale.customer("Ada")
    one = tale.subscribe(ada, tale.price(4_900), trial_period_days=14)
    tale.world.do(cards.decline, tale.card_of(ada), "insufficient_funds")
    tale.until("2026-01-17")
    assert tale.trial().state == "missed_payment"
    assert tale.trial().why == "insufficient_funds"
    tale.until("2026-01-20")
    tale.world.do(cards.restore, tale.card_of(ada))
    tale.do(payments.pay, tale.latest_invoice(one)["id"])
    tale.until("2026-01-21")
    assert (tale.trial().state, tale.trial().days) == ("converted", 19)
    assert tale.failed() == []
    assert tale.moves() == [("2026-01-15", "new", 49 * DOLLAR)]


def test_who_comes_back_after_leaving_is_reactivated_and_not_new(tale: Tale) -> None:
    """49.00 from 1 January, canceled on the 10th, 19.00 from 5 March on: new, churn, reactivation."""
    ada = tale.customer("Ada")
    one = tale.subscribe(ada, tale.price(4_900))
    tale.until("2026-01-10")
    tale.do(subscriptions.cancel, one)
    tale.until("2026-03-05")
    tale.subscribe(ada, tale.price(1_900))
    tale.until("2026-03-07")
    assert tale.moves() == [
        ("2026-01-01", "new", 49 * DOLLAR),
        ("2026-01-10", "churn: voluntary", -49 * DOLLAR),
        ("2026-03-05", "reactivation", 19 * DOLLAR),
    ]


def test_who_is_to_leave_at_the_periods_end_counts_until_then_but_is_not_committed(tale: Tale) -> None:
    """Set to end on 10 January, ended on 1 February."""
    one = tale.subscribe(tale.customer("Ada"), tale.price(4_900))
    tale.until("2026-01-10")
    tale.change(one, cancel_at_period_end=True)
    tale.until("2026-01-20")
    assert (tale.level("2026-01-19").mrr, tale.level("2026-01-19").committed) == (49 * DOLLAR, 0)
    assert (tale.level("2026-01-09").mrr, tale.level("2026-01-09").committed) == (49 * DOLLAR, 49 * DOLLAR)
    tale.until("2026-02-02")
    assert tale.moves()[-1] == ("2026-02-01", "churn: voluntary", -49 * DOLLAR)


def test_paused_collection_is_churn_and_its_end_brings_the_customer_back(tale: Tale) -> None:
    """Collection is paused from 10 to 20 January."""
    one = tale.subscribe(tale.customer("Ada"), tale.price(4_900))
    tale.until("2026-01-10")
    tale.change(one, pause_collection={"behavior": "void", "resumes_at": at("2026-01-20 12:00")})
    tale.until("2026-01-22")
    assert tale.moves()[1:] == [
        ("2026-01-10", "churn: collection_paused", -49 * DOLLAR),
        ("2026-01-20", "reactivation", 49 * DOLLAR),
    ]


def test_a_trial_that_is_given_to_somebody_who_pays_is_free_time(tale: Tale) -> None:
    """Ada pays from 1 January on, and is given a trial from 10 to 20 January: 49.00 are gone for that time,
    and stand beside MRR as what the trial would bring."""
    one = tale.subscribe(tale.customer("Ada"), tale.price(4_900))
    tale.until("2026-01-10")
    tale.change(one, trial_end=at("2026-01-20 12:00"), proration_behavior="none")
    tale.until("2026-01-22")
    assert tale.moves()[1:] == [
        ("2026-01-10", "churn: free", -49 * DOLLAR),
        ("2026-01-20", "reactivation", 49 * DOLLAR),
    ]
    assert tale.level("2026-01-15").trial == 49 * DOLLAR


def test_a_refund_takes_nothing_back_from_the_numbers(tale: Tale) -> None:
    """A trial of 7 days is paid on 8 January and refunded on the 10th: still converted, 49.00 still count,
    as the subscription goes on."""
    ada = tale.customer("Ada")
    tale.subscribe(ada, tale.price(4_900), trial_period_days=7)
    tale.until("2026-01-10")
    tale.do(refunds.create, charge=tale.charge_of(ada))
    tale.until("2026-01-12")
    assert tale.trial().state == "converted"
    assert tale.level("2026-01-11").mrr == 49 * DOLLAR


def test_a_dispute_does_not_turn_a_recovery_back(tale: Tale) -> None:
    """The payment of 1 February fails, is paid with another card on the 3rd, and disputed on the 10th."""
    ada = tale.customer("Ada")
    one = tale.subscribe(ada, tale.price(4_900))
    tale.until("2026-01-20")
    tale.world.do(cards.decline, tale.card_of(ada), "lost_card")
    tale.until("2026-02-03")
    assert tale.failed() == ["in_recovery"]
    tale.do(cards.attach, "ok", ada, default=True)
    tale.do(payments.pay, tale.latest_invoice(one)["id"])
    tale.until("2026-02-10")
    tale.do(disputes.create, tale.charge_of(ada))
    tale.until("2026-02-12")
    assert tale.failed() == ["recovered"]
    assert tale.moves() == [("2026-01-01", "new", 49 * DOLLAR)]


def test_a_free_plan_is_no_conversion_and_no_customer(tale: Tale) -> None:
    """After a trial of 7 days nothing is ever due: free, neither a conversion nor a loss."""
    tale.subscribe(tale.customer("Ada"), tale.price(0), trial_period_days=7)
    tale.until("2026-02-20")
    assert tale.trial().state == "free"
    assert tale.moves() == []


def test_a_trial_that_ends_without_a_card_expires(tale: Tale) -> None:
    """Without a card Stripe cancels it at its end, on 8 January."""
    ends = {"end_behavior": {"missing_payment_method": "cancel"}}
    ada = tale.customer("Ada", card=None)
    tale.subscribe(ada, tale.price(4_900), trial_period_days=7, trial_settings=ends)
    tale.until("2026-01-10")
    assert tale.trial().state == "expired"


def test_a_trial_that_is_left_before_its_end_is_cancelled(tale: Tale) -> None:
    """Three days into a trial of seven Ada cancels, and says why."""
    one = tale.subscribe(tale.customer("Ada"), tale.price(4_900), trial_period_days=7)
    tale.until("2026-01-04")
    tale.do(subscriptions.cancel, one, cancellation_details={"feedback": "too_expensive"})
    tale.until("2026-01-06")
    assert (tale.trial().state, tale.trial().why) == ("cancelled_in_trial", "too_expensive")


def test_an_upgrade_is_expansion_whatever_is_billed_for_it(tale: Tale) -> None:
    """From 1 to 3 seats of 19.00 on 10 January: 38.00 more, though the rest of the month costs less."""
    one = tale.subscribe(tale.customer("Ada"), tale.price(1_900))
    tale.until("2026-01-10")
    tale.change(one, items=[{"id": tale.item(one), "quantity": 3}])
    tale.until("2026-01-12")
    assert tale.moves()[-1] == ("2026-01-10", "expansion", 38 * DOLLAR)


def test_what_was_before_the_desk_connected_is_made_up_from_invoices(unseen: Tale) -> None:
    """1,200.00 a year from 1 January; 49.00 a month from 10 January to 10 March, when it was canceled. Who
    connects in May finds it all out: in January 149.00, from March on 100.00."""
    unseen.subscribe(unseen.customer("Ada"), unseen.price(120_000, "year"))
    unseen.until("2026-01-10")
    left = unseen.subscribe(unseen.customer("Bob"), unseen.price(4_900))
    unseen.until("2026-03-10 11:00")
    unseen.do(subscriptions.cancel, left)
    unseen.until("2026-05-01")
    unseen.connect()
    assert unseen.moves() == [
        ("2026-01-01", "new", 100 * DOLLAR),
        ("2026-01-10", "new", 49 * DOLLAR),
        ("2026-03-10", "churn: voluntary", -49 * DOLLAR),
    ]


def test_an_add_on_that_was_dropped_later_counts_for_the_time_that_it_was_billed(unseen: Tale) -> None:
    """49.00 with an add-on of 19.00 are billed on 1 January: 68.00. The add-on goes in mid-month, and who
    connects in March sees only the invoices: 68.00 for January, 49.00 from 1 February on."""
    plan, extra = unseen.price(4_900), unseen.price(1_900)
    ada = unseen.customer("Ada")
    made = unseen.do(subscriptions.create, customer=ada, items=[{"price": plan}, {"price": extra}])
    unseen.until("2026-01-15")
    dropped = [{"id": unseen.item(made["id"], 1), "deleted": True}]
    unseen.change(made["id"], items=dropped, proration_behavior="none")
    unseen.until("2026-03-05")
    unseen.connect()
    assert (unseen.level("2026-01-20").mrr, unseen.level("2026-02-02").mrr) == (68 * DOLLAR, 49 * DOLLAR)


def test_what_is_paid_after_the_desk_connected_changes_nothing_of_before(unseen: Tale) -> None:
    """Unpaid since 9 February, when the last try failed. A desk connects on the 20th, and only then Ada pays:
    that brings her back on the 25th, and she was gone on the 9th all the same."""
    ada = unseen.customer("Ada")
    one = unseen.subscribe(ada, unseen.price(4_900))
    unseen.until("2026-01-20")
    unseen.world.do(cards.decline, unseen.card_of(ada), "insufficient_funds")
    unseen.until("2026-02-20")
    owed = unseen.latest_invoice(one)["id"]
    unseen.connect()
    known = unseen.moves()
    assert known == [
        ("2026-01-01", "new", 49 * DOLLAR),
        ("2026-02-09", "churn: unpaid", -49 * DOLLAR),
    ]
    unseen.until("2026-02-25")
    unseen.world.do(cards.restore, unseen.card_of(ada))
    unseen.do(payments.pay, owed)
    unseen.until("2026-02-27")
    assert unseen.moves() == [*known, ("2026-02-25", "reactivation", 49 * DOLLAR)]


def test_while_collection_was_paused_before_the_desk_connected_nothing_counted(unseen: Tale) -> None:
    """Paused on 20 January: what is due on 1 February is asked from nobody. When it was paused nothing tells
    later; since when nothing was asked for does."""
    one = unseen.subscribe(unseen.customer("Ada"), unseen.price(4_900))
    unseen.until("2026-01-20")
    unseen.change(one, pause_collection={"behavior": "void", "resumes_at": None})
    unseen.until("2026-03-20")
    unseen.connect()
    assert unseen.moves() == [
        ("2026-01-01", "new", 49 * DOLLAR),
        ("2026-02-01", "churn: collection_paused", -49 * DOLLAR),
    ]


def test_a_free_plan_beside_one_that_is_paid_changes_nothing_of_the_past(unseen: Tale) -> None:
    """6,666 yen less 25 % are 4,999.50 a month, though whole yen are billed; a free add-on brings nothing.
    Who connects in March finds the same price since January, and no change."""
    quarter = unseen.do(catalog.create_coupon, percent_off=25, duration="forever")["id"]
    items = [{"price": unseen.price(6_666, currency="jpy")}, {"price": unseen.price(0, currency="jpy")}]
    ada = unseen.customer("Ada")
    unseen.do(subscriptions.create, customer=ada, items=items, discounts=[{"coupon": quarter}])
    unseen.until("2026-03-05")
    unseen.connect()
    assert unseen.moves() == [("2026-01-01", "new", 499_950 * YEN // 100)]


def test_a_trial_that_was_cut_short_and_paused_brought_nothing(unseen: Tale) -> None:
    """A trial of 14 days is ended after three; without a card it pauses, and is canceled on 6 January. The
    trial's line of zero covers these days, too, and yet nothing was ever asked for."""
    ends = {"end_behavior": {"missing_payment_method": "pause"}}
    ada = unseen.customer("Ada", card=None)
    one = unseen.subscribe(ada, unseen.price(4_900), trial_period_days=14, trial_settings=ends)
    unseen.until("2026-01-04")
    unseen.change(one, trial_end="now")
    unseen.until("2026-01-06")
    unseen.do(subscriptions.cancel, one)
    unseen.until("2026-02-01")
    unseen.connect()
    assert unseen.moves() == []
