"""What was committed and not derived any more is derived by the next drain, on both databases."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor, wait
from types import ModuleType

import pytest
import sqlalchemy as sa
from alembic import command
from sqlmodel import select

from models import Customer, CustomerFacts, Product, Underived
from services import migrations
from services.mirror import (
    answers,
    cursors,
    facts,
    inbox,
    poll,
    pull,
    reconcile,
    trust,
    underivable,
    underived,
)
from services.stripe_api.client import Answer
from tests.mirror import objects as o
from tests.mirror import truth
from tests.mirror.objects import NOW
from tests.mirror.test_reconcile import damage
from tests.mirror.test_shared import paying
from tests.mirror.test_writer import ids, row
from tests.support.sandbox import Sandbox


class CutShort(Exception):
    """The process ends, or the database goes away, before anything is derived."""


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Whatever derives after a commit is cut short, until this is undone."""

    def end(customers: Collection[str], *_: object) -> None:
        raise CutShort

    monkeypatch.setattr(facts, "derive_in_pieces", end)
    return monkeypatch


def test_a_drain(pulled: ModuleType, sandbox: Sandbox, cut: pytest.MonkeyPatch) -> None:
    before = row(CustomerFacts, paying().customer)
    sandbox.client().v1.products.update(before.product, {"name": "Squad"})
    with pytest.raises(CutShort):
        poll.once()
    cut.undo()
    assert row(Product, before.product).name == "Squad"
    assert row(CustomerFacts, before.customer).plan == before.plan
    poll.once()
    assert row(CustomerFacts, before.customer).plan.startswith("Squad, ")
    assert truth.differences(sandbox) == []
    assert ids(Underived) == set()


def test_an_answer(pulled: ModuleType, sandbox: Sandbox, cut: pytest.MonkeyPatch) -> None:
    before = row(CustomerFacts, paying().customer)
    products = {one["id"]: one for one in truth.every(sandbox, "/v1/products")}
    renamed = products[before.product] | {"name": "Squad"}
    with pytest.raises(CutShort):
        answers.apply(Answer(renamed, sandbox.now() + 1, "req_1"))
    cut.undo()
    assert row(Product, before.product).name == "Squad"
    assert row(CustomerFacts, before.customer).plan == before.plan
    inbox.drain()
    assert row(CustomerFacts, before.customer).plan.startswith("Squad, ")
    assert ids(Underived) == set()


def test_a_reconciliation(pulled: ModuleType, cut: pytest.MonkeyPatch) -> None:
    """What was put right is no difference for the next one."""
    before = row(CustomerFacts, paying().customer)
    damage(pulled, "UPDATE products SET name = 'Old' WHERE id = :id", id=before.product)
    damage(pulled, "UPDATE customer_facts SET plan = 'Old' WHERE customer = :id", id=before.customer)
    with pytest.raises(CutShort):
        reconcile.run()
    cut.undo()
    assert row(CustomerFacts, before.customer).plan == "Old"
    assert reconcile.run()["drifts"] == 0
    assert row(CustomerFacts, before.customer).plan == before.plan
    assert ids(Underived) == set()


def test_a_reconciliation_of_a_customers_own_row(pulled: ModuleType, cut: pytest.MonkeyPatch) -> None:
    before = row(CustomerFacts, paying().customer)
    damage(pulled, "UPDATE customers SET email = 'old@x.example' WHERE id = :id", id=before.customer)
    damage(pulled, "UPDATE customer_facts SET email_key = 'old' WHERE customer = :id", id=before.customer)
    with pytest.raises(CutShort):
        reconcile.run()
    cut.undo()
    assert row(CustomerFacts, before.customer).email_key == "old"
    assert reconcile.run()["drifts"] == 0
    assert row(CustomerFacts, before.customer).email_key == before.email_key


def test_a_customer_that_was_missing(pulled: ModuleType, sandbox: Sandbox, cut: pytest.MonkeyPatch) -> None:
    customer = paying().customer
    with pulled.transaction() as session:
        for model in (Customer, CustomerFacts):
            session.delete(session.get(model, customer))
        named = {"object": "tax_id", "id": "txi_1", "customer": customer}
        told = {"type": "customer.tax_id.created", "created": sandbox.now(), "data": {"object": named}}
        inbox.put(session, [{"id": "evt_1", **told}], "replay")
    with pytest.raises(CutShort):
        inbox.drain()
    cut.undo()
    assert row(Customer, customer) is not None
    assert row(CustomerFacts, customer) is None
    inbox.drain()
    assert row(CustomerFacts, customer).status == "active"
    assert ids(Underived) == set()


