"""How does what a command is about stand at Stripe, this moment?

The objects are read from Stripe, the mirror's writer stores them, and the subject is read from the tables.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

from services import clock, database
from services.desk import terms, words
from services.desk.command import gone
from services.desk.loading import load
from services.desk.subject import LIVING, PAYMENTS, Subject
from services.errors import Unavailable
from services.mirror import answers, complete, shapes
from services.mirror.shapes.billing import subscription_of
from services.mirror.shapes.reading import Object, dig, ident, listed
from services.stripe_api import client
from services.stripe_api.client import Answer
from services.stripe_api.failures import RightMissing

_LOOKS, _PAUSE = 5, 0.5  # seconds


class Outrun(Unavailable):
    """The tables claim to know an object as of later (s) than Stripe answers: they may be wrong about now."""

    def __init__(self, kind: str, id: str, as_of: int) -> None:
        super().__init__(
            f"The desk holds a later state of the {kind} {id} than the one that Stripe answers with.",
            remedy=f"Wait until {words.moment(as_of + 60)}, then try again.",
        )


def subject(customer: str, object_id: str | None = None, *, debts: bool = False) -> Subject:
    """The subject (see `loading.load`), after reading its objects, with `debts` also what the tables know as
    overdue. Raises what `stripe_api` raises."""
    _pull("customer", customer)
    if debts:
        with database.session() as session:
            known = load(session, customer).debts
        for debt in known:
            _pull_invoice(debt.object_id)
    if object_id and object_id.startswith("in_"):
        _pull_invoice(object_id)
    elif object_id and object_id.startswith((*PAYMENTS, "ii_")):
        _pull("charge" if object_id.startswith(PAYMENTS) else "invoiceitem", object_id)
    elif object_id and object_id != customer:
        return _fresh_subscription(customer, object_id)
    else:
        _pull_others(customer)
    with database.session() as session:
        return load(session, customer, object_id)


def _fresh_subscription(customer: str, id: str) -> Subject:
    shown = _pull("subscription", id)
    if shown.get("status") == "paused" and (latest := ident(shown.get("latest_invoice"))):
        _pull("invoice", latest)  # one that waits for its payment is not to be made a second time
    if shown.get("cancel_at") and not shown.get("cancel_at_period_end"):
        _pull_all("invoiceitem", {"customer": customer, "pending": True})  # an end in mid-period credits some
    with database.session() as session:
        now = load(session, customer, id)
    if now.subscription is None or now.subscription.status in LIVING or gone(now):
        return now
    _pull_living(customer)  # what has ended may be started anew, unless it was already
    for coupon in terms.coupons(shown):
        _pull("coupon", coupon)
    with database.session() as session:
        now = load(session, customer, id)
        return replace(now, terms=terms.of(session, shown, clock.now()))


def _pull_invoice(id: str) -> None:
    """An invoice, the subscription whose card it would take, and how its latest payment went."""
    shown = _pull("invoice", id)
    if subscription := subscription_of(shown):
        _pull("subscription", subscription)
    payments = sorted(listed(shown.get("payments")), key=lambda payment: int(payment["created"]))
    intents = [intent for each in payments if (intent := ident(dig(each, "payment", "payment_intent")))]
    if not intents:
        return
    path, opened = shapes.KINDS["payment_intent"].path_of(intents[-1]), {"expand": ["latest_charge"]}
    with suppress(RightMissing):  # a key that may not read payments may still ask for one
        answers.apply(client.account().read(path, opened))


def _pull_others(customer: str) -> None:
    """What a customer as a whole already has; Stripe refuses that list of one that is gone."""
    with database.session() as session:
        deleted = gone(load(session, customer))
    if not deleted:
        _pull_living(customer)


def _pull_living(customer: str) -> None:
    _pull_all("subscription", {"customer": customer, "status": None})  # without a status: the living ones


def _pull_all(name: str, wanted: dict[str, Any]) -> None:
    kind = shapes.KINDS[name]
    for page in client.account().pages(kind.path, {**kind.list_params(), **wanted}):
        for found in page.objects:
            answers.apply(Answer(found, page.as_of, ""))


def _pull(kind: str, id: str) -> Object:
    """Reads an object into the tables; again where they keep what an event of the same second told: an answer
    is older by as long as it took. Raises Outrun where they go on to claim that they are newer, and not for
    what came in meanwhile."""
    claimed = _claimed(kind, id)
    for look in range(_LOOKS):
        time.sleep(_PAUSE if look else 0)
        before, answer = claimed, complete.read(kind, id)
        answers.apply(answer)
        claimed = _claimed(kind, id)
        if claimed <= answer.as_of:
            return answer.object
    if before > answer.as_of:
        raise Outrun(kind, id, claimed)
    return answer.object


def _claimed(kind: str, id: str) -> int:
    """As of when (s) the tables know an object; 0 where they do not, or know that it is gone for good."""
    with database.session() as session:
        row = session.get(shapes.KINDS[kind].model, id)
    return row.as_of if row is not None and not row.deleted else 0
