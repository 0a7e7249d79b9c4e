"""What tests of requests to cancel share: somebody asks, somebody decides, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable

from models import CancellationRequest, Subscription
from services import database
from services.desk import asked, hearing
from services.desk.asked import Seen
from services.desk.hearing import Wish
from services.staff.roles import Person
from tests.desk.bench import ANA, BEN


def ask(subscription: str, person: Person | None = ANA, id: str = "", **wish: str) -> CancellationRequest:
    """What this person has heard; None: the customer says so themselves."""
    id = id or hearing.new_id()
    with database.transaction() as session:
        if person:
            return hearing.record(session, person, id, Wish(subscription, **wish))
        customer = session.get_one(Subscription, subscription).customer
        return hearing.receive(session, customer, id, Wish(subscription, **wish))


def held(id: str) -> CancellationRequest:
    """A request as it stands."""
    with database.session() as session:
        return session.get_one(CancellationRequest, id)


def decide(act: Callable[..., None], id: str, *said: str, by: Person = BEN, seen: Seen | None = None) -> None:
    """An answer to a request, by who sees it as it stands or as it was `seen`."""
    with database.transaction() as session:
        act(session, by, id, *said, seen=seen or asked.as_seen(session.get_one(CancellationRequest, id)))