def test_a_pull_derives_all_and_what_was_left(pulled: ModuleType) -> None:
    customer = paying().customer
    with pulled.transaction() as session:
        underived.keep(session, {(Customer, customer)})
    pull.whole_account(anew=True)
    assert ids(Underived) == set()


def test_a_change_that_comes_while_an_earlier_one_is_derived_is_kept(database: ModuleType) -> None:
    with database.transaction() as session:
        earlier = underived.keep(session, {(Product, "prod_1")})
    with database.transaction() as session:
        later = underived.keep(session, {(Product, "prod_1")})
    underived.derive(earlier)
    assert underived.left() == later != earlier


def test_what_changes_nothing_is_not_kept(database: ModuleType) -> None:
    for at in (NOW, NOW + 5):
        with database.transaction() as session:
            o.store(session, [o.product()], at)
    with database.session() as session:
        assert [one.object_id for one in session.exec(select(Underived))] == ["prod_1"]


MEND = "UPDATE subscriptions SET discounts = '[]' WHERE customer = :id AND CAST(discounts AS TEXT) = '5'"


@pytest.fixture
def broken(pulled: ModuleType) -> str:
    """A paying customer whose rates and facts cannot be derived."""
    subscription = paying()
    damage(pulled, "UPDATE subscriptions SET discounts = '5' WHERE id = :id", id=subscription.id)
    return subscription.customer


def told(database: ModuleType) -> list[str]:
    with database.session() as session:
        return [customer for customer, _why in underivable.told(session)]


