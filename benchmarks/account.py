"""An account of any size as ready-made JSON, for benchmarks of the pull.

A small sandbox account is read once. Every object of it becomes a template, cut at its ids and at its
`created`; an account of n objects is that account copied as often as it takes. Each copy has ids of its own
and lies elsewhere in the account's time, so that windows by `created` hold what they should. Like Stripe's,
ids begin with the second at which their object was made (in Stripe's own samples, `1PgafmB7...` is the second
1,721,948,530): what is made one after the other lies side by side in a database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import requests

from tests.support.sandbox import KEY, start_sandbox

RESOURCES = (
    "products", "prices", "coupons", "promotion_codes", "customers", "subscriptions", "invoices",
    "invoiceitems", "invoice_payments", "payment_intents", "charges", "refunds", "disputes", "credit_notes",
    "events",
)  # fmt: skip
CATALOG = frozenset(("products", "prices", "coupons", "promotion_codes"))  # does not grow with sales
_SHARED = "prod|price|coupon|promo|acct|req"
_ID = re.compile(rf'"((?!(?:{_SHARED})_)[a-z]{{2,8}}_(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{{8,}})"(?!:)')
_CUT, _END = "\x01", "\x00"  # around what each copy has of its own, and at the end of an id
_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FIRST_SECOND = 426_256_548  # the instant (s) from which ids count
_CODE = 6  # digits of an id that say when its object was made
_CREATED = 7_777_777_777_777  # stands where the instant goes
_STRIDE = 0.618033988749895  # of the span, from one copy to the next: spreads any number of copies evenly
Object = dict[str, Any]


def read_templates(folder: Path, customers: int = 200) -> dict[str, Any]:
    """The account and all its objects by resource, newest first, from a sandbox with a history."""
    with start_sandbox(folder, customers, seed=5) as sandbox:
        ask = requests.Session()
        ask.headers["Authorization"] = f"Bearer {KEY}"
        account = ask.get(f"{sandbox.url}/v1/account", timeout=60).json()
        return {"account": account, "lists": {name: _all(ask, sandbox.url, name) for name in RESOURCES}}


def _all(ask: requests.Session, url: str, resource: str) -> list[Object]:
    params: dict[str, Any] = {"limit": 100} | ({"status": "all"} if resource == "subscriptions" else {})
    objects: list[Object] = []
    while True:
        page = ask.get(f"{url}/v1/{resource}", params=params, timeout=60).json()
        objects += page["data"]
        if not page["has_more"]:
            return objects
        params["starting_after"] = objects[-1]["id"]


@dataclass(slots=True)
class Shelf:
    """All objects of one resource, newest first: `order` holds template x copies + copy, by `created`.

    `pieces`: each template cut at its ids and its `created`, text and what stands between in turn: the place
    of an id in `codes`, or `_CREATED`.
    """

    pieces: list[list[Any]]
    ids: dict[str, int]
    copies: int
    created: Any  # of each template and copy, seconds
    codes: Any  # of each id of the account and each copy: when its object was made, as ids tell it
    order: Any = field(init=False)
    place: Any = field(init=False)
    sorted_created: Any = field(init=False)  # ascending, to look windows up

    def __post_init__(self) -> None:
        self.order = np.argsort(-self.created, kind="stable")
        self.place = np.empty_like(self.order)
        self.place[self.order] = np.arange(len(self.order))
        self.sorted_created = np.sort(self.created)

    def __len__(self) -> int:
        return len(self.order)

    def page(self, begin: int, end: int) -> list[bytes]:
        """The objects at these places."""
        return [self._object(int(one)) for one in self.order[begin:end]]

    def _object(self, one: int) -> bytes:
        template, copy = divmod(one, self.copies)
        pieces, codes = self.pieces[template].copy(), self.codes
        for place in range(1, len(pieces), 2):
            which = pieces[place]
            pieces[place] = b"%d" % self.created[one] if which == _CREATED else codes[which, copy]
        return b"".join(pieces).replace(_END.encode(), b"x%d" % copy if self.copies > 1 else b"")

    def window(self, low: int, high: int) -> tuple[int, int]:
        """The places of the objects with `low` <= created <= `high` (seconds)."""
        size = len(self.order)
        first = size - int(np.searchsorted(self.sorted_created, high, side="right"))
        last = size - int(np.searchsorted(self.sorted_created, low, side="left"))
        return first, max(first, last)

    def after(self, id: str) -> int:
        """The place behind an object. Raises KeyError where there is none of this id."""
        if id in self.ids:  # of the catalog, which has no copies
            return int(self.place[self.ids[id] * self.copies]) + 1
        kind, _, rest = id.rpartition("_")
        id = f"{kind}_{rest[_CODE:]}"
        base, _, copy = id.partition("x") if self.copies > 1 else (id, "", "0")
        while base not in self.ids:  # an "x" of the id itself
            more, _, copy = copy.partition("x")
            if not copy:
                raise KeyError(id)
            base = f"{base}x{more}"
        return int(self.place[self.ids[base] * self.copies + int(copy)]) + 1


@dataclass(frozen=True, slots=True)
class _Account:
    """What all shelves share: where each id's codes are, and the account's time (s)."""

    places: dict[str, int]
    codes: Any
    copies: int
    begin: int
    length: int

    def moved(self, at: Any) -> Any:
        """Instants (s) of templates, of each copy: each lies elsewhere in the account's time."""
        shift = (np.arange(self.copies) * _STRIDE % 1 * self.length).astype(np.int64)
        return (at.reshape(-1, 1) - self.begin + shift) % self.length + self.begin


