"""How does an admin change who may do what? The change is kept with who made it."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from services.customers import audit
from services.desk import limits
from services.staff import policy
from services.staff.policy import DECIDED, POLICED
from services.staff.roles import Limits, Permission, Person, Policy


def save(session: Session, person: Person, decided: Policy, *, seen: int) -> None:
    """Replaces the policy of the version `seen`.

    Raises NotAllowed, and Conflict where somebody else has changed it since.
    """
    person.require(Permission.SET_POLICY)
    before = policy.write(session, decided, seen=seen)
    audit.changed(session, person, "policy", "", before=_said(before), after=_said(decided))


def _said(policy: Policy) -> dict[str, Any]:
    """The policy as differences are told: of each role what it may do, and its limits."""
    told: dict[str, Any] = {"approvals": "on" if policy.approvals else "off"}
    for role in DECIDED:
        told[f"{role}_may"] = sorted(policy.grants[role] & POLICED)
        told[f"{role}_limits"] = _limits(policy.limits.get(role, {}))
    return told


def _limits(some: Limits) -> list[str]:
    return sorted(
        f"{measure} {limits.said(measure, most, currency)}" for (measure, currency), most in some.items()
    )
