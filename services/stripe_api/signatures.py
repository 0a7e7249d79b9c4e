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

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(f"The signature of this delivery is not good: {why}.", remedy=remedy)


class OtherSecret(NotSigned):
    """It is signed, and with none of our secrets."""

    def __init__(self) -> None:
        super().__init__(
            "it was made with another secret",
            "Set STRIPE_WEBHOOK_SECRET to the signing secret of this endpoint in Stripe's dashboard, or to "
            "the one that “stripe listen” prints, and start the desk again.",
        )


class NotAnEvent(TrialdeskError):
    """The delivery is signed, but holds no event as Stripe sends them."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"This delivery holds no event: {why}.",
            remedy="Choose snapshot payloads for this endpoint in Stripe's dashboard, under Webhooks.",
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
        raise NotSigned("this desk has no signing secret", "Set STRIPE_WEBHOOK_SECRET.")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise NotAnEvent("it is not UTF-8") from error
    refused: NotSigned = OtherSecret()
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(text, header, secret, TOLERANCE)
        except (stripe.SignatureVerificationError, ValueError, IndexError) as error:
            refused = _refusal(error) or refused  # the secret that fits says more than those that do not
        else:
            _refuse_future(header)
            return
    raise refused


def _refuse_future(header: str) -> None:
    """The SDK accepts any time that is still to come, so a recorded delivery would be good for ever."""
    signed_at = re.search(r"(?:^|,)t=(\d+)", header)
    if signed_at is None or int(signed_at[1]) > time.time() + TOLERANCE:
        raise NotSigned(
            "its time is in the future",
            "Set this machine's clock, which seems to be slow; where it is right, somebody else than Stripe "
            "has signed this with your secret: roll the secret in Stripe's dashboard.",
        )


def _refusal(error: Exception) -> NotSigned | None:
    """What is wrong, in the SDK's words for it; None where this is only not the secret."""
    said = str(error)
    if "tolerance" in said:
        return NotSigned(
            "it was signed too long ago",
            "Set this machine's clock, which seems to be fast; where it is right, somebody has sent an old "
            "delivery again: leave it refused.",
        )
    if "matching the expected signature" in said:
        return None
    return NotSigned(
        "its Stripe-Signature header is missing or malformed",
        "Stripe signs what it sends: a server between Stripe and the desk drops or changes the header, or "
        "the sender is somebody else, and can be left refused.",
    )
