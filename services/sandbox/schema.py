"""Which parameters does an endpoint take, and of what type?

A schema is a dict of names and checkers; a checker takes the decoded value and the parameter's full name, and
gives back the typed value or raises an InvalidRequest in Stripe's words.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from services.sandbox.errors import InvalidRequest, MissingParameter, UnknownParameter

Checker = Callable[[Any, str], Any]
Schema = dict[str, Checker]


def check(schema: Schema, given: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The typed parameters; raises UnknownParameter, MissingParameter or InvalidRequest."""
    checked = {}
    for name, value in given.items():
        full = f"{prefix}[{name}]" if prefix else name
        checker = schema.get(name)
        if checker is None:
            raise UnknownParameter(full)
        checked[name] = checker(value, full)
    for name, checker in schema.items():
        if name not in given and getattr(checker, "needed", False):
            raise MissingParameter(f"{prefix}[{name}]" if prefix else name)
    return checked


def need(checker: Checker) -> Checker:
    """The parameter must be given, and not be empty."""

    def needed(value: Any, name: str) -> Any:
        if value == "":
            raise InvalidRequest(
                f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a "
                f"parameter; however '{name}' cannot be unset.",
                name,
                "parameter_invalid_empty",
            )
        return checker(value, name)

    needed.needed = True  # type: ignore[attr-defined]
    return needed


def text(value: Any, name: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise InvalidRequest("Invalid string: {...}", name)
    return value


def integer(value: Any, name: str) -> int:
    """A whole number."""
    try:
        return int(text(value, name))
    except ValueError:
        raise InvalidRequest(f"Invalid integer: {value}", name, "parameter_invalid_integer") from None


def natural(value: Any, name: str) -> int:
    """A whole number from 0 on."""
    number = integer(value, name)
    if number < 0:
        raise InvalidRequest(
            "This value must be greater than or equal to 0.", name, "parameter_invalid_integer"
        )
    return number


def number(value: Any, name: str) -> float:
    """A number with decimals."""
    try:
        return float(Decimal(text(value, name)))
    except InvalidOperation:
        raise InvalidRequest(f"Invalid decimal: {value}", name) from None


def decimal(value: Any, name: str) -> str:
    """An exact decimal, kept as its text."""
    try:
        return format(Decimal(text(value, name)), "f")
    except InvalidOperation:
        raise InvalidRequest(f"Invalid decimal: {value}", name) from None


def boolean(value: Any, name: str) -> bool:
    """true or false."""
    if value not in ("true", "false"):
        raise InvalidRequest(f"Invalid boolean: {value}", name)
    return bool(value == "true")


def one_of(*choices: str) -> Checker:
    """One of some words."""

    def checker(value: Any, name: str) -> str:
        if value not in choices:
            raise InvalidRequest(f"Invalid {name}: must be one of {', '.join(choices)}", name)
        return str(value)

    return checker


def either(words: tuple[str, ...], other: Checker) -> Checker:
    """One of some words, or else what the other checker takes."""

    def checker(value: Any, name: str) -> Any:
        return value if isinstance(value, str) and value in words else other(value, name)

    return checker


def unset_or(other: Checker) -> Checker:
    """'' to unset it, or else what the other checker takes."""
    return either(("",), other)


def hash_of(schema: Schema) -> Checker:
    """A hash with parameters of its own."""

    def checker(value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise InvalidRequest("Invalid object", name, "parameter_invalid_object")
        return check(schema, value, name)

    return checker


def hash_by_key(other: Checker) -> Checker:
    """A hash with keys of the caller's, such as currencies, and values of one kind."""

    def checker(value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise InvalidRequest("Invalid object", name, "parameter_invalid_object")
        return {key: other(entry, f"{name}[{key}]") for key, entry in value.items()}

    return checker


def list_of(other: Checker) -> Checker:
    """A list, from `name[]=` or `name[0]=`."""

    def checker(value: Any, name: str) -> list[Any]:
        if not isinstance(value, dict):
            raise InvalidRequest("Invalid array", name, "parameter_invalid_array")
        return [other(entry, f"{name}[{place}]") for place, entry in value.items()]

    return checker


def metadata(value: Any, name: str) -> Any:
    """A flat hash of strings, or '' to clear it."""
    if value == "":
        return value
    if not isinstance(value, dict) or not all(isinstance(entry, str) for entry in value.values()):
        raise InvalidRequest("Invalid hash: metadata is a hash of strings.", name)
    return value


def span(value: Any, name: str) -> Any:
    """A time, or a hash with gt, gte, lt and lte."""
    if isinstance(value, dict):
        return check({"gt": integer, "gte": integer, "lt": integer, "lte": integer}, value, name)
    return integer(value, name)


EXPAND = list_of(text)
ADDRESS = unset_or(
    hash_of(dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), text))
)
PERIOD = hash_of({"start": need(integer), "end": need(integer)})
