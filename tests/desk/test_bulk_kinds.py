"""Each command that can be given to many: what its preview says, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlmodel import select

from models import Action
from services import database
from services.desk import bulk, bulk_kinds, bulk_preview, commands, fresh
from services.desk.bulk_preview import Chosen
from services.desk.command import Form, Preview
from services.desk.subject import Subject
from services.errors import InvalidInput, NotFound
from services.staff.roles import Measure, Person, Policy, Role
from tests.desk.bench import ANA, SAM, WEEK, Bench, in_days
from tests.desk.test_bulk import SQLITE, ended, staffed, told
from tests.desk.test_inputs import about as in_memory

ENDS: Form = {"when": "period_end", "feedback": "too_expensive", "comment": "It costs too much"}
DAYS = {Role.SALES: {(Measure.TRIAL_DAYS_IN_ALL, ""): 10}}


@pytest.fixture(autouse=True)
def _staff(request: pytest.FixtureRequest) -> None:
    if "idle_desk" in request.fixturenames:
        request.getfixturevalue("idle_desk")
        staffed()


def heard(command: str, about: Sequence[Subject], form: Form) -> Preview:
    """What the dialog says of these."""
    with database.session() as session:
        chosen = bulk_preview.look(session, command, [each.object_id for each in about])
    return bulk_preview.preview(ANA, chosen, form)


def given(command: str, about: Sequence[Subject], form: Form) -> str:
    """A run that gives a command to these."""
    token = commands.new_token()
    bulk.start(token, ANA, command, [each.object_id for each in about], form, "They asked for it")
    return token


def reasons(about: Sequence[Subject]) -> set[tuple[str, str]]:
    """State and reason of the actions on these."""
    with database.session() as session:
        rows = session.exec(select(Action)).all()
    ids = {each.object_id for each in about}
    return {(row.state, row.reason) for row in rows if row.object_id in ids}


@SQLITE
def test_subscriptions_are_set_to_end_with_their_period(desk: Bench) -> None:
    active, trial, owing, leaving, over = (
        desk.in_state(state) for state in ("active", "trialing", "past_due", "set to cancel", "canceled")
    )
    desk.sdk.invoice_items.create({"customer": active.customer.id, "amount": 900, "currency": "usd"})
    for item in desk.sdk.invoice_items.list({"customer": active.customer.id, "pending": True}).data:
        desk.mirror("invoiceitem", item.id)
    about = [active, trial, owing, leaving, over]
    preview = heard("cancel", about, ENDS)
    assert preview.happens == (
        "Each of the 3 subscriptions runs to the end of its period, and ends then.",
        "No plan is charged after that. Until then the cancellation can be undone.",
    )
    left_out, ended_already, *unusual = preview.warnings
    assert left_out.startswith(
        "1 of 5 subscriptions cannot be set to end: Ada Lovelace. It is already set to"
    )
    assert "The subscription has ended" in ended_already
    assert unusual == [
        "A charge still waits for its next invoice, which may never come: Ada Lovelace.",
        "On trial: it ends with the trial, and nothing is ever charged: Ada Lovelace.",
        "Past due: what it owes is still collected until then: Ada Lovelace.",
    ]
    with pytest.raises(InvalidInput, match="Say why"):
        bulk.start(commands.new_token(), ANA, "cancel", [active.object_id], ENDS, " ")
    run = given("cancel", about, ENDS)
    assert ended(run).said == "3 of 5 subscriptions set to end."
    assert ended(run).title == "Cancel at the period's end"
    for each in about[:3]:
        found = desk.sdk.subscriptions.retrieve(each.object_id)
        assert found.cancel_at_period_end and found.cancellation_details
        assert found.cancellation_details.feedback == "too_expensive"
    assert reasons(about[:3]) == {("done", "They asked for it")}


@SQLITE
def test_scheduled_ends_are_taken_back(desk: Bench) -> None:
    leaving, active, trial = (
        desk.in_state(each) for each in ("set to cancel", "active", "trialing without a card")
    )
    desk.sdk.subscriptions.update(trial.object_id, {"cancel_at_period_end": True})
    trial = fresh.subject(trial.customer.id, trial.object_id)
    about = [leaving, active, trial]
    preview = heard("undo_cancel", about, {})
    assert preview.happens == (
        "Each of the 2 subscriptions goes on instead of ending.",
        "Nothing is charged now; its next invoices come as usual.",
    )
    assert preview.warnings == (
        "1 of 3 cancellations cannot be undone: Ada Lovelace. No cancellation is scheduled.",
        "On trial without a card: unless one is added, it is canceled at the end of the trial: Ada Lovelace.",
    )
    run = given("undo_cancel", about, {})
    assert ended(run).counts == {"done": 2, "skipped": 1}
    for each in (leaving, trial):
        assert not desk.sdk.subscriptions.retrieve(each.object_id).cancel_at_period_end


@SQLITE
def test_invoices_are_given_up_and_their_sums_told_by_currency(desk: Bench) -> None:
    failed, other = desk.failed_invoice(), desk.failed_invoice()
    yen = desk.customer("insufficient_funds")
    plan = desk.subscribe(yen, items=[{"price": desk.price(500, "jpy")}], payment_behavior="allow_incomplete")
    invoice = str(desk.sdk.subscriptions.retrieve(plan).latest_invoice)
    desk.mirror("subscription", plan)
    paid = desk.in_state("active")
    assert paid.subscription
    about = [failed, other, fresh.subject(yen, invoice)]
    closed = fresh.subject(paid.customer.id, str(paid.subscription.latest_invoice))
    preview = heard("mark_uncollectible", [*about, closed], {})
    assert preview.happens == (
        "Each of the 3 invoices counts as a bad debt: nobody expects it to be paid.",
        "The customer can still pay it by its link, and then it is paid.",
        "In all they ask for ¥500 and $98.00.",
    )
    assert preview.warnings[:2] == (
        "It does not become open again: after this it can only be paid or voided.",
        "1 of 4 invoices cannot be marked as uncollectible: Ada Lovelace. The invoice is paid. To give the "
        "money back, refund its payment.",
    )
    assert any(one.startswith("Stripe would have tried again by itself") for one in preview.warnings)
    run = given("mark_uncollectible", [*about, closed], {})
    assert ended(run).said == "3 of 4 invoices marked as uncollectible."
    assert {desk.sdk.invoices.retrieve(each.object_id).status for each in about} == {"uncollectible"}
    assert told(run)[failed.object_id][1].startswith("The invoice is marked as uncollectible.")


@SQLITE
def test_a_coupon_is_applied_to_those_whom_it_fits(desk: Bench) -> None:
    desk.sdk.coupons.create({"id": "FIVE", "amount_off": 500, "currency": "usd", "duration": "once"})
    desk.mirror("coupon", "FIVE")
    plain, has_one = desk.in_state("active"), desk.in_state("discounted")
    yen = desk.customer()
    other = fresh.subject(yen, desk.subscribe(yen, items=[{"price": desk.price(500, "jpy")}]))
    about, form = [plain, has_one, other], {"kind": "coupon", "coupon": "FIVE"}
    preview = heard("apply_coupon", about, form)
    assert preview.happens == (
        "FIVE applies to each of the 2 subscriptions: $5.00 off on the next invoice only.",
        "Nothing is charged now.",
    )
    assert preview.warnings == (
        "1 of 3 subscriptions cannot be given the coupon: Ada Lovelace. This coupon is used up, over, or for "
        "another currency.",
        "It comes on top of TENTH, which goes on: Ada Lovelace.",
    )
    with pytest.raises(InvalidInput, match="Choose one of the coupons") as error:
        heard("apply_coupon", about, {"kind": "coupon", "coupon": ""})
    assert error.value.field == "coupon"
    run = given("apply_coupon", about, form)
    assert ended(run).title == "Apply coupon “FIVE”"
    assert ended(run).counts == {"done": 2, "skipped": 1}
    assert [len(desk.sdk.subscriptions.retrieve(each.object_id).discounts) for each in about] == [1, 2, 0]
    again = [fresh.subject(each.customer.id, each.object_id) for each in (plain, has_one)]
    with pytest.raises(InvalidInput, match="FIVE applies already"):
        heard("apply_coupon", again, form)


@SQLITE
def test_of_customers_all_subscriptions_are_meant_for_which_it_is_offered(desk: Bench) -> None:
    first, over = desk.in_state("active"), desk.in_state("canceled")
    second = fresh.subject(first.customer.id, desk.subscribe(first.customer.id))
    customers = [over.customer.id, first.customer.id]
    with database.session() as session:
        found = bulk_preview.of_customers(session, "cancel", customers)
        assert sorted(found) == sorted([first.object_id, second.object_id])
        with pytest.raises(InvalidInput, match="These customers have no cancellation that could be undone"):
            bulk_preview.of_customers(session, "undo_cancel", customers)


def test_what_cannot_be_given_to_many_is_named() -> None:
    with pytest.raises(NotFound, match="no command for many"):
        bulk_kinds.find("refund")


@pytest.mark.parametrize("approvals", [False, True])
def test_days_in_all_are_counted_as_the_rows_will_be_judged(approvals: bool) -> None:
    """Two trials of one customer: the second is more than the customer may get in all."""
    subjects = {id: in_memory("trialing", id=id, trial_end=in_days(3)) for id in ("sub_1", "sub_2")}
    chosen = Chosen(bulk_kinds.find("extend_trial"), subjects, {}, {})
    sales = Person(SAM.id, SAM.name, SAM.email, Role.SALES, policy=Policy(limits=DAYS, approvals=approvals))
    totals = bulk_preview.reckon(sales, chosen, WEEK)
    [(limit, over)] = (totals.asked if approvals else totals.cannot).items()
    assert "up to 10 days for the days of trial given to one customer in all; this is 14 days" in limit
    assert (over, totals.can) == (["sub_2"], ["sub_1", "sub_2"] if approvals else ["sub_1"])


def test_many_reasons_and_long_names_are_cut_short() -> None:
    """Those who have ended name a day each."""
    fields = {"trial_end": None, "current_period_end": in_days(30)}
    states = [in_memory("canceled", ended_at=in_days(-day), **fields) for day in range(1, 9)]
    states.append(in_memory("active", **fields))
    for each in states:
        each.customer.name = "A very long name " * 9
    chosen = Chosen(bulk_kinds.find("cancel"), {str(one): each for one, each in enumerate(states)}, {}, {})
    warnings = bulk_preview.preview(ANA, chosen, ENDS).warnings
    name = "A very long name A very long name A ver…"
    assert len(warnings) == 6 and f": {name}. The subscription has ended on" in warnings[0]
    assert warnings[-1].startswith(f"3 more of 9 subscriptions cannot be set to end: {name}, {name}, {name}.")
