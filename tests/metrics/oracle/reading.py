"""What can be seen of an account: everything that it lists at one moment, and the events after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

Thing = dict[str, Any]
Get = Callable[[str, dict[str, Any]], Thing]
DAY = 86_400
_LISTS: dict[str, dict[str, Any]] = {
    "customers": {"expand[]": ["data.invoice_settings.default_payment_method"]},
    "subscriptions": {"status": "all", "expand[]": ["data.discounts", "data.items.data.discounts"]},
    "invoices": {},
    "invoiceitems": {},
    "invoice_payments": {},
    "payment_intents": {},
    "charges": {},
    "disputes": {},
    "credit_notes": {},
    "products": {},
    "prices": {"expand[]": ["data.tiers", "data.currency_options"]},
    "coupons": {"expand[]": ["data.applies_to"]},
    "events": {},
}
_OWNED = ("customers", "subscriptions", "invoices", "invoiceitems")


@dataclass
class Books:
    """Everything that an account answers about itself, by kind and id, as of one moment."""

    lists: dict[str, dict[str, Thing]]
    discounts: dict[str, Thing] = field(default_factory=dict)  # those that anything named, by id

    @classmethod
    def of(cls, **lists: list[Thing]) -> Books:
        """Books of these objects only."""
        return cls({kind: {one["id"]: one for one in lists.get(kind, ())} for kind in _LISTS})

    def __getattr__(self, name: str) -> list[Thing]:
        if name not in _LISTS:
            raise AttributeError(name)
        return list(self.lists[name].values())

    def apart(self) -> dict[str, Books]:
        """Each customer's own books, with what all share."""
        mine: dict[str, dict[str, dict[str, Thing]]] = {}
        for kind in _OWNED:
            for one in self.lists[kind].values():
                owner = one["id"] if kind == "customers" else one["customer"]
                mine.setdefault(owner, {}).setdefault(kind, {})[one["id"]] = one
        shared: dict[str, dict[str, Thing]] = {kind: {} for kind in _OWNED}
        return {id: Books({**self.lists, **shared, **lists}, self.discounts) for id, lists in mine.items()}

    def one(self, kind: str, id: str | None) -> Thing | None:
        """An object by its kind (the name of its list) and id."""
        return self.lists[kind].get(id or "")


@dataclass
class Seen:
    """What a desk that connected `at` can know: what was there then, what happened since, and what is now."""

    at: int
    first: Books
    events: dict[str, Thing] = field(default_factory=dict)
    now: int = 0
    last: Books = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.last, self.now = self.first, self.at
        self.events = {one["id"]: one for one in self.first.events}

    def hear(self, get: Get, now: int) -> None:
        """Takes in the events since the last time; a day more, as they may appear late."""
        fresh = _every(get, "events", {"created[gte]": self.now - DAY})
        for one in reversed(fresh):
            self.events.setdefault(one["id"], one)
        self.now = now

    def read_again(self, get: Get, now: int) -> None:
        """Reads everything again. What is gone from the lists stays as it was known first."""
        fresh, told = read(get), self._told()
        for kind, known in self.first.lists.items():
            fresh.lists[kind] = {**known, **told.get(kind, {}), **fresh.lists[kind]}
        self.last, self.now = fresh, now

    def _told(self) -> dict[str, dict[str, Thing]]:
        """Objects as the last event about each showed it."""
        found: dict[str, dict[str, Thing]] = {}
        for event in self.happened:
            thing = event["data"]["object"]
            if event["type"] == "invoice.upcoming":  # it is in no list, and never was
                continue
            if (kind := f"{thing['object']}s") in ("customers", "subscriptions", "invoices"):
                found.setdefault(kind, {})[thing["id"]] = thing
        return found

    @property
    def happened(self) -> list[Thing]:
        """The events after the connection, as they happened."""
        return [one for one in self.events.values() if one["created"] > self.at]


def read(get: Get) -> Books:
    """Lists the whole account."""
    return Books({kind: {one["id"]: one for one in _every(get, kind)} for kind in _LISTS})


def over_http(url: str, key: str) -> Get:
    """How to ask an account that is a program of its own."""
    http = requests.Session()
    http.headers["Authorization"] = f"Bearer {key}"
    return lambda path, params: dict(http.get(f"{url}{path}", params=params, timeout=30).json())


def _every(get: Get, kind: str, only: dict[str, Any] | None = None) -> list[Thing]:
    """All objects of a kind, newest first."""
    found: list[Thing] = []
    while True:
        after = {"starting_after": found[-1]["id"]} if found else {}
        page = get(f"/v1/{kind}", {"limit": 100, **_LISTS[kind], **(only or {}), **after})
        found += page["data"]
        if not page["has_more"]:
            return found


def subscription_of(invoice: Thing) -> str | None:
    """The subscription that an invoice (or an invoice item) belongs to."""
    parent = invoice["parent"]
    details = parent and parent["subscription_details"]
    return details["subscription"] if details else None


def recurs(price: Thing) -> bool:
    """Whether a price asks for a known amount again and again."""
    return bool(price["recurring"]) and price["recurring"]["usage_type"] != "metered"
