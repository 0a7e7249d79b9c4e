"""How are events or objects taken in again from a file, such as an export of what was missed?

Events go through the inbox as they are. An object says nothing of when it was true, so it only asks for a
fresh read of itself. A line may hold a list of them, and a file may be one JSON text over many lines, as
Stripe's own programs print a list.
"""

from __future__ import annotations

import codecs
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from services import clock, config, database
from services.errors import InvalidInput, TrialdeskError
from services.mirror import complete, identity, inbox, poll, shapes
from services.mirror.shapes.reading import Object, dig
from services.stripe_api import payload

EXPECTED = (
    "Give a file with one event or object as JSON in each line, or a list of them as Stripe answers it. "
    "`jq -c . FILE` makes such lines of other JSON."
)
_AT_ONCE = 500  # events in a transaction
_TOLD = 20  # lines that could not be used
_LARGEST = 20_000_000  # bytes of one JSON text over many lines: parsed it takes ten times that


class Unusable(InvalidInput):
    """A file or a line that holds neither events nor objects of this account."""

    def __init__(self, why: str) -> None:
        super().__init__(why, field="file", remedy=EXPECTED)


def run(lines: Iterable[bytes]) -> dict[str, Any]:
    """Takes in every line and applies it. Memory holds a few hundred lines, whatever the file's size.

    Returns `{"complete", "lines", "new", "applied", "failed", "waiting", "passed_over": {kind: events},
    "refused", "first_refused": [{"line", "why"}]}`, where `passed_over` are of kinds that no table holds.
    Raises Unusable where the file holds nothing; Unavailable, KeyRejected or RightMissing where objects must
    be read: what was taken in stays.
    """
    taken, drained = _Taken(), inbox.Drained()
    events = taken.events(lines)
    while some := list(islice(events, _AT_ONCE)):
        taken.put(some)
        drained += inbox.drain()
    if taken.is_empty:
        raise Unusable("There is nothing in the file.")
    settled = poll.settle()
    failed, unread = drained.failed + settled.failed, drained.unread + settled.unread
    return {
        "complete": not (taken.refused or failed or unread or settled.deferred),
        "lines": taken.lines,
        "new": taken.new + taken.new_passed_over,
        "applied": drained.applied + settled.applied - taken.new_passed_over,
        "failed": failed,
        "waiting": settled.deferred + unread,
        "passed_over": dict(taken.passed_over),
        "refused": taken.refused,
        "first_refused": taken.first_refused,
    }


@dataclass(slots=True)
class _Taken:
    """What the lines held, so far."""

    lines: int = 0
    new: int = 0
    new_passed_over: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    first_refused: list[dict[str, Any]] = field(default_factory=list)
    is_empty: bool = True

    def events(self, lines: Iterable[bytes]) -> Iterator[Object]:
        """The events of all lines; what is of no use is noted."""
        for number, text in enumerate(_texts(lines), 1):
            self.lines = number
            for read in _readings(text):
                self.is_empty = False
                if isinstance(read, TrialdeskError):
                    self._refuse(number, read)
                else:
                    yield read

    def put(self, events: Iterable[Object]) -> None:
        """Adds them to the inbox."""
        kept, passed_over = list[Object](), list[Object]()
        for event in events:
            kind = dig(event, "data", "object", "object")
            if isinstance(kind, str) and kind not in shapes.KINDS:
                self.passed_over[kind] += 1
                passed_over.append(event)
            else:
                kept.append(event)
        with database.transaction() as session:
            self.new += inbox.put(session, kept, "replay")
            self.new_passed_over += inbox.put(session, passed_over, "replay")

    def _refuse(self, number: int, why: TrialdeskError) -> None:
        self.refused += 1
        if self.refused <= _TOLD:
            self.first_refused.append({"line": number, "why": why.message})


def _texts(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, each a JSON text; all as one where the first that is not blank begins one that it does not
    end."""
    left = iter(lines)
    for first in left:
        if _is_beginning(first):
            yield _joined(first, left)
        else:
            yield first
            if first.strip():
                yield from left


def _is_beginning(line: bytes) -> bool:
    try:
        _parse(line)
    except json.JSONDecodeError as error:
        return 0 < len(error.doc) <= error.pos
    except ValueError:
        return False
    return False


def _joined(first: bytes, left: Iterator[bytes]) -> bytes:
    text = bytearray(first)
    for line in left:
        text += line
        if len(text) > _LARGEST:
            raise Unusable(f"One JSON text over many lines may have {_LARGEST // 1_000_000} MB at most.")
    return bytes(text)


def _readings(text: bytes) -> Iterator[Object | TrialdeskError]:
    """What a text holds as events, or why it does not; nothing of a blank one."""
    try:
        members = _members(text)
    except TrialdeskError as error:
        yield error
        return
    for found in members:
        try:
            read: Object | TrialdeskError = _understood(found)
        except TrialdeskError as error:
            read = error
        yield read


def _members(text: bytes) -> list[Any]:
    if not text.removeprefix(codecs.BOM_UTF8).strip():
        return []
    try:
        found = _parse(text)
    except json.JSONDecodeError as error:
        where = f" from line {error.lineno} on" if error.lineno > 1 else ""
        raise Unusable(f"It is not JSON{where}.") from error
    except ValueError as error:
        raise Unusable("It is not JSON.") from error
    if isinstance(found, dict) and found.get("object") == "list" and isinstance(found.get("data"), list):
        found = found["data"]
    return found if isinstance(found, list) else [found]


def _parse(text: bytes) -> Any:
    return payload.parse(text.removeprefix(codecs.BOM_UTF8).strip())


def _understood(found: Any) -> Object:
    if not isinstance(found, dict) or not isinstance(found.get("id"), str):
        raise Unusable("It is no object with an id.")
    identity.require_ours(found, config.settings().mode)
    if found.get("object") == "event":
        return found
    kind = shapes.kind_of(found)
    if kind is None or not complete.readable(kind):
        raise Unusable(f"Objects such as “{found.get('object')}” are not kept by themselves.")
    return inbox.read_request(f"read_{kind}_{found['id']}_{clock.now()}", kind, found["id"])
