"""What do lists need to know of a customer? One row of facts each, derived from the tables.

The subscription that speaks for a customer is the one whose status asks for most attention, in this order,
the newest first among equals: past_due, unpaid, active, trialing, paused, incomplete, a status that we do
not know, canceled, incomplete_expired; a customer without any has the status `none`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from models import Customer, CustomerFacts, Subscription, Workspace
from models.subscriptions import ENDED
from services import changes, charging, config, database
from services.among import among
from services.database import chunks
from services.locks import Confirm, unguarded
from services.metrics.counting import waiting
from services.mirror import cursors, dealings, rates, underivable
from services.mirror.tables import THESE, held, table, take_turn
from services.text import folded, phone_key

PRECEDENCE = ("past_due", "unpaid", "active", "trialing", "paused", "incomplete", "", "canceled",
              "incomplete_expired")  # fmt: skip
_RANK = {status: rank for rank, status in enumerate(PRECEDENCE)}
_CHUNK = 200
_FOLLOWED = ("source_metadata_key", "mrr_deducts_repeating")
_MANY = 12  # with whom it goes wrong one after the other: then others are tried, to tell who is to blame
_CUSTOMER: Any = table(Customer).c
_SUBSCRIPTION: Any = table(Subscription).c
Facts = dict[str, Any]


def derive(session: Session, customers: Collection[str]) -> None:
    """Like `refresh`, and what their subscriptions come to before."""
    rates.refresh(session, customers)
    refresh(session, customers)
    underivable.forget(session, customers)


def refresh(session: Session, customers: Collection[str]) -> None:
    """Recomputes the facts of these customers in the caller's transaction, from what it has added so far."""
    session.flush()
    take_turn(session)
    changes.note(session)
    waiting.mark(session, customers)
    for some in chunks(customers, _CHUNK):
        _save(session.connection(), _facts(session.connection(), some))


def follow_settings(session: Session) -> None:
    """Has all rates and facts derived again where they were derived with other settings."""
    workspace, settings = session.get(Workspace, 1), config.settings()
    wanted = {name: getattr(settings, name) for name in _FOLLOWED}
    if workspace is not None and any(getattr(workspace, name) != value for name, value in wanted.items()):
        workspace.sqlmodel_update(wanted)
        cursors.derive_again(session)


def everyone() -> list[str]:
    """The ids of all customers, tombstones too."""
    with database.session() as session:
        return list(session.connection().execute(sa.select(_CUSTOMER.id)).scalars())


def derive_in_pieces(customers: Collection[str], confirm: Confirm = unguarded) -> None:
    """Like `derive`, each few hundred in a short transaction of its own; `confirm` is called before each
    commit. A customer with whom that goes wrong is kept to be tried again, and all others are derived.

    Raises what went wrong where it goes wrong with everybody: no customer is to blame for that.
    """
    failed: dict[str, Exception] = {}
    for some in chunks(customers, _CHUNK):
        _derive_apart(some, confirm, failed)
    _keep(failed, confirm)


