"""Was it done? How the effect of a request is found in the account when its answer never came.

Each function makes a reader: it returns the object as Stripe has it now where the effect is there, None
where it is not, and raises what a read raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.desk.command import Work
from services.desk.subject import MARK
from services.mirror import complete
from services.mirror.shapes.reading import dig, ident
from services.stripe_api.client import Answer, Page, account

Effect = Callable[[Work], Answer | None]
Shows = Callable[[Mapping[str, Any]], bool]


def of_subscription(shows: Shows | None = None) -> Effect:
    """On the subscription: our mark, or what `shows` recognises."""
    return lambda work: _when(complete.read("subscription", work.object_id), shows or _marked(work))


def of_customer() -> Effect:
    """On the customer: our mark."""
    return lambda work: _when(complete.read("customer", work.customer), _marked(work))


def new_invoice(before: str | None) -> Callable[[Answer], str | None]:
    """The subscription's latest invoice, as an answer shows it; None where it was the latest before."""

    def look(answer: Answer) -> str | None:
        latest = ident(answer.object.get("latest_invoice"))
        return latest if latest != before else None

    return look


def of_invoice(find: Callable[[Work], str], shows: Shows) -> Effect:
    """On an invoice that `find` names: what `shows` recognises."""
    return lambda work: _when(complete.read("invoice", find(work)), shows)


def in_list(path: str) -> Effect:
    """In a list of the customer's (or the payment's) objects: the one that carries our mark (among the newest
    hundred)."""

    def look(work: Work) -> Answer | None:
        params: dict[str, Any] = {"customer": work.customer}
        if path == "/v1/refunds":
            params = {"charge": work.object_id, "expand": ["data.charge"]}
        if path == "/v1/subscriptions":
            params["status"] = "all"
        return _listed(work, path, params)

    return look


def of_customer_list(name: str) -> Effect:
    """The same in a list that lies under the customer's own address."""
    return lambda work: _listed(work, f"/v1/customers/{work.customer}/{name}", {})


def _listed(work: Work, path: str, params: dict[str, Any]) -> Answer | None:
    page: Page = account().page(path, {**params, "limit": 100})
    found = next((each for each in page.objects if _marked(work)(each)), None)
    return Answer(found, page.as_of, "") if found else None


def by_event(type: str, find: Callable[[Work], str]) -> Effect:
    """For what leaves no trace on the invoice that `find` names: an event of this type from our request."""

    def look(work: Work) -> Answer | None:
        events: Page = account().page("/v1/events", {"type": type, "limit": 100})
        mine = any(dig(event, "request", "idempotency_key") == work.key for event in events.objects)
        return complete.read("invoice", find(work)) if mine else None

    return look


def is_gone(kind: str) -> Effect:
    """That the object which the command is about is not there any more."""

    def look(work: Work) -> Answer | None:
        answer = complete.read(kind, work.object_id)
        return answer if answer.object.get("deleted") is True else None

    return look


def nothing_to_find(work: Work) -> Answer | None:
    """For requests that leave nothing in the account that matters."""
    del work
    return None


def _marked(work: Work) -> Shows:
    return lambda found: (found.get("metadata") or {}).get(MARK) == work.token


def _when(answer: Answer, shows: Shows) -> Answer | None:
    gone = answer.object.get("deleted") is True
    return answer if not gone and shows(answer.object) else None
