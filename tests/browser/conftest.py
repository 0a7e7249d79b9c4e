"""A running desk on a small sandbox account, and a page of a real browser that tells of every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    ViewportSize,
    expect,
)
from sqlmodel import Session, col, select

from models import Action, Customer, CustomerFacts, PaymentMethod, Subscription
from services import database
from tests.browser.cast import Cast, Part
from tests.browser.visitor import PATIENCE, WHY, Visitor
from tests.desk.bench import within
from tests.support.browser import launched
from tests.support.desk import Desk, start_desk
from tests.support.sandbox import Account

expect.set_options(timeout=PATIENCE)
T = TypeVar("T")
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
_IDLE: WeakKeyDictionary[BrowserContext, list[Page]] = WeakKeyDictionary()  # tabs that wait for a test
WITHIN = 60.0  # seconds until the desk has taken in what happened in the account


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a worker."""
    with launched() as running:
        yield running


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with 90 customers, pulled, shared by the tests of a worker."""
    running = start_desk(tmp_path_factory.mktemp("desk"), SANDBOX_CUSTOMERS="90", SANDBOX_LIFE="false")
    running.wait_until_pulled()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def account(desk: Desk) -> Account:
    """The desk's account over its own API: the official SDK, and the sandbox's control path."""
    return Account(desk.sandbox_url)


class Tables:
    """The desk's tables as they are on disk."""

    def __init__(self, desk: Desk) -> None:
        self.engine = database.open_engine(f"sqlite:///{desk.folder / 'sandbox.db'}")

    def read(self, question: Callable[[Session], T]) -> T:
        """What a question finds now."""
        with Session(self.engine, expire_on_commit=False) as session:
            return question(session)

    def row(self, model: type[T], key: Any) -> T:
        """The row of a key; fails where there is none."""
        found = self.read(lambda session: session.get(model, key))
        assert found is not None, f"no {model.__name__} {key}"
        return found

    def until(self, question: Callable[[Session], T]) -> T:
        """What a question finds, as soon as it finds anything."""
        found: T = within(WITHIN, lambda: self.read(question))
        return found

    def has(self, model: type[T], key: Any, **values: Any) -> None:
        """Waits until the row of a key has these values.

        Stripe's answer is there at once, but a read of the same second may take its place until the next one.
        """
        kept: dict[str, Any] = {}

        def fits() -> bool:
            row = self.row(model, key)
            kept.update({name: getattr(row, name) for name in values})
            return kept == values

        assert within(WITHIN, fits), f"{key} has {kept}, not {values}"

    def actions(self, customer: str, *states: str) -> list[Action]:
        """The ledger's rows of a customer, oldest first; those that were only opened are left out."""
        wanted = states or ("running", "done", "failed", "unknown")
        about = select(Action).where(Action.customer == customer, col(Action.state).in_(wanted))
        return self.read(lambda session: list(session.exec(about.order_by(col(Action.opened_at)))))

    def ledger(self, part: Part, command: str, state: str = "done") -> Action:
        """The only row of a customer's actions, given by the first of the staff; checked to be whole."""
        [row] = self.actions(part.customer)
        assert (row.command, row.state, row.reason) == (command, state, WHY)
        assert (row.staff_name, row.role) == ("Ada Berg", "admin")
        assert row.finished_at is not None and row.finished_at >= (row.started_at or 0) >= row.opened_at
        assert row.request_id.startswith("req_")
        return row

    def close(self) -> None:
        """Lets go of the file."""
        self.engine.dispose()


@pytest.fixture(scope="session")
def tables(desk: Desk) -> Iterator[Tables]:
    """The desk's tables, read beside it."""
    opened = Tables(desk)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def cast(account: Account) -> Cast:
    """Makes customers for the tests of a module."""
    return Cast(account)


def await_parts(tables: Tables, parts: list[Part], account: Account) -> None:
    """Waits until the desk knows them all as the account does: the subscription and the card."""
    sdk = account.client().v1
    for part in parts:
        status = sdk.subscriptions.retrieve(part.subscription).status
        settings = sdk.customers.retrieve(part.customer).invoice_settings
        card = settings.default_payment_method if settings else None
        tables.until(partial(_known, part=part, status=status, card=str(card) if card else None))


def _known(session: Session, part: Part, status: str, card: str | None) -> bool:
    subscription = session.get(Subscription, part.subscription)
    customer, facts = session.get(Customer, part.customer), session.get(CustomerFacts, part.customer)
    if not (subscription and customer and facts) or (card and not session.get(PaymentMethod, card)):
        return False
    return (subscription.status, customer.default_payment_method) == (status, card)


@dataclass
class Faults:
    """What a page must never do: write errors to the console, or ask other hosts."""

    console: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Listens to a page."""
        page.on("console", self._heard)
        page.on("pageerror", self._failed)
        page.on("request", self._asked)

    def leave(self, page: Page) -> None:
        """Listens no longer."""
        page.remove_listener("console", self._heard)
        page.remove_listener("pageerror", self._failed)
        page.remove_listener("request", self._asked)

    def _failed(self, error: Error) -> None:
        self.console.append(str(error))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console.append(f"{message.text} ({message.location.get('url', '')})")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.strangers.append(request.url)


@pytest.fixture(scope="session")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """One window for all tests of a worker: what the desk's pages consist of is fetched and compiled once."""
    context = open_window(browser)
    yield context
    context.close()


def open_window(browser: Browser) -> BrowserContext:
    """A window at desktop width, without animations."""
    return browser.new_context(viewport=DESKTOP, reduced_motion="reduce")


@pytest.fixture
def open_page(window: BrowserContext) -> Iterator[Callable[[], Page]]:
    """Opens further tabs, each a session of its own for the desk; the test fails on their faults."""
    faults, opened = Faults(), list[Page]()
    idle = _IDLE.setdefault(window, [])

    def watch(page: Page) -> None:
        faults.watch(page)
        opened.append(page)

    def tab() -> Page:
        if not idle:
            return window.new_page()  # which `watch` hears of
        watch(idle[-1])
        return idle.pop()

    window.on("page", watch)
    yield tab
    window.remove_listener("page", watch)
    for page in opened:
        if not page.is_closed():
            faults.leave(page)
            _blank(page)
            idle.append(page)
    assert faults.console == []
    assert faults.strangers == []


def _blank(page: Page) -> None:
    """As good as a new tab, whose window costs Chromium more than our page in it does."""
    page.goto("about:blank")
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="null")


@pytest.fixture
def page(open_page: Callable[[], Page]) -> Page:
    """A fresh tab; the test fails on console errors and on requests to other hosts."""
    return open_page()


@pytest.fixture
def visitor(page: Page, desk: Desk) -> Visitor:
    """A person at the desk (the first of the staff: an admin)."""
    return Visitor(page, desk.url)


@pytest.fixture
def another(open_page: Callable[[], Page], desk: Desk) -> Visitor:
    """A second person with a tab of their own."""
    return Visitor(open_page(), desk.url)
