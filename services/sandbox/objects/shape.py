"""What fields does a kind of object have, which must be given, and which may be left out?"""

import marshal
from typing import Any, NamedTuple

Fields = dict[str, Any]


class Shape(NamedTuple):
    """`template` is the marshalled default object: loading it is the fastest deep copy that Python has."""

    template: bytes
    required: frozenset[str]
    known: frozenset[str]


def shape(required: str, defaults: Fields, *, nulls: str = "", optional: str = "") -> Shape:
    """A shape from names separated by blanks: `required` by the caller, `nulls` null unless given,
    `optional` absent unless given; `defaults` holds the rest with their values.
    """
    given, absent = frozenset(required.split()), frozenset(optional.split())
    template: Fields = {**dict.fromkeys(sorted(given)), **defaults, **dict.fromkeys(nulls.split())}
    return Shape(marshal.dumps(template), given, absent.union(template))
