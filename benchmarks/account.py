"""An account of any size as ready-made JSON, for benchmarks of the pull.

A small sandbox account is read once. Every object of it becomes a template, cut at its ids and at its
`created`; an account of n objects is that account copied as often as it takes. Each copy has ids of its own
and lies elsewhere in the account's time, so that windows by `created` hold what they should.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
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
_MARK = "\x00"
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
    """All objects of one resource, newest first: `order` holds template x copies + copy, by `created`."""

    pieces: list[tuple[bytes, bytes]]
    ids: dict[str, int]
    copies: int
    created: Any  # of each template and copy, seconds
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
        head, tail = self.pieces[template]
        suffix = b"x%d" % copy if self.copies > 1 else b""
        created = b"%d" % self.created[one]
        return head.replace(b"\0", suffix) + created + tail.replace(b"\0", suffix)

    def window(self, low: int, high: int) -> tuple[int, int]:
        """The places of the objects with `low` <= created <= `high` (seconds)."""
        size = len(self.order)
        first = size - int(np.searchsorted(self.sorted_created, high, side="right"))
        last = size - int(np.searchsorted(self.sorted_created, low, side="left"))
        return first, max(first, last)

    def after(self, id: str) -> int:
        """The place behind an object. Raises KeyError where there is none of this id."""
        base, _, copy = id.partition("x") if self.copies > 1 else (id, "", "0")
        while base not in self.ids:  # an "x" of the id itself
            more, _, copy = copy.partition("x")
            if not copy:
                raise KeyError(id)
            base = f"{base}x{more}"
        return int(self.place[self.ids[base] * self.copies + int(copy)]) + 1


def shelve(objects: Sequence[Object], copies: int, span: tuple[int, int]) -> Shelf:
    """The shelf of these objects, copied over the account's time."""
    begin, end = span
    time_of = "date" if objects and objects[0]["object"] == "invoiceitem" else "created"
    base = np.array([one[time_of] for one in objects], dtype=np.int64).reshape(-1, 1)
    shift = (np.arange(copies) * _STRIDE % 1 * (end - begin)).astype(np.int64)
    created = (base - begin + shift) % (end - begin) + begin
    return Shelf(
        [_cut(one, time_of) for one in objects],
        {one["id"]: index for index, one in enumerate(objects)},
        copies,
        created.reshape(-1),
    )


def _cut(source: Object, time_of: str) -> tuple[bytes, bytes]:
    text = json.dumps({**source, time_of: _CREATED}, separators=(",", ":"), ensure_ascii=False)
    marked = _ID.sub(rf'"\1{_MARK}"', text)
    head, tail = marked.split(str(_CREATED))
    return head.encode(), tail.encode()


def build(templates: dict[str, Any], objects: int) -> dict[str, Shelf]:
    """Shelves with about so many objects in all."""
    lists: dict[str, list[Object]] = templates["lists"]
    grown = sum(len(found) for name, found in lists.items() if name not in CATALOG)
    copies = max(1, round(objects / grown))
    every = [one.get("created", one.get("date", 0)) for found in lists.values() for one in found]
    span = (min(every), max(every) + 1)
    return {name: shelve(found, 1 if name in CATALOG else copies, span) for name, found in lists.items()}


def span(shelves: dict[str, Shelf]) -> tuple[int, int]:
    """When the oldest and the newest object of all were made (s)."""
    made = [shelf.sorted_created for shelf in shelves.values() if len(shelf)]
    return int(min(one[0] for one in made)), int(max(one[-1] for one in made))
