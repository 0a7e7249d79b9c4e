"""What claims to be of a time that has not come yet, by Stripe's clock?

Taken at its word, it would keep out whatever Stripe says until then.
"""

from __future__ import annotations

from services import clock
from services.errors import TrialdeskError
from services.stripe_api import client
from services.stripe_api.failures import RightMissing

SLACK = 300  # seconds; our clock may differ from Stripe's by less than this


class NotYet(TrialdeskError):
    """An event of a time that has not come, about what cannot be read instead."""

    def __init__(self) -> None:
        super().__init__(
            "It is dated later than it is by Stripe's clock, and what it is about cannot be read by itself.",
            remedy="Ignore it, unless you know where it comes from; Stripe dates no event ahead.",
        )


def limit() -> int:
    """After this instant (s) nothing can be true yet, as far as we know Stripe's clock."""
    return clock.now() + SLACK


def limit_by_stripe() -> int:
    """The same, as Stripe's clock tells. Raises Unavailable and KeyRejected."""
    return ask_time() + SLACK


def ask_time() -> int:
    """Stripe's clock (s). Raises Unavailable and KeyRejected where Stripe answers nothing at all."""
    try:
        return client.account().read("/v1/events", {"limit": 1}).date
    except RightMissing as refused:  # an answer, too
        return refused.as_of or clock.now()
