"""How often does this desk look for Stripe's events, in words?"""

from __future__ import annotations

from pages.components import formats
from services import schedules


def every() -> str:
    """The time between two looks, e.g. `5 minutes`."""
    return formats.duration(schedules.pace().seconds)
