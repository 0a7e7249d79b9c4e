"""How often does this desk look for Stripe's events, and why so often?"""

from __future__ import annotations

from pages.components import formats
from services import config, schedules
from services.mirror import poll


def seconds() -> int:
    """Between two looks, after what the last one found."""
    return poll.interval(config.settings(), missed=schedules.missed())


def every() -> str:
    """The same in words, e.g. `5 minutes`."""
    return formats.duration(seconds())


def why() -> str:
    """What that goes by."""
    settings, missed = config.settings(), schedules.missed()
    if settings.mode == "sandbox":
        return "the sandbox allows as many reads as one likes"
    if settings.poll_interval:
        return "POLL_INTERVAL says so"
    if not settings.webhook_secrets:
        return "no webhooks are set up"
    if missed:
        return f"the last look found {formats.plural(missed, 'event')} that no webhook had brought"
    return "webhooks bring what happens in between"