def _derive_apart(customers: list[str], confirm: Confirm, failed: dict[str, Exception]) -> None:
    """Derives these together; where that goes wrong, each half by itself, down to whoever is to blame.

    `failed` are those with whom it went wrong one after the other: they are kept once somebody is derived.
    """
    fault = _attempt(customers, confirm)
    if fault is not None and (half := len(customers) // 2):
        _derive_apart(customers[:half], confirm, failed)
        _derive_apart(customers[half:], confirm, failed)
        return
    if fault is not None:
        failed[customers[0]] = fault
        if len(failed) < _MANY:
            return
        if not any(_attempt([other], confirm) is None for other in underivable.others(failed)):
            raise fault
    _keep(failed, confirm)


def _attempt(customers: list[str], confirm: Confirm) -> Exception | None:
    """Derives these together; returns what went wrong, and raises what is nobody's fault."""
    try:
        with database.transaction() as session:
            derive(session, customers)
            confirm()
    except underivable.NOBODYS_FAULT:
        raise
    except Exception as error:
        return error
    return None


def _keep(failed: dict[str, Exception], confirm: Confirm) -> None:
    if failed:
        with database.transaction() as session:
            for customer, fault in failed.items():
                underivable.keep(session, customer, fault)
            confirm()
        failed.clear()


def _facts(connection: sa.Connection, customers: list[str]) -> list[Facts]:
    people = connection.execute(_people(), {"ids": customers}).all()
    subscriptions = _subscriptions(connection, customers)
    main = {id: rows[0] for id, rows in subscriptions.items()}
    plans = dealings.plans(connection, {id: row.id for id, row in main.items()})
    cards = dealings.cards(
        connection, {row.id: _method(row, subscriptions.get(row.id, ())) for row in people}
    )
    concerns = [
        dealings.failures(connection, customers),
        dealings.disputes(connection, customers),
        dealings.contacts(connection, customers),
        dealings.owners(connection, customers),
    ]
    found = []
    for person in people:
        facts = _blank() | _person(person) | _standing(subscriptions.get(person.id, []), person.currency)
        for concern in (plans, cards, *concerns):
            facts |= concern.get(person.id, {})
        facts["country"] = person.country or facts.pop("card_country") or ""
        found.append(facts)
    return found


@cache
def _people() -> Any:
    return sa.select(table(Customer)).where(among(_CUSTOMER.id, THESE))


def _person(row: Any) -> Facts:
    name, email = (row.name or "").strip(), (row.email or "").strip()
    return {
        "customer": row.id,
        "created": row.created,
        "deleted": row.deleted,
        "name_key": folded(name),
        "search_key": folded(f"{name}\n{email}"),
        "email_key": email.lower(),
        "email_domain": email.lower().rpartition("@")[2] if "@" in email else "",
        "phone_key": phone_key(row.phone or ""),
        "source": str(row.metadata.get(config.settings().source_metadata_key) or ""),
    }


def _subscriptions(connection: sa.Connection, customers: list[str]) -> dict[str, list[Any]]:
    """The customers' subscriptions, the one that speaks for them first."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(_theirs(), {"ids": customers}):
        found[row.customer].append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (_RANK.get(row.status, _RANK[""]), -row.created, row.id))
    return found


@cache
def _theirs() -> Any:
    names = ("id", "customer", "status", "currency", "created", "mrr_micros", "plan_micros", "trial_start",
             "trial_end", "cancel_at", "cancel_at_period_end", "current_period_end",
             "default_payment_method", "default_source")  # fmt: skip
    return sa.select(*(_SUBSCRIPTION[name] for name in names)).where(
        among(_SUBSCRIPTION.customer, THESE), _SUBSCRIPTION.deleted.is_(False)
    )


def _standing(rows: list[Any], currency: str | None) -> Facts:
    """Status, money and trial. Amounts are those in the currency of the subscription that speaks."""
    if not rows:
        return {"currency": currency or ""}
    main = rows[0]
    mine = [row for row in rows if row.currency == main.currency]
    trials = [row for row in rows if row.status == "trialing"]
    trial = trials[0] if trials else main
    period_end = main.current_period_end if main.cancel_at_period_end else None
    return {
        "status": main.status,
        "subscription": main.id,
        "subscriptions": sum(row.status not in ENDED for row in rows),
        "currency": main.currency or currency or "",
        "mrr_micros": held(sum(row.mrr_micros for row in mine)),
        "plan_micros": held(sum(row.plan_micros for row in mine if row.status == "trialing")),
        "trial_start": trial.trial_start,
        "trial_end": trial.trial_end,
        "cancel_at": None if main.status in ENDED else main.cancel_at or period_end,
    }


def _method(person: Any, subscriptions: Collection[Any]) -> str | None:
    """The id of what the customer would be charged to."""
    chosen = charging.first(*(row for row in subscriptions if row.status not in ENDED), person)
    return chosen.id if chosen else None


def _blank() -> Facts:
    """The facts of a customer of whom nothing is known."""
    fields = CustomerFacts.model_fields
    known = {name: field.default for name, field in fields.items() if name != "customer"}
    return known | {"card_country": None}


def _save(connection: sa.Connection, facts: list[Facts]) -> None:
    if facts:
        connection.execute(_upsert(connection.dialect.name), facts)


@cache
def _upsert(dialect: str) -> Any:
    insert = database.insert(CustomerFacts, dialect)
    changed = {name: insert.excluded[name] for name in CustomerFacts.model_fields if name != "customer"}
    return insert.on_conflict_do_update(index_elements=["customer"], set_=changed)
