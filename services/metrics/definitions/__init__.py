"""What does each number mean, in words? Shown as help beside the number, and in full on a page of its own."""

from __future__ import annotations

from services.metrics.definitions.definition import Definition
from services.metrics.definitions.money import MONEY
from services.metrics.definitions.payments import PAYMENTS
from services.metrics.definitions.revenue import REVENUE
from services.metrics.definitions.stripe import STRIPE
from services.metrics.definitions.trials import TRIALS

__all__ = ["DEFINITIONS", "Definition", "sections"]

_ALL = (*MONEY, *REVENUE, *TRIALS, *PAYMENTS, *STRIPE)
DEFINITIONS: dict[str, Definition] = {one.key: one for one in _ALL}


def sections() -> dict[str, list[Definition]]:
    """All definitions by section, in reading order."""
    found: dict[str, list[Definition]] = {}
    for one in _ALL:
        found.setdefault(one.section, []).append(one)
    return found