def build(templates: dict[str, Any], objects: int) -> dict[str, Shelf]:
    """Shelves with about so many objects in all."""
    lists: dict[str, list[Object]] = templates["lists"]
    grown = sum(len(found) for name, found in lists.items() if name not in CATALOG)
    whole = _account(lists, max(1, round(objects / grown)))
    catalog = _account(lists, 1)
    return {name: _shelf(found, catalog if name in CATALOG else whole) for name, found in lists.items()}


def _account(lists: dict[str, list[Object]], copies: int) -> _Account:
    made = _made({name: found for name, found in lists.items() if name not in CATALOG})
    every = [_time(one) for found in lists.values() for one in found]
    begin = min(every)
    known = _Account(
        {id: place for place, id in enumerate(made)}, None, copies, begin, max(every) + 1 - begin
    )
    return replace(known, codes=_codes(known.moved(np.array(list(made.values()), dtype=np.int64))))


def _made(lists: dict[str, list[Object]]) -> dict[str, int]:
    """When the object of each id was made (s); of what no list has, when it is first spoken of."""
    made = {one["id"]: _time(one) for found in lists.values() for one in found}
    for found in lists.values():
        for one in found:
            for id in _ID.findall(json.dumps(one, separators=(",", ":"), ensure_ascii=False)):
                made.setdefault(id, _time(one))
    return made


def _codes(at: Any) -> Any:
    """Instants as ids tell them."""
    digits = np.frombuffer(_DIGITS, dtype="S1")
    powers = 62 ** np.arange(_CODE - 1, -1, -1, dtype=np.int64)
    spelled = digits[(at[..., None] - _FIRST_SECOND) // powers % 62]
    return np.ascontiguousarray(spelled).view(f"S{_CODE}")[..., 0].astype(object)


def _shelf(objects: Sequence[Object], whole: _Account) -> Shelf:
    """The shelf of these objects, copied over the account's time."""
    created = whole.moved(np.array([_time(one) for one in objects], dtype=np.int64))
    return Shelf(
        [_cut(one, whole.places) for one in objects],
        {one["id"]: index for index, one in enumerate(objects)},
        whole.copies,
        created.reshape(-1),
        whole.codes,
    )


def _time(one: Object) -> int:
    return int(one[_field(one)])


def _field(one: Object) -> str:
    return "date" if one["object"] == "invoiceitem" else "created"


def _cut(source: Object, places: dict[str, int]) -> list[Any]:
    def marked(id: re.Match[str]) -> str:
        kind, _, rest = id[1].rpartition("_")
        return f'"{kind}_{_CUT}{places[id[1]]}{_CUT}{rest}{_END}"'

    text = json.dumps({**source, _field(source): _CREATED}, separators=(",", ":"), ensure_ascii=False)
    text = _ID.sub(marked, text).replace(str(_CREATED), f"{_CUT}{_CREATED}{_CUT}")
    pieces = text.split(_CUT)
    return [int(piece) if place % 2 else piece.encode() for place, piece in enumerate(pieces)]


def span(shelves: dict[str, Shelf]) -> tuple[int, int]:
    """When the oldest and the newest object of all were made (s)."""
    made = [shelf.sorted_created for shelf in shelves.values() if len(shelf)]
    return int(min(one[0] for one in made)), int(max(one[-1] for one in made))
