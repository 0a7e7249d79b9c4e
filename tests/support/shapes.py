"""Does a JSON object have the shape that the SDK's own type annotations declare?

`problems(value)` walks an object as it goes over the wire and names everything that the SDK's class does not
allow: missing fields, unknown fields, wrong types, values outside an enumeration.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, ClassVar, ForwardRef, Literal, Union, get_args, get_origin

from stripe import ListObject, StripeObject
from stripe._object_classes import OBJECT_CLASSES, get_object_class
from stripe._stripe_object import UntypedStripeObject


def problems(value: Any) -> list[str]:
    """What is wrong with an object of Stripe's, with the path to each field; empty when it is whole.

    The value is parsed JSON and carries its kind in `object`.
    """
    if not isinstance(value, dict) or value.get("object") not in OBJECT_CLASSES:
        return [f"not an object of Stripe's: {str(value)[:80]}"]
    kind = value["object"]
    return list(_of_class(get_object_class("V1", kind), value, kind))


def field_names(kind: str) -> frozenset[str]:
    """The names of the fields that the SDK's class of that kind declares."""
    return frozenset(_fields(get_object_class("V1", kind)))


def _of_class(cls: type[StripeObject], value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {type(value).__name__} where {cls.__name__} is declared"
        return
    fields = _fields(cls)
    if value.get("deleted") is True and "deleted" in fields:
        if value.keys() != {"id", "object", "deleted"}:
            yield f"{path}: a deleted stub has only id, object and deleted"
        return
    for name in sorted(value.keys() - fields.keys()):
        yield f"{path}.{name}: unknown field"
    for name, annotation in fields.items():
        if name in value:
            yield from _of_type(cls, annotation, value[name], f"{path}.{name}")
        elif not _is_optional(annotation):
            yield f"{path}.{name}: missing field"
    if cls.__name__ == "Event":
        yield from _of_event(value, path)


def _of_event(event: dict[str, Any], path: str) -> Iterator[str]:
    """The object inside an event, and that `previous_attributes` names fields which it has."""
    data = event.get("data") or {}
    inner = data.get("object") or {}
    yield from (f"{path}.data.object: {problem}" for problem in problems(inner))
    if inner.get("object") in OBJECT_CLASSES:
        for name in sorted((data.get("previous_attributes") or {}).keys() - field_names(inner["object"])):
            yield f"{path}.data.previous_attributes.{name}: unknown field"


def _of_type(owner: type, annotation: Any, value: Any, path: str) -> Iterator[str]:
    """Problems of a value under an annotation found in class `owner` (whose module resolves its names)."""
    annotation = _resolved(owner, annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        yield from _of_union(owner, arguments, value, path)
    elif origin is Literal:
        if value not in arguments:
            yield f"{path}: {value!r} is not among {', '.join(map(repr, arguments[:9]))}"
    elif origin is list:
        yield from _of_items(owner, arguments[0], value, path)
    elif origin is ListObject:
        yield from _of_listing(owner, arguments[0], value, path)
    elif origin is UntypedStripeObject or annotation is UntypedStripeObject:
        yield from _of_mapping(owner, arguments, value, path)
    elif inspect.isclass(annotation) and issubclass(annotation, StripeObject):
        yield from _of_class(annotation, value, path)
    elif not _is_plain(annotation, value):
        yield f"{path}: {value!r} is not {getattr(annotation, '__name__', annotation)}"


def _of_union(owner: type, members: tuple[Any, ...], value: Any, path: str) -> Iterator[str]:
    """The member that fits best speaks: an object by its `object` name, an enumeration before plain text."""
    if value is None:
        if NoneType not in members:
            yield f"{path}: null where a value is declared"
        return
    resolved = [_resolved(owner, member) for member in members if member is not NoneType]
    literals = [member for member in resolved if get_origin(member) is Literal]
    if isinstance(value, dict):
        candidates = [member for member in resolved if _may_hold(member, value)]
    elif isinstance(value, str) and literals:
        candidates = literals
    else:
        candidates = [member for member in resolved if not _is_object_class(member)]
    found = [list(_of_type(owner, member, value, path)) for member in candidates]
    if not found:
        yield f"{path}: {str(value)[:60]!r} fits none of the declared types"
    elif all(found):
        yield from min(found, key=len)


def _of_items(owner: type, annotation: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: {type(value).__name__} where a list is declared"
        return
    for index, item in enumerate(value):
        yield from _of_type(owner, annotation, item, f"{path}[{index}]")


def _of_listing(owner: type, annotation: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict) or value.get("object") != "list":
        yield f"{path}: not a list object"
        return
    if value.keys() != {"object", "data", "has_more", "url"}:
        yield f"{path}: a list has object, data, has_more and url, not {', '.join(sorted(value))}"
    elif not isinstance(value["has_more"], bool):
        yield f"{path}.has_more: not a bool"
    yield from _of_items(owner, annotation, value.get("data"), f"{path}.data")


def _of_mapping(owner: type, arguments: tuple[Any, ...], value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {type(value).__name__} where a hash is declared"
    elif arguments and arguments[0] is not Any:
        for key, item in value.items():
            yield from _of_type(owner, arguments[0], item, f"{path}.{key}")


def _is_plain(annotation: Any, value: Any) -> bool:
    if annotation is Any or annotation is object:
        return True
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is Decimal:
        return isinstance(value, str) and _is_decimal(value)
    return isinstance(value, annotation)


def _is_decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _is_optional(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType) and NoneType in get_args(annotation)


def _is_object_class(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, StripeObject)


def _may_hold(annotation: Any, value: dict[str, Any]) -> bool:
    """Can this member of a union hold the hash? Classes of objects only their own kind."""
    if not _is_object_class(annotation):
        return get_origin(annotation) in (ListObject, UntypedStripeObject) or annotation is Any
    name = getattr(annotation, "OBJECT_NAME", None)
    return name is None or name == value.get("object")


@cache
def _fields(cls: type) -> dict[str, Any]:
    return {
        name: annotation
        for name, annotation in cls.__annotations__.items()
        if not name.startswith("_") and get_origin(annotation) is not ClassVar
    }


def _resolved(owner: type, annotation: Any) -> Any:
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if not isinstance(annotation, str):
        return annotation
    module = sys.modules[owner.__module__]
    if hasattr(module, annotation):
        return getattr(module, annotation)
    source, name = _deferred_imports(owner.__module__)[annotation]
    return getattr(import_module(source), name)


@cache
def _deferred_imports(module: str) -> dict[str, tuple[str, str]]:
    """What a module of the SDK imports for type checkers only: its name there -> (module, name)."""
    found = {}
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = (node.module, alias.name)
    return found
