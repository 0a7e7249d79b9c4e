"""What did a request ask for? Stripe's form encoding, such as `items[0][price]=price_1&expand[]=x`."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from services.sandbox.errors import InvalidRequest

_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART = re.compile(r"\[([^\[\]]*)\]")


def decode(text: str) -> dict[str, Any]:
    """The parameters as nested dicts of strings; lists are dicts whose keys are their places.
    Raises InvalidRequest for a name that makes no sense.
    """
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        match = _NAME.match(name)
        if match is None:
            raise InvalidRequest(f"Invalid parameter name: {name}", name)
        _put(root, [match[1], *_PART.findall(match[2])], value, name)
    return root


def _put(node: dict[str, Any], path: list[str], value: str, name: str) -> None:
    for part in path[:-1]:
        node = node.setdefault(part or _next(node), {})
        if not isinstance(node, dict):
            raise InvalidRequest(f"Invalid hash: {name}", name)
    last = path[-1] or _next(node)
    node[last] = value


def _next(node: dict[str, Any]) -> str:
    return str(len(node))
