"""How are events or objects taken in again from a file, such as an export of what was missed?

Events go through the inbox as they are. An object says nothing of when it was true, so it only asks for a
fresh read of itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from services import clock, config, database
from services.errors import InvalidInput, TrialdeskError
from services.mirror import complete, identity, inbox, poll, shapes
from services.mirror.shapes.reading import Object
from services.stripe_api import payload

_AT_ONCE = 500  # lines in a transaction
_TOLD = 20  # lines that could not be used


class Unusable(InvalidInput):
    """A file or a line that holds neither events nor objects of this account."""

    def __init__(self, why: str) -> None:
        super().__init__(
            why, field="file", remedy="Give a file with one event or object as JSON in each line."
        )


def run(lines: Iterable[bytes]) -> dict[str, Any]:
    """Takes in every line and applies it. Memory holds a few hundred lines, whatever the file's size.

    Returns `{"complete", "lines", "new", "applied", "failed", "waiting", "refused": [{"line", "why"}]}`.
    Raises Unavailable, KeyRejected or RightMissing where objects must be read; what was taken in stays.
    """
    total, new, refused = 0, 0, list[dict[str, Any]]()
    drained, numbered = inbox.Drained(), enumerate(lines, 1)
    while some := list(islice(numbered, _AT_ONCE)):
        total += len(some)
        found = [event for number, line in some if (event := _event(number, line, refused))]
        with database.transaction() as session:
            new += inbox.put(session, found, "replay")
        drained += inbox.drain()
    settled = poll.settle()
    failed, unread = drained.failed + settled.failed, drained.unread + settled.unread
    return {
        "complete": not (refused or failed or unread or settled.deferred),
        "lines": total,
        "new": new,
        "applied": drained.applied + settled.applied,
        "failed": failed,
        "waiting": settled.deferred + unread,
        "refused": refused[:_TOLD],
    }


def _event(number: int, line: bytes, refused: list[dict[str, Any]]) -> Object | None:
    """The line as an event; None where it is blank or of no use, which is noted."""
    if not line.strip():
        return None
    try:
        return _understood(line)
    except TrialdeskError as error:
        refused.append({"line": number, "why": str(error)})
    return None


def _understood(line: bytes) -> Object:
    try:
        found = payload.parse(line)
    except ValueError as error:
        raise Unusable("It is not JSON.") from error
    if not isinstance(found, dict) or not isinstance(found.get("id"), str):
        raise Unusable("It is no object with an id.")
    identity.require_ours(found, config.settings().mode)
    if found.get("object") == "event":
        return found
    kind = shapes.kind_of(found)
    if kind is None or not complete.readable(kind):
        raise Unusable(f"Objects such as “{found.get('object')}” are not kept by themselves.")
    return inbox.read_request(f"read_{kind}_{found['id']}_{clock.now()}", kind, found["id"])
