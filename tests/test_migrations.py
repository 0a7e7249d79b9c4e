"""services.migrations: the steps lead to exactly the models, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import Session, select

from models import Base, CustomerFacts, Price, SyncCursor
from services import database, migrations
from services.errors import ConfigurationError
from tests.conftest import BACKENDS
from tests.support import postgres


@pytest.fixture(params=BACKENDS)
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """A database without any table."""
    url = f"sqlite:///{tmp_path}/bare.db" if request.param == "sqlite" else postgres.create_database()
    yield database.configure(url)
    database.engine().dispose()
    if request.param == "postgresql":
        postgres.drop_database(url)


def test_the_steps_lead_to_the_models(bare: sa.Engine) -> None:
    migrations.upgrade()
    with bare.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == migrations.newest()


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
    migrations.upgrade()
    with Session(bare) as session:
        states = {row.resource: (row.state, row.fetched) for row in session.exec(select(SyncCursor))}
        price = session.exec(select(Price)).one()
    assert states == {
        "prices": ("waiting", 0),
        "facts": ("waiting", 0),
        "products": ("complete", 9),
    }
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
    columns = {name: getattr(kept, name) for name in CustomerFacts.model_fields if name != "search_key"}
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
    migrations.upgrade()
    with Session(bare) as session:
        states = {row.resource: row.state for row in session.exec(select(SyncCursor))}
        assert session.exec(select(CustomerFacts.search_key)).one() == "žofie\nz@x.example"
    assert states == {"facts": "waiting", "prices": "complete"}


def test_facts_are_derived_anew_where_unseen_signs_were_kept(bare: sa.Engine) -> None:
    with migrations._locked() as connection:
        command.upgrade(migrations._config(connection), "0007")
        for resource in ("facts", "prices"):
            row = {"resource": resource, "state": "complete", "fetched": 9, "error": ""}
            connection.execute(sa.insert(SyncCursor).values(row))
    migrations.upgrade()
    with Session(bare) as session:
        states = {row.resource: row.state for row in session.exec(select(SyncCursor))}
    assert states == {"facts": "waiting", "prices": "complete"}


def test_a_database_of_a_newer_version_is_refused(bare: sa.Engine) -> None:
    migrations.upgrade()
    with bare.execution_options(writes=True).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'of_the_future'"))
    with pytest.raises(ConfigurationError, match="another version"):
        migrations.upgrade()
