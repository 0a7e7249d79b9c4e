"""How do we ask the account, and what do we know of the answer?

Bulk reads are raw JSON without the SDK's objects (ten times as fast); writes go through the SDK's services.
Every failure leaves as one of services/stripe_api/failures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import stripe

from services.errors import ConfigurationError, TrialdeskError
from services.stripe_api import failures, pacing, payload
from services.stripe_api.transport import AS_OF, Transport, date_of

Params = Mapping[str, Any]
WriteCall = Callable[[Any, dict[str, Any]], stripe.StripeObject]
PAGE_SIZE = 100
_API = "https://api.stripe.com"
_RETRIES = 2
_SAYS_NOTHING = (failures.RateLimited, failures.KeyRejected, failures.RightMissing)  # of an earlier attempt

stripe.enable_telemetry = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What Stripe answered: the raw object, and `as_of` (s): it shows that instant or a younger one.

    `date` is Stripe's clock (s). `replayed`: the stored answer of an earlier attempt, of unknown age.
    """

    object: dict[str, Any]
    as_of: int
    request_id: str
    date: int = 0
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `cursor` is what `starting_after` takes for the next one, None at the end."""

    objects: list[dict[str, Any]]
    as_of: int
    cursor: str | None
    date: int = 0


class StripeAccount:
    """One account, by its key. Safe for many threads."""

    def __init__(self, key: str, base: str | None = None, *, limits: pacing.Limits | None = None) -> None:
        self.base = (base or _API).rstrip("/")
        self.pacer = pacing.Pacer(limits or _limits(key, base))
        self._key = key
        self._transport = Transport(self.pacer)
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": self.base},
            http_client=self._transport,
            max_network_retries=_RETRIES,
        )
        self._headers = {"Authorization": f"Bearer {key}", "Stripe-Version": stripe.api_version}

    def __repr__(self) -> str:
        return f"StripeAccount({self.base!r})"

    def read(self, path: str, params: Params | None = None) -> Answer:
        """GETs one path, e.g. `/v1/customers/cus_1`. Raises the errors of services/stripe_api/failures."""
        query = urlencode(list(_flat(params or {})))
        url = f"{self.base}{quote(path)}{'?' if query else ''}{query}"
        try:
            body, status, headers = self._transport.request_with_retries(
                "get", url, self._headers, max_network_retries=_RETRIES
            )
        except stripe.APIConnectionError:
            raise failures.StripeUnavailable from None
        parsed = _parse(body)
        if status >= 400:
            raise failures.from_answer(status, parsed, headers, writing=False)
        if not isinstance(parsed, dict):
            raise failures.StripeUnavailable(status, request_id=headers.get("Request-Id", ""))
        return _answer(parsed, headers)

    def page(self, path: str, params: Params | None = None) -> Page:
        """One page of a list; the caller keeps the cursor and passes it on as `starting_after`."""
        answer = self.read(path, {"limit": PAGE_SIZE, **(params or {})})
        objects = answer.object.get("data") or []
        more = bool(answer.object.get("has_more")) and bool(objects)
        return Page(objects, answer.as_of, objects[-1]["id"] if more else None, answer.date)

    def pages(self, path: str, params: Params | None = None) -> Iterator[Page]:
        """All pages of a list, newest first, raw. To go on where one stopped pass `starting_after`."""
        page = self.page(path, params)
        yield page
        while page.cursor:
            page = self.page(path, {**(params or {}), "starting_after": page.cursor})
            yield page

    def write(self, call: WriteCall, idempotency_key: str) -> Answer:
        """Runs one write: `call(services, options)` calls one SDK service, e.g.
        `lambda v1, options: v1.invoices.pay("in_1", options=options)`.

        The key is the caller's, stored before and the same on every attempt. Raises OutcomeUnknown where
        the write may have happened, CardDeclined, RequestRejected and the others where it has not.
        """
        self._transport.begin_write()
        try:
            made = call(self._client.v1, {"idempotency_key": idempotency_key})
        except stripe.StripeError as error:
            raise self._failure(error) from None
        response = made.last_response
        assert response is not None, "the SDK keeps the response of every call"
        return _answer(payload.storable(made.to_dict(for_json=True)), response.headers)

    def _failure(self, error: stripe.StripeError) -> TrialdeskError:
        arrived = self._transport.may_have_arrived()
        if error.http_status is None:
            return failures.OutcomeUnknown() if arrived else failures.StripeUnavailable()
        translated = failures.from_answer(
            error.http_status, error.json_body, error.headers or {}, writing=True
        )
        unclear = isinstance(translated, failures.OutcomeUnknown)
        if unclear or (arrived and isinstance(translated, _SAYS_NOTHING)):
            fault = error.http_status if unclear and not self._transport.went_unanswered() else None
            return failures.OutcomeUnknown(fault, request_id=error.request_id or "")
        return translated


def connect(key: str, base: str | None = None) -> StripeAccount:
    """The account of a key; `base` is the address of a server that speaks Stripe's API, None: Stripe."""
    return StripeAccount(key, base)


class _Current:
    account: StripeAccount | None = None


def configure(account: StripeAccount | None) -> None:
    """Makes it the account of this process; None forgets it."""
    _Current.account = account


def account() -> StripeAccount:
    """The account of this process. Raises ConfigurationError before `configure`."""
    if _Current.account is None:
        raise ConfigurationError(
            "No Stripe account is connected yet.", remedy="Start the desk with `make run`."
        )
    return _Current.account


def _limits(key: str, base: str | None) -> pacing.Limits:
    if base is not None:
        return pacing.LOCAL
    return pacing.LIVE if "_live_" in key else pacing.TEST


def _answer(body: dict[str, Any], headers: Mapping[str, str]) -> Answer:
    date = date_of(headers) or 0
    return Answer(
        object=body,
        as_of=int(headers.get(AS_OF, date)),
        request_id=headers.get("Request-Id", ""),
        date=date,
        replayed=headers.get("Idempotent-Replayed") == "true",
    )


def _parse(body: bytes | str) -> Any:
    try:
        return payload.parse(body)
    except ValueError:
        return None


def _flat(params: Params, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Stripe's form encoding: `{"created": {"gte": 1}, "expand": ["a"]}` as `created[gte]=1&expand[0]=a`."""
    for name, value in params.items():
        key = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, Mapping):
            yield from _flat(value, key)
        elif isinstance(value, list | tuple):
            yield from _flat({str(index): item for index, item in enumerate(value)}, key)
        elif value is not None:
            yield key, str(value).lower() if isinstance(value, bool) else str(value)
