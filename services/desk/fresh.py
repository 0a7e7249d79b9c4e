"""How does what a command is about stand at Stripe, this moment?

The objects are read from Stripe, the mirror's writer stores them, and the subject is read from the tables.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from typing import Any

from services import clock, database
from services.desk import terms, words
from services.desk.command import gone
from services.desk.loading import load
from services.desk.subject import LIVING, PAYMENTS, Subject
from services.errors import Unavailable
from services.mirror import answers, complete, resolve, shapes
from services.mirror.shapes.billing import subscription_of
from services.mirror.shapes.reading import Object, dig, ident, listed
from services.stripe_api import client
from services.stripe_api.client import Answer
from services.stripe_api.failures import RightMissing

_LOOKS, _PAUSE = 5, 0.5  # seconds
_CUSTOMER = ("customer.invoice_settings.default_payment_method",)  # in what names one, opened with it


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
    if debts:
        _pull_debts(customer)
    if object_id and object_id.startswith("in_"):
        _pull_invoice(object_id, customer)
    elif object_id and object_id.startswith(PAYMENTS):
        _pull("charge", object_id, customer)
    elif object_id and object_id.startswith("ii_"):
        _pull("customer", customer)
        _pull("invoiceitem", object_id)
    elif object_id and object_id != customer:
        return _fresh_subscription(customer, object_id)
    else:
        _pull("customer", customer)
        _pull_others(customer)
    with database.session() as session:
        return load(session, customer, object_id)


def _fresh_subscription(customer: str, id: str) -> Subject:
    shown = _pull("subscription", id, customer)
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


def _pull_debts(customer: str) -> None:
    with database.session() as session:
        known = load(session, customer).debts
    for debt in known:
        _pull_invoice(debt.object_id)


def _pull_invoice(id: str, customer: str = "") -> None:
    """An invoice, the subscription whose card it would take, and how its latest payment went."""
    shown = _pull("invoice", id, customer)
    if subscription := subscription_of(shown):
        _pull("subscription", subscription)
    payments = sorted(listed(shown.get("payments")), key=lambda payment: int(payment["created"]))
    intents = [intent for each in payments if (intent := ident(dig(each, "payment", "payment_intent")))]
    if not intents:
        return
    path, opened = shapes.KINDS["payment_intent"].path_of(intents[-1]), {"expand": ["latest_charge"]}
    with suppress(RightMissing):  # a key that may not read payments may still ask for one
        answers.apply_read(client.account().read(path, opened))


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
            answers.apply_read(Answer(found, page.as_of, ""))


def _pull(kind: str, id: str, customer: str = "") -> Object:
    """Reads an object into the tables, and the customer with it who is named; again where they keep what an
    event of the same second told: an answer is older by as long as it took. Raises Outrun where they go on to
    claim that they are newer, and not for what came in meanwhile."""
    keys: list[resolve.Key] = [(kind, id), *([("customer", customer)] if customer else ())]
    claimed = _claimed(keys)
    for look in range(_LOOKS):
        time.sleep(_PAUSE if look else 0)
        before, answer = claimed, complete.read(kind, id, opened=_CUSTOMER if customer else ())
        answers.apply_read(answer)
        claimed = _claimed(keys)
        if max(claimed.values()) <= answer.as_of:
            break
    for key in keys:
        if min(before[key], claimed[key]) > answer.as_of:
            raise Outrun(*key, claimed[key])
    if customer and not isinstance(answer.object.get("customer"), dict):  # a stub does not show its customer
        _pull("customer", customer)
    return answer.object


def _claimed(keys: Collection[resolve.Key]) -> dict[resolve.Key, int]:
    """As of when (s) the tables know objects; 0 where they do not, or know that one is gone for good."""
    with database.session() as session:
        known = resolve.as_of(session, keys)
    return {key: known[key] if known.get(key, resolve.FOR_EVER) != resolve.FOR_EVER else 0 for key in keys}
