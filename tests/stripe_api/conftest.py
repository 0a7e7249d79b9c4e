"""An empty sandbox account, and our client for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.stripe_api.client import StripeAccount, connect
from tests.support.sandbox import Sandbox, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One empty account for the tests of a file."""
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture
def account(sandbox: Sandbox) -> Iterator[StripeAccount]:
    """Our client; faults of a test end with it."""
    yield connect(sandbox.key, sandbox.url)
    sandbox.heal()