def test_one_with_whom_it_goes_wrong_holds_up_nobody_else(
    pulled: ModuleType, sandbox: Sandbox, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = row(CustomerFacts, broken)
    sandbox.client().v1.products.update(before.product, {"name": "Squad"})
    looked = poll.once()
    assert (looked.drained.applied, looked.drained.failed) == (looked.received, 0)
    with pulled.session() as session:
        users = session.exec(select(CustomerFacts).where(CustomerFacts.product == before.product)).all()
        [problem] = [one for one in trust.problems(session) if broken in one.message]
    assert len(users) > 1
    assert [one.customer for one in users if not one.plan.startswith("Squad, ")] == [broken]
    assert told(pulled) == [broken]
    assert problem.grave
    assert broken in caplog.text

    damage(pulled, MEND, id=broken)
    inbox.drain()
    assert told(pulled) == [broken], "it is too early to try again"
    damage(pulled, "UPDATE underived SET tried_at = tried_at - 600 WHERE object_id = :id", id=broken)
    inbox.drain()
    assert row(CustomerFacts, broken).plan.startswith("Squad, ")
    assert ids(Underived) == set()
    assert truth.differences(sandbox) == []


def test_events_and_answers_of_one_with_whom_it_goes_wrong_are_stored(
    pulled: ModuleType, sandbox: Sandbox, broken: str
) -> None:
    stripe = sandbox.client().v1
    other = next(one["id"] for one in truth.every(sandbox, "/v1/customers") if one["id"] != broken)
    for customer in (broken, other):
        stripe.customers.update(customer, {"email": "new@x.example"})
    assert poll.once().drained.failed == 0
    assert row(CustomerFacts, other).email_key == "new@x.example"
    assert row(Customer, broken).email == "new@x.example"
    assert row(CustomerFacts, broken).email_key != "new@x.example"
    changed = {one["id"]: one for one in truth.every(sandbox, "/v1/customers")}[broken] | {"name": "Ana"}
    assert answers.apply(Answer(changed, sandbox.now() + 1, "req_1")) == {broken}
    assert row(Customer, broken).name == "Ana"
    assert told(pulled) == [broken]
    damage(pulled, MEND, id=broken)
    assert answers.apply(Answer(changed, sandbox.now() + 2, "req_2")) == {broken}
    assert row(CustomerFacts, broken).email_key == "new@x.example"
    assert told(pulled) == []


def test_a_pull_ends_although_it_goes_wrong_with_one(pulled: ModuleType, broken: str) -> None:
    with pulled.transaction() as session:
        cursors.derive_again(session)
    damage(pulled, "UPDATE customer_facts SET email_key = 'old' WHERE customer = :id", id=broken)
    pull.whole_account()
    assert cursors.complete()
    assert told(pulled) == [broken]


def break_down(database: ModuleType, customers: Collection[str], metadata: str = "5") -> None:
    """The facts of these cannot be derived, until their metadata is an object again."""
    with database.transaction() as session:
        statement = sa.text("UPDATE customers SET metadata = :metadata WHERE id = :id")
        session.connection().execute(statement, [{"id": id, "metadata": metadata} for id in customers])


def test_what_goes_wrong_with_everybody_is_blamed_on_nobody(
    pulled: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    everyone = facts.everyone()
    break_down(pulled, everyone)
    with pulled.transaction() as session:
        cursors.derive_again(session)
        kept = underived.keep(session, {(Customer, id) for id in everyone})
    for derive in (pull.whole_account, inbox.drain):
        with pytest.raises(AttributeError):
            derive()
    assert not cursors.complete()
    assert underived.left() == kept
    assert told(pulled) == []
    assert "cannot be derived" not in caplog.text
    break_down(pulled, everyone, metadata="{}")
    pull.whole_account()
    assert cursors.complete()
    assert ids(Underived) == set()


def test_many_with_whom_it_goes_wrong_hold_up_nobody_else(pulled: ModuleType) -> None:
    """Also where they come one after the other, and when only they are tried again."""
    everyone = sorted(facts.everyone())
    many, last = everyone[: facts._MANY + 2], everyone[-1]
    break_down(pulled, many)
    with pulled.transaction() as session:
        cursors.derive_again(session)
    damage(pulled, "UPDATE customer_facts SET email_key = 'old' WHERE customer = :id", id=last)
    pull.whole_account()
    assert cursors.complete()
    assert told(pulled) == many
    assert row(CustomerFacts, last).email_key != "old"
    with pulled.transaction() as session:
        session.connection().execute(sa.text("UPDATE underived SET tried_at = tried_at - 600"))
    assert len(underived.left()) == len(many)
    inbox.drain()
    assert underived.left() == {}
    assert told(pulled) == many


_END_OTHERS = sa.text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_what_goes_wrong_with_the_database_is_nobodys_fault(database: ModuleType) -> None:
    """PostgreSQL ends the connections, SQLite finds a table missing."""
    with database.transaction() as session:
        o.store(session, [o.customer()], NOW)
        if database.is_sqlite():
            session.connection().execute(sa.text("ALTER TABLE customer_facts RENAME TO elsewhere"))

    def lose() -> None:
        if not database.is_sqlite():
            with database.engine().connect() as another:
                another.execute(_END_OTHERS)

    with pytest.raises(sa.exc.OperationalError):
        facts.derive_in_pieces(["cus_1"], confirm=lose)
    with pytest.raises(sa.exc.OperationalError), database.transaction() as session:
        session.connection()
        lose()
        underived.refresh_now(session, "cus_1")
    assert ids(Underived) == set()


def test_two_processes_keep_a_customer_once(database: ModuleType) -> None:
    def keep() -> None:
        with database.transaction() as session:
            underivable.keep(session, "cus_1", ValueError())

    with ThreadPoolExecutor(1) as other:
        with database.transaction() as session:
            underivable.keep(session, "cus_1", ValueError())
            kept = other.submit(keep)
            wait([kept], timeout=0.3)
        kept.result()
    assert told(database) == ["cus_1"]


def test_facts_that_were_lost_before_anything_was_kept_are_derived_after_the_update(
    pulled: ModuleType,
) -> None:
    """The update has subscriptions listed anew, and a pull derives the facts of all."""
    before = row(CustomerFacts, paying().customer)
    with migrations._locked() as connection:
        command.stamp(migrations._config(connection), "head")
        command.downgrade(migrations._config(connection), "0014")
    damage(pulled, "UPDATE customer_facts SET plan = 'Old' WHERE customer = :id", id=before.customer)
    migrations.upgrade()
    assert not cursors.complete()
    pull.whole_account()
    assert row(CustomerFacts, before.customer) == before
