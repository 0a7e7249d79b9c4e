"""Where does the account keep its objects?

One SQLite file, in front of it a cache of decoded objects. A body is a dict in Stripe's shape whose nested
values are replaced, never changed in place: a shallow copy is a snapshot. `notes` are what the account knows
about an object and does not show. All changes since the last `commit` are one transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Body = dict[str, Any]
Notes = dict[str, Any]
DueTime = Callable[[Body, Notes], int | None]

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, created INTEGER NOT NULL,
  customer TEXT, parent TEXT, label TEXT, due INTEGER, notes TEXT, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, created, seq);
CREATE INDEX IF NOT EXISTS objects_by_customer ON objects (customer, kind) WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_parent ON objects (parent, kind) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_label ON objects (kind, label, created) WHERE label IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_due ON objects (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
  key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL,
  request TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY, event TEXT NOT NULL, endpoint TEXT NOT NULL, attempts INTEGER NOT NULL,
  next_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS deliveries_by_time ON deliveries (next_at);
"""
_WRITE = (
    "INSERT INTO objects (seq, id, kind, created, customer, parent, label, due, notes, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seq) DO UPDATE SET kind = excluded.kind, "
    "created = excluded.created, customer = excluded.customer, parent = excluded.parent, "
    "label = excluded.label, due = excluded.due, notes = excluded.notes, body = excluded.body"
)
_PARENT = {
    "charge": "payment_intent",
    "credit_note": "invoice",
    "dispute": "charge",
    "discount": "subscription",
    "invoice_payment": "invoice",
    "invoiceitem": "invoice",
    "price": "product",
    "refund": "charge",
}
_LABEL = {
    "customer": "email",
    "event": "type",
    "invoice": "status",
    "invoice_payment": "status",
    "promotion_code": "code",
    "subscription": "status",
}
_EMBEDS = {"subscription": "items", "invoice": "lines"}
EMBEDDED = 10
_KEPT_IN_MEMORY = 12_000


class Entry:
    """One object in the cache."""

    __slots__ = ("body", "due", "notes", "seq")

    def __init__(self, seq: int, body: Body, notes: Notes, due: int | None) -> None:
        self.seq, self.body, self.notes, self.due = seq, body, notes, due


def subscription_of(body: Body) -> str | None:
    """The subscription that an invoice or an invoice item belongs to."""
    parent = body["parent"]
    details = parent and parent["subscription_details"]
    return details["subscription"] if details else None


def column_kind(body: Body) -> str:
    """The kind under which an object is listed; stubs of deleted objects are in no list."""
    return f"deleted {body['object']}" if body.get("deleted") else body["object"]


def is_long(body: Body) -> bool:
    """Whether the object embeds more than the first page of its items or lines."""
    embedded = body.get(_EMBEDS.get(body["object"], ""))
    return embedded is not None and len(embedded["data"]) > EMBEDDED


def cut(body: Body) -> Body:
    """The object as it is sent: only the first page of its items or lines."""
    if not is_long(body):
        return body
    name = _EMBEDS[body["object"]]
    return {**body, name: {**body[name], "data": body[name]["data"][:EMBEDDED], "has_more": True}}


def _row(entry: Entry) -> tuple[Any, ...]:
    body = entry.body
    kind = column_kind(body)
    parent = subscription_of(body) if kind == "invoice" else body.get(_PARENT.get(kind, ""))
    label = body.get(_LABEL.get(kind, ""))
    customer = body.get("customer")
    notes = {**entry.notes, "long": True} if is_long(body) else entry.notes
    created = body.get("created") or body.get("date") or 0
    where = (customer if isinstance(customer, str) else None, parent, label)
    return (
        entry.seq,
        body["id"],
        kind,
        created,
        *where,
        entry.due,
        encode(notes) if notes else None,
        encode(body),
    )


