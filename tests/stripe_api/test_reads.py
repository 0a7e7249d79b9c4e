"""Each read is counted once, for what it was made, and none is lost on its way into the table."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from models import StripeReads
from services import clock
from services.errors import TrialdeskError
from services.stripe_api import client, errands, reads
from tests.support import statements
from tests.support.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    reads.forget()
    yield
    reads.forget()


def kept(database: ModuleType) -> dict[tuple[int, str], int]:
    with database.session() as session:
        return {(row.day, row.purpose): row.reads for row in session.exec(select(StripeReads))}


def today() -> int:
    return clock.now() // clock.DAY * clock.DAY


def test_days_and_purposes_are_counted_apart_and_added_up(database: ModuleType) -> None:
    for purpose in (errands.POLL, errands.POLL, errands.SYNC):
        with errands.on(purpose):
            reads.note()
    reads.note()
    reads.keep()
    clock.follow(clock.DAY)
    with errands.on(errands.POLL):
        reads.note()
    reads.keep()
    clock.follow(0)
    with errands.on(errands.POLL):
        reads.note()
    reads.keep()
    assert kept(database) == {
        (today(), "poll"): 3,
        (today(), "sync"): 1,
        (today(), "action"): 1,
        (today() + clock.DAY, "poll"): 1,
    }


def test_a_thousand_reads_are_one_statement_and_none_is_none(database: ModuleType) -> None:
    def work() -> None:
        for _ in range(250):
            reads.note()

    workers = []
    for purpose in (errands.POLL, errands.EVENTS, errands.BACKFILL, errands.SYNC):
        with errands.on(purpose):
            workers.append(errands.thread(work, purpose))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with statements.written(database.engine()) as seen:
        reads.keep()
    assert len(seen) == 1
    assert set(kept(database).values()) == {250}
    with statements.written(database.engine()) as seen:
        reads.keep()
    assert seen == []


def test_what_could_not_be_kept_stays_counted(database: ModuleType) -> None:
    reads.note()
    with database.engine().execution_options(writes=True).begin() as connection:
        connection.execute(sa.text("ALTER TABLE stripe_reads RENAME TO elsewhere"))
    with pytest.raises(sa.exc.DBAPIError):
        reads.keep()
    with database.engine().execution_options(writes=True).begin() as connection:
        connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO stripe_reads"))
    reads.note()
    reads.keep()
    assert kept(database) == {(today(), "action"): 2}


def test_every_get_counts_those_that_are_tried_again_too_and_no_post(
    database: ModuleType, sandbox: Sandbox
) -> None:
    account = client.connect(sandbox.key, sandbox.url)
    before = len(sandbox.requests(method="GET"))
    account.read("/v1/account")
    sandbox.fault("500_before", path="/v1/products", count=1)
    account.page("/v1/products")
    with pytest.raises(TrialdeskError):
        account.read("/v1/customers/cus_none")
    account.write(lambda v1, options: v1.customers.create({"name": "A"}, options), "key-1")
    reads.keep()
    asked = len(sandbox.requests(method="GET")) - before
    assert asked >= 4
    assert kept(database) == {(today(), "action"): asked}


def test_threads_ask_for_what_their_maker_asks_for() -> None:
    def told(_: Any) -> errands.Errand:
        return errands.current()

    with errands.on(errands.RECONCILE, gently=True), errands.pool(2) as pool:
        found = set(pool.map(told, range(20)))
    assert found == {errands.Errand("reconcile", gentle=True)}
    assert errands.current() == errands.Errand("action")


def test_what_is_begun_on_the_way_counts_as_its_own() -> None:
    with errands.on(errands.RECONCILE, gently=True):
        with errands.on(errands.POLL):
            assert errands.current() == errands.Errand("poll")
        assert errands.current().gentle
