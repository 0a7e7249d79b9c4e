"""Does the desk say of this customer what Stripe says? All that is theirs is read, compared, and written.

A person asks for it by a click, and may when they may see the customer: nothing is written in Stripe. It runs
beside the page; who asks while it runs gets the same answer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from services import database
from services.errors import TrialdeskError, Unforeseen
from services.mirror import complete, facts, repair, shapes
from services.mirror.batch import Batch
from services.mirror.drift import Found
from services.mirror.shapes import UnreadableObject
from services.mirror.shapes.reading import Object
from services.staff.roles import Permission, Person
from services.stripe_api import client, errands
from services.stripe_api.client import Answer, Page
from services.stripe_api.failures import RightMissing

_LISTED = ("subscription", "invoice", "invoiceitem", "payment_intent", "charge", "credit_note")
_OF_CHARGES = {
    "refund": "amount_refunded",
    "dispute": "disputed",
}  # which field says that there are any
_INSIDE = {"invoice": ("invoice_payment",)}
_AT_ONCE = 4  # customers
_LONGEST = 30.0  # seconds
_log = logging.getLogger(__name__)
_running: dict[str, Future[Synced]] = {}
_guard = threading.Lock()


@dataclass(frozen=True, slots=True)
class Synced:
    """What was different and is not any more, and what could not be read or stored, each with its reason."""

    changes: tuple[Found, ...]
    left_out: tuple[str, ...]


@dataclass(slots=True)
class _Reading:
    """One customer's objects as far as they are read; `charges` are those with refunds or disputes."""

    customer: str
    since: int = 0
    found: list[Found] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    charges: list[Object] = field(default_factory=list)


def begin(person: Person, customer: str) -> Future[Synced]:
    """Begins to read a customer, or joins whoever has begun; the result raises what reading raises."""
    person.require(Permission.SEE_CUSTOMERS)
    with _guard:
        under_way = _running.get(customer)
        if under_way is None:
            under_way = _running[customer] = _pool().submit(_sync, customer)
    return under_way


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sync")


def _sync(customer: str) -> Synced:
    try:
        return read(customer)
    except TrialdeskError:
        raise
    except Exception as error:
        if away := database.absence(error):
            raise away from error
        unforeseen = Unforeseen("The customer could not be read: something went wrong in the desk", error)
        _log.exception("Reading %s failed (reference %s).", customer, unforeseen.reference)
        raise unforeseen from error
    finally:
        with _guard:
            _running.pop(customer, None)


def read(customer: str) -> Synced:
    """Reads a customer and all that is theirs into the tables. Raises the errors of services/stripe_api, and
    OutOfTime after half a minute; what was read by then is in the tables.
    """
    with errands.on(errands.SYNC, within=_LONGEST):
        return _read(customer)


def _read(customer: str) -> Synced:
    answer = complete.read("customer", customer)
    reading = _Reading(customer, answer.as_of)
    _take(reading, [answer.object], answer.as_of, ("customer",))
    if not answer.object.get("deleted"):
        _read_lists(reading)
    _read_untouched(reading)
    with database.transaction() as session:
        facts.derive(session, [customer])
    return Synced(tuple(reading.found), tuple(reading.left_out))


def _read_lists(reading: _Reading) -> None:
    for name in _LISTED:
        kind = shapes.KINDS[name]
        opened = {"expand": ["data.payments"]} if name == "invoice" else {}
        asked = {**kind.list_params(), **opened, "customer": reading.customer}
        if _list(reading, name, kind.path, asked):
            reading.listed.append(name)
    _list(reading, "payment_method", f"/v1/customers/{reading.customer}/payment_methods", {})
    for name, told_by in _OF_CHARGES.items():
        for charge in reading.charges:
            if charge.get(told_by):
                _list(reading, name, shapes.KINDS[name].path, {"charge": charge["id"]})


def _list(reading: _Reading, name: str, path: str, asked: dict[str, Any]) -> bool:
    """Takes in a list to its end; False where the key may not read it."""
    try:
        for page in client.account().pages(path, asked):
            _take_page(reading, name, page)
    except RightMissing as refused:
        reading.left_out.append(str(refused))
        return False
    return True


def _take_page(reading: _Reading, name: str, page: Page) -> None:
    if name == "charge":
        reading.charges += [one for one in page.objects if any(map(one.get, _OF_CHARGES.values()))]
    sources = [complete.whole(source) for source in page.objects]
    _take(reading, sources, page.as_of, (name, *_INSIDE.get(name, ())))


def _take(reading: _Reading, sources: Iterable[Object], as_of: int, kinds: Collection[str]) -> None:
    batch = Batch()
    for source in sources:
        try:
            batch.add(source, as_of)
        except UnreadableObject as error:
            reading.left_out.append(str(error))
    _write(reading, batch, kinds)


def _write(reading: _Reading, batch: Batch, kinds: Collection[str]) -> None:
    for kind in kinds:
        reading.found += repair.buried(batch, kind)
    done = repair.write(batch, kinds)
    reading.found += done.found
    reading.left_out += done.left_out
    if done.aside:
        reading.left_out.append(f"The database cannot store {done.aside:,} of these rows; they lie aside.")


def _read_untouched(reading: _Reading) -> None:
    """What no list held is read by id: what was deleted, or belongs to a test clock."""
    for name in reading.listed:
        with database.session() as session:
            ids = repair.untouched(session, name, reading.since, reading.customer)
        for id in ids:
            if answer := _one(reading, name, id):
                _take(reading, [answer.object], answer.as_of, (name,))


def _one(reading: _Reading, name: str, id: str) -> Answer | None:
    found = complete.read_or_why(name, id)
    if isinstance(found, TrialdeskError):
        reading.left_out.append(str(found))
        return None
    return found
