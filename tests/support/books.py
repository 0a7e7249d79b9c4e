"""The books of an account that was given a history: for tests that look into it."""

from __future__ import annotations

from functools import cache
from typing import Any

from services.sandbox import history
from services.sandbox.billing.account import Account
from services.sandbox.billing.lifecycle import open_account

NOW = 1_795_300_000
DAY = 86_400
SEED = 7
Body = dict[str, Any]


class Books:
    """The objects of an account by kind, oldest first."""

    def __init__(self, account: Account, now: int = NOW) -> None:
        self.account, self.now = account, now
        self._kinds: dict[str, list[Body]] = {}

    def __getitem__(self, kind: str) -> list[Body]:
        if kind not in self._kinds:
            self._kinds[kind] = self.account.store.all(kind)
        return self._kinds[kind]


def built(number: int, seed: int = SEED, now: int = NOW) -> Account:
    """An account in memory with the history of so many customers."""
    account = open_account(":memory:", now)
    history.build(account, customers=number, seed=seed, now=now)
    return account


@cache
def shared() -> Books:
    """Books that several tests read and none changes."""
    return Books(built(420))
