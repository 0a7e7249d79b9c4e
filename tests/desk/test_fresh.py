"""A command acts on what Stripe says now, whatever the tables claim to know; and on nothing that is gone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlmodel import col

from models import Action, CustomerFacts, InboxItem, PaymentMethod, Subscription, Workspace
from services import changes, clock, database
from services.desk import catalog, commands, fresh, loading
from services.desk.subject import Subject
from services.errors import Conflict
from services.mirror import again, aside, inbox, replay
from services.mirror.shapes import UnreadableObject
from tests.desk.bench import ANA, Bench, prepare, row

AHEAD = 300  # seconds by which the desk's clock goes before Stripe's
_PATIENCE = 20  # drains after which a read counts whenever it was


def replayed(id: str) -> None:
    source = {"object": "subscription", "id": id, "livemode": False}
    assert replay.run([json.dumps(source).encode()])["complete"]


def tried_again(id: str) -> None:
    with database.transaction() as session:
        error = UnreadableObject("subscription", id, "no 'items'")
        aside.keep(session, {"id": id, "object": "subscription"}, error, clock.now() - 50)
    with database.transaction() as session:
        assert [item.id for item in again.queue(session, [id]).again] == [id]


def queued_by_an_older_desk(id: str) -> None:
    asked = inbox.read_request(f"read_{id}", "subscription", id) | {"created": clock.now()}
    with database.transaction() as session:
        inbox.put(session, [asked], "replay")


@pytest.mark.parametrize("ask", [replayed, tried_again, queued_by_an_older_desk])
def test_a_desk_whose_clock_goes_ahead_charges_nobody_who_has_left_since(
    desk: Bench, ask: Callable[[str], None]
) -> None:
    about = desk.in_state("trialing")
    opened = commands.open(ANA, "end_trial", about.customer.id, about.object_id)
    clock.follow(AHEAD)
    ask(about.object_id)
    for _ in range(_PATIENCE + 1):
        inbox.drain()
    with database.session() as session:
        waiting = session.scalar(sa.select(sa.func.count()).where(col(InboxItem.state) == "pending"))
        kept = session.get(Subscription, about.object_id)
    assert waiting == 0 and kept and kept.as_of <= desk.sandbox.now()
    desk.sdk.subscriptions.update(about.object_id, {"cancel_at_period_end": True})
    outcome = commands.submit(opened, ANA, {}, "asked for it")
    assert (outcome.state, "Set to end: no" in outcome.message) == ("failed", True), outcome
    assert desk.sdk.subscriptions.retrieve(about.object_id).status == "trialing"
    assert desk.sdk.charges.list({"customer": about.customer.id}).data == []


def from_the_future(about: Subject, seconds: int = AHEAD) -> int:
    """What a desk of before has stored: a row as of later than now; the instant."""
    at = clock.now() + seconds
    stored = sa.update(Subscription).where(col(Subscription.id) == about.object_id).values(as_of=at)
    with database.transaction() as session:
        session.connection().execute(stored)
    return at


def test_nothing_is_charged_where_the_tables_claim_to_be_newer_than_stripes_answer(desk: Bench) -> None:
    about = desk.in_state("trialing")
    opened = commands.open(ANA, "end_trial", about.customer.id, about.object_id)
    at = from_the_future(about)
    desk.sdk.subscriptions.update(about.object_id, {"cancel_at_period_end": True})
    outcome = commands.submit(opened, ANA, {}, "asked for it")
    told = fresh.Outrun("subscription", about.object_id, at)
    assert (outcome.state, outcome.message, outcome.remedy) == ("failed", told.message, told.remedy)
    assert desk.sdk.subscriptions.retrieve(about.object_id).status == "trialing"
    assert desk.sdk.charges.list({"customer": about.customer.id}).data == []
    assert row(opened.token)["state"] == "failed"
    with pytest.raises(fresh.Outrun):
        commands.open(ANA, "end_trial", about.customer.id, about.object_id)


def test_a_row_that_stripes_clock_has_caught_up_with_is_read_again(desk: Bench) -> None:
    about = desk.in_state("trialing")
    from_the_future(about, 1)
    desk.sdk.subscriptions.update(about.object_id, {"cancel_at_period_end": True})
    now = fresh.subject(about.customer.id, about.object_id)
    assert now.subscription and now.subscription.cancel_at_period_end


def noted(about: Subject) -> tuple[int, int, int]:
    """How often pages were told to look again; as of when the tables know the subscription; the MRR in the
    customer's facts, which this spoils: whatever derives them puts it right."""
    with database.transaction() as session:
        if session.get(Workspace, 1) is None:
            session.add(Workspace(account="acct_1", mode="test"))
        facts = session.get(CustomerFacts, about.customer.id)
        kept = session.get(Subscription, about.object_id)
        assert facts is not None and kept is not None
        known, facts.mrr_micros = facts.mrr_micros, -1
        return changes.count(session), kept.as_of, known


