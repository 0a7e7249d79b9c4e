"""What goes wrong on purpose?

A fault matches requests by method and the beginning of their path, and strikes a number of times or with a
probability. Faults are not kept: a restart heals all.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from typing import Any

from services.sandbox.errors import InvalidRequest

KINDS = (
    "timeout_before",
    "timeout_after",
    "500_before",
    "500_after",
    "409",
    "429",
    "slow",
    "late",
    "shape_old",
)
EVENT_KINDS = ("duplicate", "shuffle", "lose")
REASONS = ("global-rate", "endpoint-rate", "global-concurrency", "endpoint-concurrency", "resource-specific")


@dataclass
class Fault:
    """`count` strikes are left (None: no end), each with the probability; `seconds` is how long a slow
    answer takes, a time-out before its connection is cut, or the way of a late request; `reason` that of a
    429.
    """

    id: int
    kind: str
    method: str = ""
    path: str = "/"
    count: int | None = None
    probability: float = 1.0
    seconds: float = 0.0
    reason: str | None = "endpoint-rate"
    seed: int = 0
    struck: int = 0
    chance: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def strikes(self, method: str, path: str) -> bool:
        """Whether it strikes this time; counts it."""
        if self.method not in ("", method) or not path.startswith(self.path) or self.count == 0:
            return False
        if self.chance.random() >= self.probability:
            return False
        self.count = None if self.count is None else self.count - 1
        self.struck += 1
        return True

    def shown(self) -> dict[str, Any]:
        """The fault as JSON."""
        return {name: value for name, value in asdict(self).items() if name != "chance"}


class Faults:
    """All faults that are set now."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._next = 1

    def add(self, **given: Any) -> Fault:
        """Set a fault; raises InvalidRequest for a kind or field that there is not."""
        if given.get("kind") not in (*KINDS, *EVENT_KINDS):
            raise InvalidRequest(f"kind must be one of {', '.join((*KINDS, *EVENT_KINDS))}", "kind")
        known = {"kind", "method", "path", "count", "probability", "seconds", "reason", "seed"}
        if unknown := given.keys() - known:
            raise InvalidRequest(f"A fault has no {', '.join(sorted(unknown))}.", sorted(unknown)[0])
        if given.get("reason") not in (None, *REASONS):
            raise InvalidRequest(f"reason must be one of {', '.join(REASONS)}", "reason")
        given["method"] = str(given.get("method", "")).upper()
        fault = Fault(self._next, **given)
        self._next += 1
        self._faults.append(fault)
        return fault

    def all(self) -> list[dict[str, Any]]:
        """Every fault with how often it struck."""
        return [fault.shown() for fault in self._faults]

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._faults.clear()

    def struck(self, method: str, path: str) -> list[Fault]:
        """The faults of requests that strike this one once it has arrived."""
        kinds = set(KINDS) - {"late"}
        return [fault for fault in self._faults if fault.kind in kinds and fault.strikes(method, path)]

    def late(self, method: str, path: str) -> float:
        """How many seconds this request is on its way, whoever still waits for its answer then."""
        late = (fault for fault in self._faults if fault.kind == "late" and fault.strikes(method, path))
        return sum(fault.seconds for fault in late)

    def of_events(self, kind: str, event_type: str) -> bool:
        """Whether a fault of webhooks strikes an event; its path is matched as `/` and the event's type."""
        return any(fault.kind == kind and fault.strikes("", f"/{event_type}") for fault in self._faults)
