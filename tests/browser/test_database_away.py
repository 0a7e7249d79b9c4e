"""PostgreSQL ends under a desk's hands and comes back: nothing is lost, and the desk goes on by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page
from sqlmodel import Session, select

from models import Customer, InboxItem
from services import database
from services.mirror import progress
from tests.browser.visitor import Visitor
from tests.mirror import truth
from tests.support.desk import Desk, free_port, start_desk
from tests.support.postgres import OwnServer
from tests.support.sandbox import Sandbox, start_sandbox

WITHIN = 90.0  # seconds


@pytest.fixture
def server() -> Iterator[OwnServer]:
    started = OwnServer()
    yield started
    started.end()


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path, 60, seed=5) as started:
        yield started


@pytest.fixture
def desk(server: OwnServer, account: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    """A desk on that account and server, to which the account's events are delivered."""
    port = free_port()
    endpoint = account.client().v1.webhook_endpoints.create(
        {"url": f"http://127.0.0.1:{port}/webhooks/stripe", "enabled_events": ["*"]}
    )
    assert endpoint.secret
    started = start_desk(
        tmp_path / "desk", port=port, DATABASE_URL=server.url, STRIPE_API_KEY=account.key,
        STRIPE_API_BASE=account.url, STRIPE_WEBHOOK_SECRET=endpoint.secret, POLL_INTERVAL="3600",
    )  # fmt: skip
    database.configure(server.url)
    yield started
    database.engine().dispose()
    started.stop()


def until(found: Callable[[], bool]) -> bool:
    end = time.monotonic() + WITHIN
    while not (there := found()) and time.monotonic() < end:
        time.sleep(0.05)
    return there


def asked(question: Callable[[Session], bool]) -> bool:
    """The answer of the database; False where it is away."""
    try:
        with database.session() as session:
            return question(session)
    except sa.exc.SQLAlchemyError:
        return False


def is_whole(session: Session) -> bool:
    return progress.read(session).complete


def has_begun(session: Session) -> bool:
    return session.exec(select(Customer.id).limit(1)).first() is not None and not is_whole(session)


def is_still(session: Session) -> bool:
    """Whether webhooks have come, and all are applied."""
    states = set(session.exec(select(InboxItem.state).where(InboxItem.source == "webhook")))
    return states == {"applied"}


def crash(server: OwnServer, desk: Desk, *, meanwhile: Callable[[], object] = lambda: None) -> None:
    """The server ends at once; the desk says so; then the server starts again."""
    server.stop()
    assert until(lambda: desk.health()["status"] == "unavailable")
    meanwhile()
    server.start()
    assert until(lambda: desk.health()["status"] == "ok")


@pytest.mark.timeout(400)
def test_a_first_pull_and_webhooks_outlast_it(server: OwnServer, account: Sandbox, desk: Desk) -> None:
    account.fault("slow", seconds=0.3)
    assert until(lambda: asked(has_begun)), desk.log
    crash(server, desk)
    assert not asked(is_whole)
    account.heal()
    assert until(lambda: asked(is_whole)), desk.log
    assert truth.differences(account) == []
    account.advance(days=2)
    crash(server, desk, meanwhile=lambda: account.advance(days=3))
    assert until(lambda: asked(is_still) and truth.differences(account) == []), desk.log
    assert "(reference" not in desk.log, "it is no fault of ours that nobody foresaw"


@pytest.mark.browser
@pytest.mark.slow  # a server, an account and a desk of its own
def test_an_open_page_says_so_and_comes_back(server: OwnServer, desk: Desk, page: Page) -> None:
    assert until(lambda: asked(is_whole)), desk.log
    visitor = Visitor(page, desk.url).open("customers", "Customers")

    def meanwhile() -> None:
        page.reload()
        visitor.sees("The database cannot be reached")

    crash(server, desk, meanwhile=meanwhile)
    visitor.arrive("Customers")
