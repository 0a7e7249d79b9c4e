"""Was this request carried out before?

The answer of each POST with an idempotency key is kept for 30 days of the account's time, in the same
transaction as what the request did, and given again to a request with the same key and parameters.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from services.sandbox.errors import IdempotencyMismatch, InvalidRequest
from services.sandbox.store import Store

KEPT_FOR = 30 * 86_400
_LONGEST = 255


class Kept(NamedTuple):
    """An answer that was given before."""

    status: int
    body: bytes
    request_id: str


def fingerprint(method: str, path: str, params: dict[str, Any]) -> str:
    """What has to be the same when a key is used again."""
    text = json.dumps([method, path, params], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def find(store: Store, key: str, print_: str) -> Kept | None:
    """The answer kept for a key; raises IdempotencyMismatch when it was for something else."""
    if len(key) > _LONGEST:
        raise InvalidRequest(f"The Idempotency-Key header can have up to {_LONGEST} characters.")
    query = "SELECT fingerprint, status, body, request FROM answers WHERE key = ?"
    rows = store.query("answers", query, (key,))
    if not rows:
        return None
    if rows[0][0] != print_:
        raise IdempotencyMismatch(key)
    return Kept(rows[0][1], rows[0][2], rows[0][3])


def keep(store: Store, key: str, print_: str, answer: Kept, now: int) -> None:
    """Keep an answer, in the transaction of what the request did."""
    values = (key, print_, answer.status, answer.body, answer.request_id, now)
    store.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", values)


def forget(store: Store, now: int) -> None:
    """Drop what is too old."""
    store.execute("DELETE FROM answers WHERE at < ?", (now - KEPT_FOR,))