def test_one_request_reads_a_subscription_and_its_customer(desk: Bench) -> None:
    about = desk.in_state("active")
    desk.sdk.customers.update(about.customer.id, {"balance": -700})
    card = desk.sdk.payment_methods.attach("pm_card_mastercard", {"customer": about.customer.id})
    chosen = {"invoice_settings": {"default_payment_method": card.id}}
    desk.sdk.customers.update(about.customer.id, chosen)
    desk.sdk.subscriptions.update(about.object_id, {"cancel_at_period_end": True})
    before = len(desk.sandbox.requests(method="GET"))
    now = fresh.subject(about.customer.id, about.object_id)
    assert len(desk.sandbox.requests(method="GET")) - before == 1
    assert now.subscription and now.subscription.cancel_at_period_end
    assert now.customer.balance == -700
    assert now.customer.default_payment_method == card.id
    with database.session() as session:
        kept = session.get(PaymentMethod, card.id)
    assert kept is not None and kept.brand == "mastercard"


def test_where_stripe_says_nothing_new_nothing_is_derived_and_no_page_looks_again(desk: Bench) -> None:
    about = desk.in_state("active")
    fresh.subject(about.customer.id, about.object_id)
    told, as_of, _ = noted(about)
    time.sleep(1.1)
    fresh.subject(about.customer.id, about.object_id)
    told_then, as_of_then, mrr = noted(about)
    assert (told_then, mrr) == (told, -1), "as nothing was derived"
    assert as_of_then > as_of


@pytest.mark.parametrize(
    "change",
    [
        lambda desk, about: desk.sdk.customers.update(about.customer.id, {"name": "Other"}),
        lambda desk, about: desk.sdk.subscriptions.update(about.object_id, {"cancel_at_period_end": True}),
        lambda desk, about: desk.sdk.subscription_items.update(about.items[0].row.id, {"quantity": 7}),
        lambda desk, about: desk.sdk.subscriptions.update(about.object_id, {"metadata": {"a": "b"}}),
        lambda desk, about: desk.sdk.subscription_items.create(
            {"subscription": about.object_id, "price": desk.price(900)}
        ),
    ],
)
def test_whatever_is_new_is_derived_and_shown(
    desk: Bench, change: Callable[[Bench, Subject], object]
) -> None:
    about = desk.in_state("active")
    fresh.subject(about.customer.id, about.object_id)
    told, _, _ = noted(about)
    time.sleep(1.1)
    change(desk, about)
    fresh.subject(about.customer.id, about.object_id)
    told_then, _, mrr = noted(about)
    assert told_then > told and mrr > 0


SHOWN = {
    "extend_trial": "trialing", "end_trial": "trialing", "add_charge": "active", "cancel": "active",
    "undo_cancel": "set to cancel", "reactivate": "canceled", "pause_collection": "active",
    "change_plan": "active", "apply_coupon": "active", "remove_coupon": "discounted",
    "take_back_extension": "trialing",
}  # fmt: skip


OF_OBJECTS = [name for name, each in catalog.COMMANDS.items() if each.about != {"customer"}]


def vanish(about: Subject, *, customer: bool = False) -> tuple[str, str]:
    """What it is about as if Stripe had never heard of it, like a test clock's objects once that is deleted:
    the ids of the customer, which is gone too if asked for, and of the object."""
    ids = (f"{about.customer.id}gone" if customer else about.customer.id, f"{about.object_id}gone")
    table = about.object.__tablename__
    with database.transaction() as session:
        for statement in (
            f"UPDATE customers SET id = :owner WHERE id = '{about.customer.id}'",
            f"UPDATE {table} SET id = :object, customer = :owner WHERE id = '{about.object_id}'",
        ):
            session.connection().execute(sa.text(statement), {"owner": ids[0], "object": ids[1]})
    return ids


@pytest.mark.parametrize("customer", [False, True])
@pytest.mark.parametrize("command", OF_OBJECTS)
def test_what_stripe_no_longer_has_is_told_in_plain_words(desk: Bench, command: str, customer: bool) -> None:
    about = desk.in_state(SHOWN[command]) if command in SHOWN else prepare(desk, command)
    owner, id = vanish(about, customer=customer)
    listed = desk.sandbox.requests(method="GET", path="/v1/subscriptions")
    said = "customer was deleted in Stripe" if customer else f"{about.kind} is not in Stripe any more"
    with pytest.raises(Conflict, match=f"^This {said}"):
        commands.open(ANA, command, owner, id)
    assert desk.sandbox.requests(method="GET", path="/v1/subscriptions") == listed, "Stripe refuses that list"
    with database.session() as session:
        assert id not in [other.id for other in loading.load(session, owner).others]


def test_what_is_gone_by_the_time_it_is_confirmed_is_not_acted_on(desk: Bench) -> None:
    about = desk.in_state("active")
    opened = commands.open(ANA, "cancel", about.customer.id, about.object_id)
    _, id = vanish(about)
    with database.transaction() as session:
        session.connection().execute(
            sa.update(Action).where(col(Action.token) == opened.token).values(object_id=id)
        )
    outcome = commands.submit(opened, ANA, {"when": "now"}, "asked for it")
    assert outcome.state == "failed" and "is not in Stripe any more" in outcome.message, outcome
    assert desk.sdk.subscriptions.retrieve(about.object_id).status == "active"
