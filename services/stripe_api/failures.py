"""What did Stripe say when it said no? Every error of Stripe's as one of ours, in plain words.

Refused
├── CardDeclined        402: .decline_code, .advice_code (do_not_try_again, try_again_later, ...)
└── RequestRejected     400, 404: .param
    └── ObjectMissing   the object does not exist, or was deleted
NotAllowed
└── RightMissing        403: a restricted key lacks .right
ConfigurationError
└── KeyRejected         401
Unavailable
├── StripeUnavailable   no answer, or a server error: nothing was asked to change, try again
├── OutcomeUnknown      a write whose effect is undetermined: look at the object before trying again
└── RateLimited         429, still after waiting: .reason
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from services.errors import ConfigurationError, NotAllowed, Refused, TrialdeskError, Unavailable
from services.stripe_api import declines
from services.stripe_api.transport import AS_OF

_RIGHT = re.compile(r"['\"‘“](rak_\w+)['\"’”]")
_LATER = "Wait a minute and try again."


class CardDeclined(Refused):
    """The card was declined. `advice_code` is Stripe's, `remedy` says the same in words."""

    def __init__(
        self, *, code: str, decline_code: str | None, advice_code: str | None, request_id: str
    ) -> None:
        explanation = declines.explain(decline_code or code)
        said = f"Declined, nothing was charged. {explanation.words}"
        super().__init__(said, code=code, request_id=request_id, remedy=explanation.advice)
        self.decline_code = decline_code
        self.advice_code = advice_code


class RequestRejected(Refused):
    """Stripe refused what was asked; `param` names the parameter where Stripe does."""

    def __init__(self, said: str, *, code: str, param: str | None, request_id: str, remedy: str = "") -> None:
        super().__init__(f"Stripe refused: {said}", code=code, request_id=request_id, remedy=remedy)
        self.param = param


class ObjectMissing(RequestRejected):
    """The object is not in the account (any more), as of `as_of` (s, Stripe's clock; 0: not said)."""

    def __init__(self, said: str, *, code: str, param: str | None, request_id: str, as_of: int = 0) -> None:
        gone = "It may have been deleted meanwhile; open the customer again."
        super().__init__(said, code=code, param=param, request_id=request_id, remedy=gone)
        self.as_of = as_of


class RightMissing(NotAllowed):
    """The restricted key lacks a right; `right` is its name where Stripe says it.

    `as_of`: when Stripe said so (s, Stripe's clock; 0: not said).
    """

    def __init__(self, right: str, said: str, *, request_id: str, as_of: int = 0) -> None:
        words = f"the right “{readable(right)}”" if right else "a right that this needs"
        super().__init__(
            right,
            f"The Stripe key lacks {words}.",
            remedy="Give the restricted key this right in Stripe's dashboard, under API keys.",
        )
        self.right, self.said, self.request_id, self.as_of = right, said, request_id, as_of


class KeyRejected(ConfigurationError):
    """Stripe does not know the key."""

    def __init__(self) -> None:
        super().__init__(
            "Stripe does not accept the key.",
            remedy="Copy STRIPE_API_KEY again from Stripe's dashboard; it may have expired or been rolled.",
        )


class StripeUnavailable(Unavailable):
    """Stripe did not answer, or answered with a server error."""

    def __init__(self, status: int | None = None, *, request_id: str = "") -> None:
        what = (
            f"Stripe answered with an error of its own ({status})." if status else "Stripe cannot be reached."
        )
        super().__init__(what, remedy="Check the connection and status.stripe.com, then try again.")
        self.status, self.request_id = status, request_id


class OutcomeUnknown(Unavailable):
    """A write was sent and no clear answer came: it may have happened.

    `status` is the server error that was the answer to every attempt; None where one went without an answer.
    """

    def __init__(self, status: int | None = None, *, request_id: str = "") -> None:
        super().__init__(
            "Stripe did not say whether this happened.",
            remedy="Look at the object's present state before trying again.",
        )
        self.status, self.request_id = status, request_id


class RateLimited(Unavailable):
    """Stripe still asks for patience after we waited; `reason` is Stripe's."""

    def __init__(self, reason: str | None, *, request_id: str = "") -> None:
        super().__init__("Stripe asks us to slow down.", remedy=_LATER)
        self.reason, self.request_id = reason, request_id


def from_answer(status: int, body: Any, headers: Mapping[str, str], *, writing: bool) -> TrialdeskError:
    """Our error for an answer of Stripe's with an error status; `body` is its parsed JSON, or None."""
    error = body.get("error") if isinstance(body, dict) else None
    detail: dict[str, Any] = error if isinstance(error, dict) else {}
    request_id = headers.get("Request-Id") or headers.get("request-id") or ""
    if status == 429:
        return RateLimited(headers.get("Stripe-Rate-Limited-Reason"), request_id=request_id)
    if status == 409 or status >= 500:
        kind = OutcomeUnknown if writing else StripeUnavailable
        return kind(status, request_id=request_id)
    return _refusal(status, detail, request_id, int(headers.get(AS_OF) or 0))


def _refusal(status: int, detail: dict[str, Any], request_id: str, as_of: int) -> TrialdeskError:
    said = str(detail.get("message") or f"error {status} without a message")
    code = str(detail.get("code") or detail.get("type") or "")
    if status == 401:
        return KeyRejected()
    if status == 403:
        right = _RIGHT.search(said)
        return RightMissing(right[1] if right else "", said, request_id=request_id, as_of=as_of)
    if status == 402:
        return CardDeclined(
            code=code,
            decline_code=detail.get("decline_code"),
            advice_code=detail.get("advice_code"),
            request_id=request_id,
        )
    param = detail.get("param")
    if code == "resource_missing":
        return ObjectMissing(said, code=code, param=param, request_id=request_id, as_of=as_of)
    return RequestRejected(said, code=code, param=param, request_id=request_id)


def readable(right: str) -> str:
    """`rak_subscription_write` as people read it: `subscription write`."""
    return right.removeprefix("rak_").replace("_", " ")
