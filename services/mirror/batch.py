"""What do some objects say, table by table, before anything is written?

Takes objects apart into rows: the object itself, its children, other whole objects inside it, and hearsay
(a card as a charge shows it, a coupon as a discount shows it, a price without its tiers and currencies as a
subscription shows it), which only fills gaps. Of several sightings
of one id the newest counts; of two equally old ones the later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from typing import TypeVar

from models import Coupon, PaymentMethod
from services.mirror import shapes
from services.mirror.shapes import Table, catalog, customers
from services.mirror.shapes.reading import Object, Row, cut, dig, objects

HEARSAY = 0  # `as_of` of what another object told: anything said by the object itself is newer

Rows = dict[str, Row]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Family:
    """The children of one parent row, as one sighting showed them. `whole`: the list was not cut."""

    rows: list[Row]
    as_of: int
    whole: bool


@dataclass(slots=True)
class Batch:
    """Rows by table and id, families by parent, and tombstones."""

    rows: dict[Table, Rows] = field(default_factory=lambda: defaultdict(dict))
    families: dict[str, dict[str, Family]] = field(default_factory=lambda: defaultdict(dict))
    tombs: dict[Table, Rows] = field(default_factory=lambda: defaultdict(dict))

    def add(self, source: Object, as_of: int) -> None:
        """Takes one object apart. Kinds that we do not mirror are passed over. Raises UnreadableObject."""
        name = shapes.kind_of(source)
        if name is None:
            return
        kind = shapes.KINDS[name]
        if source.get("deleted") is True:
            self.bury(name, source["id"], as_of, source.get("created") or 0)
            return
        row = shapes.row_of(name, source)
        if self._put(kind.model, row, as_of) and kind.children is not None:
            self._add_family(name, kind.children, source, row, as_of)
        self._look_inside(source, kind.inside, as_of)
        self._hear(name, source)

    def absorb(self, other: Batch) -> None:
        """Takes in all that another one holds."""
        for model, rows in other.rows.items():
            _take_newer(self.rows[model], rows, itemgetter("as_of"))
        for name, families in other.families.items():
            _take_newer(self.families[name], families, attrgetter("as_of"))
        for model, tombs in other.tombs.items():
            self.tombs[model].update(tombs)

    def as_of(self) -> dict[str, int | None]:
        """When each object of which a row tells was as it tells (s, Stripe's clock), by id."""
        told = (*self.rows.values(), *self.tombs.values())
        return {id: row["as_of"] for rows in told for id, row in rows.items()}

    def pieces(self) -> Iterator[tuple[str, Row, Batch]]:
        """Each row by its kind and, with its children, as a batch of its own."""
        for name, kind in shapes.KINDS.items():
            for id, row in self.rows[kind.model].items():
                piece = Batch()
                piece.rows[kind.model][id] = row
                if family := self.families[name].get(id):
                    piece.families[name][id] = family
                yield name, row, piece
            for id, tomb in self.tombs[kind.model].items():
                piece = Batch()
                piece.tombs[kind.model][id] = tomb
                yield name, tomb, piece

    @property
    def size(self) -> int:
        """How many rows it holds, children too."""
        members = sum(len(one.rows) for families in self.families.values() for one in families.values())
        return members + sum(map(len, self.rows.values()))

    def bury(self, name: str, id: str, as_of: int, created: int = 0) -> None:
        """Notes that an object was deleted."""
        self.tombs[shapes.KINDS[name].model][id] = {"id": id, "as_of": as_of, "created": created or as_of}

    def drop(self, name: str, id: str) -> None:
        """Forgets an object, with its children."""
        self.rows[shapes.KINDS[name].model].pop(id, None)
        self.families[name].pop(id, None)

    def _put(self, model: Table, row: Row, as_of: int) -> bool:
        rows = self.rows[model]
        known = rows.get(row["id"])
        if known is not None and known["as_of"] > as_of:
            return False
        row["as_of"], row["deleted"] = as_of, False
        rows[row["id"]] = row
        return True

    def _add_family(
        self, name: str, children: shapes.Children, source: Object, parent: Row, as_of: int
    ) -> None:
        members = shapes.child_rows(name, source, parent)
        for member in members:
            member["as_of"], member["deleted"] = as_of, False
        self.families[name][parent["id"]] = Family(members, as_of, not cut(source[children.field]))
        for member in source[children.field]["data"]:
            self._look_inside(member, children.inside, as_of)

    def _look_inside(self, source: Object, fields: Iterable[str], as_of: int) -> None:
        for name in fields:
            value = dig(source, *name.split(".")) if "." in name else source.get(name)
            if isinstance(value, dict | list):
                for found in objects(value):
                    self.add(found, as_of if shapes.is_whole(found) else HEARSAY)

    def _hear(self, name: str, source: Object) -> None:
        if name == "charge":
            method = customers.method_of_charge(source)
            if method is not None:
                self._put(PaymentMethod, method, method["created"])
        elif name == "discount":
            coupon = catalog.coupon_of(source)
            if isinstance(coupon, dict) and "duration" in coupon:
                self._put(Coupon, shapes.row_of("coupon", coupon), HEARSAY)


def is_card_of_charge(model: Table, row: Row) -> bool:
    """Whether a charge told it: the card is then as old as the charge."""
    return model is PaymentMethod and row["as_of"] == row["created"]


def _take_newer(mine: dict[str, T], others: dict[str, T], as_of: Callable[[T], int]) -> None:
    for id, one in others.items():
        known = mine.get(id)
        if known is None or as_of(known) <= as_of(one):
            mine[id] = one
