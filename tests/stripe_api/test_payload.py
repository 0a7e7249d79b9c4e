"""JSON of Stripe's as values that every database can hold."""

from __future__ import annotations

import json

import pytest

from services.stripe_api import payload


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (r'{"a": "x\u0000y"}', {"a": "x\ufffdy"}),
        (r'{"a\u0000": ["\ud800", {"b": "\uDFFF!"}]}', {"a\ufffd": ["\ufffd", {"b": "\ufffd!"}]}),
        (r'{"a": "\ud83d\ude00", "b": "\\u0000"}', {"a": "\U0001f600", "b": "\\u0000"}),
        (r'{"a": "\\ud83d\udc00"}', {"a": "\\ud83d\ufffd"}),
        (r'{"a": "\ud83d\\\udc00"}', {"a": "\ufffd\\\ufffd"}),
        ('{"a": "\ud800"}', {"a": "\ufffd"}),
        (
            '{"a": "\ud55c\u0141", "n": 1.5, "t": true, "z": null}',
            {"a": "\ud55c\u0141", "n": 1.5, "t": True, "z": None},
        ),
    ],
)
def test_characters_that_no_database_holds_are_replaced_and_no_others(told: str, kept: object) -> None:
    assert payload.parse(told) == kept
    assert payload.parse(told.encode(errors="surrogatepass")) == kept


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        payload.parse("<html>")
    with pytest.raises(ValueError, match="Expecting"):
        payload.parse(r'{"a": "\ud800"}'.encode("utf-16-le"))
    assert json.loads(json.dumps(payload.storable({"a": (1, None)}))) == {"a": [1, None]}
