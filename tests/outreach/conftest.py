"""A mail server, queues, and customers to write to."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from services import config, durable
from services.staff.roles import Person, Role
from tests.customers import builders
from tests.support import mailserver
from tests.support.mailserver import Mailbox


@pytest.fixture
def mailbox() -> Mailbox:
    """What the mail server took."""
    return Mailbox()


@pytest.fixture
def smtp_settings(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The desk's settings name a running mail server."""
    controller = mailserver.start(mailbox)
    settings = {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(controller.port),
        "SMTP_SECURITY": "none",
        "MAIL_FROM": "desk@example.com",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()
    yield
    controller.stop()
    monkeypatch.undo()
    config.settings.cache_clear()


@pytest.fixture
def queues(database: ModuleType) -> Iterator[None]:
    """Background work runs."""
    durable.launch()
    yield
    durable.shutdown()


@pytest.fixture
def ann(database: ModuleType) -> Person:
    """A supporter."""
    return _hire(database, "Ann", Role.SUPPORT)


@pytest.fixture
def vera(database: ModuleType) -> Person:
    """Somebody who may only look."""
    return _hire(database, "Vera", Role.VIEWER)


def _hire(database: ModuleType, name: str, role: Role) -> Person:
    with database.transaction() as session:
        id = builders.staff(session, name, role=role)
    return Person(id, name, f"{name.lower()}@desk.example", role)


@pytest.fixture
def jo(database: ModuleType) -> str:
    """A customer with an email address."""
    with database.transaction() as session:
        return builders.customer(session, "cus_jo", name="Jo", email="jo@customer.example")
