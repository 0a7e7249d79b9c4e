"""One empty sandbox for all tests of the room that only need an account; each makes customers of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from tests.sandbox.shop import Shop
from tests.support.sandbox import Sandbox, start_sandbox


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A running, empty account that many tests share."""
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The shared account, without faults, with the default settings."""
    yield shared_sandbox
    shared_sandbox.heal()
    shared_sandbox.control("POST", "limits", rate=0)
    shared_sandbox.control("POST", "settings", retry_after_days=[3, 5, 7], when_retries_end="cancel")


@pytest.fixture
def client(sandbox: Sandbox) -> stripe.StripeClient:
    """The official SDK's client for it."""
    return sandbox.client()


@pytest.fixture
def shop(sandbox: Sandbox, client: stripe.StripeClient) -> Shop:
    """Short words for what tests buy and sell."""
    return Shop(sandbox, client)
