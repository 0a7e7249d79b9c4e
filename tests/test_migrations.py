"""services.migrations: the steps lead to exactly the models, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import Session, select

from models import Base, CustomerFacts, FailureFact, Invoice, Price, SyncCursor, SyncWindow
from services import migrations
from services.errors import ConfigurationError

pytestmark = pytest.mark.both_databases


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_the_steps_lead_to_the_models(bare: sa.Engine) -> None:
    migrations.upgrade()
    with bare.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == migrations.newest()


def test_the_steps_make_the_indexes_of_the_models(bare: sa.Engine) -> None:
    """With their expressions and conditions, which the comparison above passes over."""
    Base.metadata.create_all(bare.execution_options(writes=True))
    wanted = indexes(bare)
    Base.metadata.drop_all(bare.execution_options(writes=True))
    migrations.upgrade()
    made = indexes(bare)
    assert "ix_actions_begun" in wanted
    assert {name: made.get(name) for name in wanted} == wanted


def indexes(engine: sa.Engine) -> dict[str, str]:
    """How each index of the database is defined, by name."""
    catalogue = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename != 'alembic_version'",
    }
    with engine.connect() as connection:
        found = connection.execute(sa.text(catalogue[engine.dialect.name]))
        return {name: " ".join(told.split()) for name, told in found}


def test_upgrading_twice_keeps_what_is_there(bare: sa.Engine) -> None:
    migrations.upgrade()
    with bare.execution_options(writes=True).begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO staff (email, name, role, active, created_at) "
                "VALUES ('a@example.com', 'A', 'viewer', true, 1)"
            )
        )
    migrations.upgrade()
    with bare.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM staff")) == 1


def states_of(connection: sa.Connection) -> dict[str, str]:
    """How the list of each resource stands."""
    rows = connection.execute(sa.select(SyncCursor.resource, SyncCursor.state))
    return {row.resource: row.state for row in rows}


def test_prices_are_listed_again_once_more_of_them_is_kept(bare: sa.Engine) -> None:
    with migrations._locked() as connection:
        command.upgrade(migrations._config(connection), "0001")
        for resource in ("prices", "products", "facts"):
            connection.execute(
                sa.text(
                    "INSERT INTO sync_cursors (resource, state, cursor, fetched, started_at, error) "
                    f"VALUES ('{resource}', 'complete', 'price_9', 9, 1, '')"
                )
            )
        connection.execute(
            sa.text(
                "INSERT INTO prices (id, as_of, created, deleted, product, active, currency, type, "
                "billing_scheme, interval_count, metadata) "
                "VALUES ('price_9', 1, 1, false, 'prod_1', true, 'usd', '', '', 1, '{}')"
            )
        )
        command.upgrade(migrations._config(connection), "0002")
        states = states_of(connection)
    migrations.upgrade()
    with Session(bare) as session:
        fetched = {row.resource: row.fetched for row in session.exec(select(SyncCursor))}
        price = session.exec(select(Price)).one()
    assert states == {"prices": "waiting", "facts": "waiting", "products": "complete"}
    assert fetched == {"prices": 0, "facts": 0, "products": 9}
    assert (price.tiers, price.currency_options, price.transform_divide_by) == ([], {}, None)


def test_a_pull_that_was_under_way_lists_its_resource_anew(bare: sa.Engine) -> None:
    with migrations._locked() as connection:
        command.upgrade(migrations._config(connection), "0004")
        for resource, state in (("invoices", "running"), ("charges", "complete"), ("feed", "running")):
            connection.execute(
                sa.text(
                    "INSERT INTO sync_cursors (resource, state, cursor, fetched, started_at, error) "
                    f"VALUES ('{resource}', '{state}', '77', 300, 1, '')"
                )
            )
    migrations.upgrade()
    with Session(bare) as session:
        rows = {row.resource: (row.cursor, row.fetched) for row in session.exec(select(SyncCursor))}
    assert rows == {"invoices": (None, 0), "charges": (None, 300), "feed": ("77", 0)}


def test_customers_are_found_as_before_until_their_facts_are_derived_anew(bare: sa.Engine) -> None:
    kept = CustomerFacts(customer="cus_1", created=1, name_key="žofie", email_key="z@x.example")
    later = ("search_key", "phone_key")
    columns = {name: getattr(kept, name) for name in CustomerFacts.model_fields if name not in later}
    with migrations._locked() as connection:
        command.upgrade(migrations._config(connection), "0002")
        names, values = ", ".join(columns), ", ".join(f":{name}" for name in columns)
        connection.execute(sa.text(f"INSERT INTO customer_facts ({names}) VALUES ({values})"), columns)
        connection.execute(
            sa.text(
                "INSERT INTO sync_cursors (resource, state, fetched, error) "
                "VALUES ('facts', 'complete', 9, ''), ('prices', 'complete', 9, '')"
            )
        )
        command.upgrade(migrations._config(connection), "0003")
        states = states_of(connection)
    migrations.upgrade()
    with Session(bare) as session:
        assert session.exec(select(CustomerFacts.search_key)).one() == "žofie\nz@x.example"
    assert states == {"facts": "waiting", "prices": "complete"}


@pytest.mark.parametrize(
    ("before", "step", "again", "kept"),
    [
        pytest.param("0007", "0008", {"facts"}, {"prices"}, id="search without unseen signs"),
        pytest.param("0011", "0012", {"facts"}, {"customers"}, id="phone numbers"),
        pytest.param(
            "0012", "0013", {"subscriptions", "invoices", "facts"}, {"charges"}, id="what is charged"
        ),
        pytest.param("0015", "0016", {"subscriptions"}, {"invoices"}, id="when subscriptions were paused"),
    ],
)
def test_what_a_step_adds_is_filled_anew(
    bare: sa.Engine, before: str, step: str, again: set[str], kept: set[str]
) -> None:
    """Resources are listed again from their beginning, facts derived again; the others stay as they are."""
    with migrations._locked() as connection:
        command.upgrade(migrations._config(connection), before)
        for resource in again | kept:
            row = {"resource": resource, "state": "complete", "fetched": 9, "error": ""}
            connection.execute(sa.insert(SyncCursor).values(row))
        for resource in (again | kept) - {"facts"}:
            window = {"resource": resource, "number": 1, "low": 7, "objects": 9, "done": False}
            connection.execute(sa.insert(SyncWindow).values(window))
        command.upgrade(migrations._config(connection), step)  # no further: later ones would do it, too
        states = states_of(connection)
        windows = set(connection.scalars(sa.select(SyncWindow.resource)))
    assert states == dict.fromkeys(again, "waiting") | dict.fromkeys(kept, "complete")
    assert windows == kept


def test_what_failed_before_the_step_asks_for_money_as_long_as_its_invoice_does(bare: sa.Engine) -> None:
    bills: dict[str, dict[str, Any]] = {
        "open": {"status": "open", "amount_remaining": 900},
        "settled": {"status": "open", "amount_remaining": 0},
        "deleted": {"status": "open", "amount_remaining": 900, "deleted": True},
        "paid": {"status": "paid", "paid_at": 7},
        "void": {"status": "void", "voided_at": 8},
    }
    with migrations._locked() as connection:
        command.upgrade(migrations._config(connection), "0033")
        for id, told in bills.items():
            with Session(connection) as session:
                session.add(Invoice(id=id, created=1, as_of=1, amount_due=900, **told))
                session.flush()
            fact = FailureFact(invoice=id).model_dump(exclude={"due", "closed_at"})
            columns = [sa.column(name) for name in fact]
            connection.execute(sa.insert(sa.table("failure_facts", *columns)).values(fact))
    migrations.upgrade()
    with Session(bare) as session:
        found = {row.invoice: (row.due, row.closed_at) for row in session.exec(select(FailureFact))}
    assert found == {
        "open": (900, None), "settled": (900, 0), "deleted": (900, 0), "paid": (900, 7), "void": (900, 8),
    }  # fmt: skip


def test_a_database_of_a_newer_version_is_refused(bare: sa.Engine) -> None:
    migrations.upgrade()
    with bare.execution_options(writes=True).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'of_the_future'"))
    with pytest.raises(ConfigurationError, match="another version"):
        migrations.upgrade()
