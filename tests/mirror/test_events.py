"""Why a payload is no event is said in words that people read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.mirror import events

WHOLE: dict[str, Any] = {
    "id": "evt_1", "created": 5, "type": "a.b", "data": {"object": {"id": "n_1", "object": "subscription"}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("{", "it cannot be read as JSON"),
        ("[1]", "it is no object with names and values"),
        (json.dumps({"id": "evt_1"}), "it has no “created”, “type”, “data”"),
        (json.dumps(WHOLE | {"data": {"object": None}}), "its “data” holds no “object” that it tells of"),
        (json.dumps(WHOLE | {"data": None}), "its “data” holds no “object” that it tells of"),
        (
            json.dumps(WHOLE | {"data": {"object": {"id": "n_1"}}}),
            "its object does not say of which kind it is (“object” is missing)",
        ),
        (
            json.dumps(WHOLE | {"data": {"object": {"object": "subscription", "items": {"data": [1]}}}}),
            "the subscription that it tells of has a shape that the desk does not know",
        ),
    ],
)
def test_what_an_event_lacks_is_said_in_words(written: str, why: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        events.row(json.loads(written))
    assert events.problem(written) == f"This is not an event as Stripe sends them: {why}."
