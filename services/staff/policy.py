"""What have the admins decided about who may do what, and how much? Nothing saved means as usual."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session, col, select

from models import Customer, PolicyDocument
from services import database
from services.errors import Conflict
from services.staff.roles import GRANTS, Limits, Measure, Permission, Policy, Role

DECIDED = tuple(role for role in Role if role is not Role.ADMIN)  # an admin may do everything
POLICED = frozenset(
    {
        Permission.EXTEND_TRIAL,
        Permission.END_TRIAL,
        Permission.ADD_CHARGE,
        Permission.CANCEL,
        Permission.REACTIVATE,
        Permission.PAUSE_COLLECTION,
        Permission.START_TRIAL,
        Permission.ACCOUNT_CREDIT,
        Permission.CHANGE_CONTACT,
        Permission.RETRY_PAYMENT,
        Permission.CHANGE_PLAN,
        Permission.DISCOUNT,
        Permission.CARD_LINK,
        Permission.REFUND,
        Permission.VOID_INVOICE,
        Permission.GIVE_UP_INVOICE,
        Permission.SEND_INVOICE,
        Permission.REMOVE_CHARGE,
        Permission.SEND_MESSAGE,
        Permission.REQUEST_CALL,
    }
)


def load(session: Session) -> Policy:
    """The policy as it stands."""
    return _read(session.get(PolicyDocument, 1))


def version(session: Session) -> int:
    """Of which version the policy is; 0 before anything was saved."""
    held = session.get(PolicyDocument, 1)
    return held.version if held else 0


def currencies(session: Session, policy: Policy) -> list[str]:
    """The currencies that customers pay in, and those that limits name."""
    paid = session.exec(select(Customer.currency).where(col(Customer.currency).is_not(None)).distinct())
    named = {currency for some in policy.limits.values() for _, currency in some if currency}
    return sorted({*(currency for currency in paid if currency), *named})


def write(session: Session, policy: Policy, *, seen: int) -> Policy:
    """Replaces the policy of the version `seen`; returns the one that held before.

    Raises Conflict where somebody else has changed it since.
    """
    nothing = {"id": 1, "version": 0, "grants": {}, "limits": {}, "approvals": False}
    database.insert_once(session, PolicyDocument, nothing)  # so that there is a row to lock
    held = session.get_one(PolicyDocument, 1, with_for_update=True)
    if held.version != seen:
        raise Conflict(
            "Somebody else has changed the policy since this page was drawn; nothing was saved.",
            remedy="Load the page again, and look at what they decided.",
        )
    before = _read(held)
    held.grants, held.limits, held.approvals = _deviations(policy), _spelled(policy), policy.approvals
    held.version += 1
    return before


def _read(held: PolicyDocument | None) -> Policy:
    if held is None or not held.version:
        return Policy()
    grants = {role: _granted(role, held.grants.get(role, {})) for role in Role}
    limits = {Role(role): _limits(some) for role, some in held.limits.items()}
    return Policy(grants, limits, held.approvals)


def _granted(role: Role, decided: Mapping[str, bool]) -> frozenset[Permission]:
    given = {one for one in POLICED if decided.get(one.name, one in GRANTS[role])}
    return (GRANTS[role] - POLICED) | given


def _limits(some: Mapping[str, int]) -> Limits:
    """Those whose measure this version of the desk knows: nobody is kept out by what a later one brought."""
    parts = ((*name.partition(":"), most) for name, most in some.items())
    return {
        (Measure[name], currency): most for name, _, currency, most in parts if name in Measure.__members__
    }


def _deviations(policy: Policy) -> dict[str, dict[str, bool]]:
    """Only what is not as usual: a permission that a later version brings is as that version has it."""
    found = {}
    for role in DECIDED:
        may = policy.grants[role]
        unusual = sorted((GRANTS[role] ^ may) & POLICED)
        found[role.value] = {one.name: one in may for one in unusual}
    return found


def _spelled(policy: Policy) -> dict[str, dict[str, int]]:
    return {
        role: {f"{measure.name}:{currency}".rstrip(":"): most for (measure, currency), most in some.items()}
        for role, some in policy.limits.items()
    }