class Store:
    """The objects of one account, by id and by where they belong. One thread at a time."""

    def __init__(self, path: Path | str, due_time: DueTime) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        self._due_time = due_time
        self._cache: dict[str, Entry] = {}
        self._unwritten: dict[str, dict[str, Entry]] = {}
        self._touched: set[str] = set()
        self._seq = int(self._db.execute("SELECT coalesce(max(seq), 0) FROM objects").fetchone()[0])
        self.on_due: Callable[[int, int, str], None] = lambda _due, _seq, _id: None

    def close(self) -> None:
        """Let go of the file; what was not committed is gone."""
        self._db.close()

    # One object

    def add(self, body: Body, notes: Notes | None = None) -> Body:
        """A new object; it is the newest of its second."""
        self._seq += 1
        entry = Entry(self._seq, body, notes or {}, None)
        self._cache[body["id"]] = entry
        self._mark(entry)
        return body

    def find(self, object_id: str) -> Body | None:
        """The object, or None. Change it only through `touch`."""
        entry = self.entry(object_id)
        return entry.body if entry else None

    def entry(self, object_id: str) -> Entry | None:
        """The object with its notes and due time, or None."""
        entry = self._cache.get(object_id)
        if entry is None:
            query = "SELECT seq, body, notes, due FROM objects WHERE id = ?"
            row = self._db.execute(query, (object_id,)).fetchone()
            if row is None:
                return None
            entry = Entry(row[0], json.loads(row[1]), json.loads(row[2]) if row[2] else {}, row[3])
            self._cache[object_id] = entry
        return entry

    def notes(self, object_id: str) -> Notes:
        """What the account knows about an object and does not show; call `touch` after changing it."""
        entry = self.entry(object_id)
        return entry.notes if entry else {}

    def touch(self, object_id: str) -> None:
        """The object or its notes were changed."""
        entry = self.entry(object_id)
        if entry:
            self._mark(entry)

    def replace(self, body: Body) -> None:
        """Put another body in the place of the object with the same id, such as the stub of a deleted one."""
        entry = self.entry(body["id"])
        if entry:
            created = entry.body.get("created")
            entry.body = body
            self._mark(entry)
            self.notes(body["id"]).setdefault("created", created)

    def remove(self, object_id: str) -> None:
        """Forget the object."""
        self._begin()
        self._touched.add(object_id)
        self._cache.pop(object_id, None)
        for entries in self._unwritten.values():
            entries.pop(object_id, None)
        self._db.execute("DELETE FROM objects WHERE id = ?", (object_id,))

    def forget(self, kind: str, before: int) -> None:
        """Remove the objects of a kind that were created before a time (seconds UTC)."""
        self.flush()
        self._begin()
        query = "DELETE FROM objects WHERE kind = ? AND created < ? RETURNING id"
        for (object_id,) in self._db.execute(query, (kind, before)).fetchall():
            self._cache.pop(object_id, None)

    def plan(self, object_id: str, *, again: int) -> None:
        """The object's work that was due at `again` is done: it may be due once more at that very time."""
        entry = self.entry(object_id)
        if entry and entry.due == again:
            self.on_due(again, entry.seq, object_id)

    def _mark(self, entry: Entry) -> None:
        object_id = entry.body["id"]
        self._unwritten.setdefault(entry.body["object"], {})[object_id] = entry
        self._touched.add(object_id)
        due = self._due_time(entry.body, entry.notes)
        if due != entry.due:
            entry.due = due
            if due is not None:
                self.on_due(due, entry.seq, object_id)

    # Many objects

    def select(self, kind: str, where: str = "", args: Iterable[Any] = (), *, tail: str = "") -> list[str]:
        """The ids of the objects of a kind for which the SQL condition holds, oldest first unless `tail`
        gives an order of its own. Columns: seq, id, created, customer, parent, label, body.
        """
        condition = f"kind = ? AND {where}" if where else "kind = ?"
        query = f"SELECT id FROM objects WHERE {condition} {tail or 'ORDER BY seq'}"  # noqa: S608
        return [row[0] for row in self.query(kind, query, (kind, *args))]

    def all(self, kind: str, where: str = "", args: Iterable[Any] = ()) -> list[Body]:
        """The objects for which the condition holds, oldest first."""
        entries = (self.entry(object_id) for object_id in self.select(kind, where, args))
        return [entry.body for entry in entries if entry]

    def query(self, kind: str, sql: str, args: Iterable[Any]) -> list[tuple[Any, ...]]:
        """Rows of any query about one kind of object or another table; it sees what is not committed yet."""
        self.flush(kind)
        return self._db.execute(sql, tuple(args)).fetchall()

    def dues(self) -> Iterator[tuple[int, int, str]]:
        """Every due time with the object's place and id."""
        self.flush()
        yield from self._db.execute("SELECT due, seq, id FROM objects WHERE due IS NOT NULL")

    # Facts: small things by name

    def fact(self, name: str, default: Any = None) -> Any:
        """A small thing that was kept by name."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def keep(self, name: str, value: Any) -> None:
        """Keep a small thing by name."""
        self._begin()
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, encode(value)))

    def execute(self, sql: str, args: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """A statement on the tables beside the objects, in the same transaction."""
        self._begin()
        return self._db.execute(sql, tuple(args)).fetchall()

    # Transactions

    def flush(self, kind: str | None = None) -> None:
        """Write the changed objects, or those of one kind, inside the transaction."""
        for name in list(self._unwritten) if kind is None else (kind,):
            entries = self._unwritten.pop(name, None)
            if entries:
                self._begin()
                self._db.executemany(_WRITE, [_row(entry) for entry in entries.values()])

    def commit(self) -> None:
        """Everything since the last commit becomes lasting at once."""
        self.flush()
        if self._db.in_transaction:
            self._db.execute("COMMIT")
        self._touched.clear()
        if len(self._cache) > _KEPT_IN_MEMORY:
            self._cache.clear()

    def rollback(self) -> None:
        """Everything since the last commit has not happened."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._unwritten.clear()
        touched, self._touched = self._touched, set()
        for object_id in touched:
            self._cache.pop(object_id, None)
        for object_id in touched:
            entry = self.entry(object_id)
            if entry and entry.due is not None:
                self.on_due(entry.due, entry.seq, object_id)

    @property
    def sequence(self) -> int:
        """How many objects were ever added."""
        return self._seq

    def waiting(self) -> int:
        """How many objects are changed and not written."""
        return sum(len(entries) for entries in self._unwritten.values())

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
