"""How is metadata changed?"""

from __future__ import annotations

from typing import Any

from services.sandbox.errors import InvalidRequest


def merge(old: dict[str, str], given: Any) -> dict[str, str]:
    """The old metadata with the given keys set, those given as '' unset; '' itself clears all.
    Raises InvalidRequest beyond 50 keys, 40 characters of a key (no brackets) or 500 of a value.
    """
    if given is None:
        return dict(old)
    if given == "":
        return {}
    merged = {**old, **{name: str(value) for name, value in given.items()}}
    merged = {name: value for name, value in merged.items() if value != ""}
    if len(merged) > 50:
        raise InvalidRequest("Metadata can have up to 50 keys.", "metadata")
    for name, value in merged.items():
        if len(name) > 40 or "[" in name or "]" in name:
            raise InvalidRequest(f"Metadata key {name[:60]} is not valid.", "metadata")
        if len(value) > 500:
            raise InvalidRequest(
                "Metadata values can have up to 500 characters, but you passed in a value that is "
                f"{len(value)} characters.",
                f"metadata[{name}]",
            )
    return merged
