"""How does Stripe get to know where to deliver events? A webhook endpoint, made once for an address.

Its idempotency key is in Activity before the first attempt, with who asked. Asking again for the address
sends the same key while no answer came, and for a minute after one did (a second click): so there is one
endpoint, and whoever asked gets its signing secret, which is kept nowhere here. After a server error, which
Stripe repeats for its key, the account is looked at and a new key is taken.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session, col, select

from models import AuditEntry
from services import clock, config, database, locks
from services.config import Mode
from services.customers import audit
from services.errors import Conflict, InvalidInput, TrialdeskError, Unavailable
from services.staff.roles import Permission, Person
from services.stripe_api import client, errands, writes
from services.stripe_api.failures import OutcomeUnknown, StripeUnavailable
from services.text import seen

PATH = "/webhooks/stripe"  # where a desk takes deliveries
_BEGUN, _MADE, _REFUSED = "endpoint_begun", "endpoint_made", "endpoint_refused"
_UNKNOWN = "endpoint_unknown"
_KEY_LIFE = 23 * 3600  # seconds; Stripe keeps keys for 24 hours at least
_SECOND_CLICK = 60  # seconds
_LOOK_FIRST = "Press the button again: it first looks whether the endpoint is there."
_EXAMPLE = "such as https://desk.company.com"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A new endpoint, with the secret that it signs with."""

    id: str
    url: str
    secret: str = field(repr=False)

    @property
    def setting(self) -> str:
        """The line for the settings."""
        return f"STRIPE_WEBHOOK_SECRET={self.secret}"


def url_of(typed: str, mode: Mode) -> str:
    """Where Stripe delivers to a desk at this address. Raises InvalidInput for one that it cannot reach."""
    text = seen(typed).strip()
    if not text:
        raise _unusable("The desk's address is missing", f"Give one {_EXAMPLE}.")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _unusable(f"“{text}” is not an address", f"Give one {_EXAMPLE}.") from None
    if parts.scheme not in ("https", "http") or not host or text.split() != [text]:
        raise _unusable(f"“{text}” is not an address that begins with https://", f"Give one {_EXAMPLE}.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise _unusable("This is more than the desk's address", f"Give it alone, {_EXAMPLE}.")
    if mode != "sandbox":
        _require_public(parts.scheme, host)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/').removesuffix(PATH)}{PATH}"


@errands.on(errands.CONNECT)
def make(person: Person, typed: str) -> Endpoint:
    """Makes the endpoint of the desk at this address.

    Raises InvalidInput, NotAllowed, Conflict where one is there or is being made, and what Stripe refuses.
    """
    person.require(Permission.CONNECT)
    url = url_of(typed, config.settings().mode)
    with locks.alone("webhook-endpoint") as mine:
        if mine is None:
            raise Conflict("Somebody else is making an endpoint at this moment.", remedy="Try again.")
        return _make(person, url, _open_key(url) or _begin(person, url))


def _make(person: Person, url: str, key: str) -> Endpoint:
    try:
        made = writes.make_endpoint(url, key).object
    except Unavailable as error:
        if isinstance(error, OutcomeUnknown) and (error.status or 0) >= 500:
            _end(person, _UNKNOWN, key, refusal=StripeUnavailable(error.status).message)
            raise Unavailable(error.message, remedy=_LOOK_FIRST) from None
        again = "Press the button again: it asks with the same key, so that there will be one endpoint."
        raise Unavailable(error.message, remedy=again) from None
    except TrialdeskError as error:
        _end(person, _REFUSED, key, refusal=error.message)
        raise
    _end(person, _MADE, key, object=made["id"], address=url)
    return Endpoint(made["id"], url, made["secret"])


def _begin(person: Person, url: str) -> str:
    """The key of a new attempt, in Activity. Raises Conflict where the account has such an endpoint."""
    if id := _there(url):
        remedy = (
            f"Its signing secret was shown once. Send DELETE /v1/webhook_endpoints/{id} to make it again."
            if config.settings().mode == "sandbox"
            else "Its signing secret stands in Stripe's dashboard, under Webhooks: set STRIPE_WEBHOOK_SECRET "
            "to it. Or delete it there, and make it here."
        )
        raise Conflict(f"The account has the endpoint {id} at this address already.", remedy=remedy)
    key = f"endpoint-{uuid.uuid4()}"
    with database.transaction() as session:
        after = {"address": url, "key": key}
        audit.record(session, person, _BEGUN, object_id=key, after=after)
    return key


def _there(url: str) -> str:
    """The id of the account's endpoint at an address, "" where there is none."""
    pages = client.account().pages("/v1/webhook_endpoints")
    return next((one["id"] for page in pages for one in page.objects if one["url"] == url), "")


def _open_key(url: str) -> str:
    """The key of an attempt at this address whose answer may still be fetched, "" where there is none."""
    with database.session() as session:
        for begun in _entries(session, (_BEGUN,), since=clock.now() - _KEY_LIFE):
            if begun.after.get("address") == url:
                ended = _ended(session, begun.object_id)
                return "" if ended else begun.object_id
    return ""


def _ended(session: Session, key: str) -> bool:
    """Whether an attempt was refused or got a server error, or succeeded more than a second click ago."""
    ends = [one for one in _entries(session, (_MADE, _REFUSED, _UNKNOWN)) if one.object_id == key]
    return any(one.kind != _MADE or one.at < clock.now() - _SECOND_CLICK for one in ends)


def _entries(session: Session, kinds: tuple[str, ...], since: int = 0) -> list[AuditEntry]:
    """What Activity keeps of these kinds, newest first."""
    query = select(AuditEntry).where(col(AuditEntry.kind).in_(kinds), col(AuditEntry.at) >= since)
    return list(session.exec(query.order_by(col(AuditEntry.at).desc(), col(AuditEntry.id).desc())))


def _end(person: Person, kind: str, key: str, **after: Any) -> None:
    """Notes how an attempt ended, once."""
    with database.transaction() as session:
        if all(one.object_id != key for one in _entries(session, (kind,))):
            audit.record(session, person, kind, object_id=key, after=after)


def _require_public(scheme: str, host: str) -> None:
    if scheme != "https":
        raise _unusable("Stripe delivers to https:// only", f"Give an address {_EXAMPLE}.")
    if not _is_public(host):
        raise _unusable(
            f"Stripe cannot reach {host}: it is known in your own network only",
            f"Give an address that the internet reaches, {_EXAMPLE}, or use “stripe listen”.",
        )


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".localhost", ".internal", ".lan"))


def _unusable(what: str, remedy: str) -> InvalidInput:
    return InvalidInput(f"{what}.", field="address", remedy=remedy)
