"""How is a value found in Stripe's JSON, whichever API version wrote it?

Expandable fields are an id, an object or a deleted stub. Fields that moved are read from the new place
first, then from the old one. Unknown values of enumerations are kept as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

Object = dict[str, Any]
Row = dict[str, Any]
_END_OF_TIME = 2**40  # s, 34,000 years on


def ident(value: Any) -> str | None:
    """The id of an expandable field: of an id, an object or a deleted stub."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else None


def instant(told: Any) -> int:
    """An instant (s) that a column holds, whatever an object says; 0 where it says none."""
    return max(0, min(told, _END_OF_TIME)) if isinstance(told, int) else 0


def dig(value: Any, *path: str) -> Any:
    """`value[a][b]...`, None as soon as a step is missing or is not an object."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def either(*values: Any) -> Any:
    """The first value that is not None: the new place, then the old one."""
    return next((value for value in values if value is not None), None)


def listed(value: Any) -> list[Any]:
    """The members of a list object or of a plain list; [] where there is none."""
    if isinstance(value, dict):
        value = value.get("data")
    return value if isinstance(value, list) else []


def cut(value: Any) -> bool:
    """Whether a list object inside an object holds its first page only."""
    return isinstance(value, dict) and bool(value.get("has_more"))


def objects(value: Any) -> Iterator[Object]:
    """The objects in an expandable field or list of them; ids are passed over."""
    if isinstance(value, dict) and value.get("object") != "list":
        yield value
        return
    for member in listed(value):
        if isinstance(member, dict):
            yield member


def idents(value: Any) -> list[str]:
    """The ids of a list of expandable fields."""
    return [found for member in listed(value) if (found := ident(member))]


def discount_ids(source: Object) -> list[str]:
    """The discounts of an object: `discounts`, or the single `discount` of older versions."""
    if "discounts" in source:
        return idents(source["discounts"])
    single = ident(source.get("discount"))
    return [single] if single else []


def metadata(source: Object) -> dict[str, Any]:
    """The object's metadata, {} where it has none."""
    return dict(source.get("metadata") or {})


def decimal_text(value: Any) -> str | None:
    """A decimal of Stripe's (text, or a JSON number) as plain text without needless zeros."""
    if value is None:
        return None
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
