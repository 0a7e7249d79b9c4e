"""Does this delivery come from Stripe? Its signature is checked with the secrets of our endpoints."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

import stripe

from services.errors import TrialdeskError
from services.stripe_api import payload

TOLERANCE = 300  # seconds between the signature's time and ours, as Stripe's own SDK allows


class NotSigned(TrialdeskError):
    """Nobody who knows our endpoint's secret has sent this, or it was long ago."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The signature of this delivery is not good: {why}.",
            remedy="Set STRIPE_WEBHOOK_SECRET to the signing secret of this endpoint in Stripe's dashboard.",
        )


class NotAnEvent(TrialdeskError):
    """The delivery is signed, but holds no event as Stripe sends them."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"This delivery holds no event: {why}.", remedy="Choose snapshot payloads for this endpoint."
        )


def event(body: bytes, header: str, secrets: Sequence[str]) -> dict[str, Any]:
    """The event that a delivery holds; `header` is its `Stripe-Signature`. One good secret is enough.

    Raises NotSigned (also where there is no secret) and NotAnEvent.
    """
    _check(body, header, secrets)
    try:
        found = payload.parse(body)
    except ValueError as error:
        raise NotAnEvent("it is not JSON") from error
    if not isinstance(found, dict) or found.get("object") != "event":
        raise NotAnEvent("its object is not “event”")
    if not found.get("id") or not isinstance(found.get("created"), int):
        raise NotAnEvent("it has no id or no time")
    return found


def _check(body: bytes, header: str, secrets: Sequence[str]) -> None:
    if not all(secrets) or not secrets:
        raise NotSigned("this desk has no signing secret")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise NotAnEvent("it is not UTF-8") from error
    why = ""
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(text, header, secret, TOLERANCE)
        except (stripe.SignatureVerificationError, ValueError, IndexError) as error:
            why = why or _reason(error)
        else:
            _refuse_future(header)
            return
    raise NotSigned(why)


def _refuse_future(header: str) -> None:
    """The SDK accepts any time that is still to come, so a recorded delivery would be good for ever."""
    signed_at = re.search(r"(?:^|,)t=(\d+)", header)
    if signed_at is None or int(signed_at[1]) > time.time() + TOLERANCE:
        raise NotSigned("its time is in the future")


def _reason(error: Exception) -> str:
    said = str(error)
    if "timestamp" in said.lower() and "tolerance" in said.lower():
        return "it was signed too long ago; check this machine's clock"
    if "No signatures found" in said:
        return "it was made with another secret"
    return "its Stripe-Signature header is missing or malformed"
