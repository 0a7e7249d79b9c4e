"""Who may see and do what? One table, read by pages, by buttons, and again by each service function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.errors import NotAllowed


class Role(StrEnum):
    """What a person is here for."""

    VIEWER = "viewer"
    SUPPORT = "support"
    SALES = "sales"
    FOUNDER = "founder"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that a person may see or do; the value is how people say it.

    Without SEE_ACTIVITY a person reads their own actions in full; of others' actions a customer's timeline
    says what was done, when, by whom and how it ended, but not the reason or comment.
    """

    SEE_CUSTOMERS = "see customers"
    SEE_METRICS = "see metrics"
    SEE_ACTIVITY = "see the activity of all staff"
    EXPORT = "export rows"
    ANNOTATE = "write notes, tags and tasks"
    SHARE_FILTERS = "share filters"
    ANNOTATE_CHARTS = "annotate charts"
    SET_GOALS = "set goals"
    SET_RATES = "enter exchange rates"
    EXTEND_TRIAL = "extend trials"
    END_TRIAL = "end trials"
    ADD_CHARGE = "add charges"
    CANCEL = "cancel subscriptions"
    REACTIVATE = "reactivate subscriptions"
    PAUSE_COLLECTION = "pause the collection of invoices"
    START_TRIAL = "start trials"
    ACCOUNT_CREDIT = "give or take account credit"
    CHANGE_CONTACT = "change customers' emails and names"
    RETRY_PAYMENT = "retry payments"
    CARD_LINK = "make card links"
    CHANGE_PLAN = "change plans"
    DISCOUNT = "apply and remove coupons"
    REFUND = "refund payments"
    VOID_INVOICE = "void invoices"
    GIVE_UP_INVOICE = "mark invoices as uncollectible"
    SEND_INVOICE = "send invoices"
    REMOVE_CHARGE = "remove charges"
    SEND_MESSAGE = "send messages"
    REQUEST_CALL = "request calls"
    WORK_CALLS = "work through calls"
    SEE_SYSTEM = "see how the desk runs"
    TEND_INBOX = "decide about what was put aside"
    CONNECT = "connect the account"
    MAIL_REPORTS = "decide who gets the monthly report by mail"
    SET_POLICY = "decide who may do what"


_READS = frozenset(
    {
        Permission.SEE_CUSTOMERS,
        Permission.SEE_METRICS,
        Permission.SEE_ACTIVITY,
        Permission.SEE_SYSTEM,
        Permission.EXPORT,
    }
)
_VIEWER = frozenset({Permission.SEE_CUSTOMERS, Permission.SEE_METRICS})
_SALES = _VIEWER | {
    Permission.ANNOTATE,
    Permission.EXPORT,
    Permission.EXTEND_TRIAL,
    Permission.CARD_LINK,
    Permission.SEND_INVOICE,
    Permission.SEND_MESSAGE,
    Permission.REQUEST_CALL,
    Permission.WORK_CALLS,
    Permission.SHARE_FILTERS,
}
_SUPPORT = _SALES | {
    Permission.SEE_ACTIVITY,
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
    Permission.REFUND,
    Permission.VOID_INVOICE,
    Permission.GIVE_UP_INVOICE,
    Permission.REMOVE_CHARGE,
}
_FOUNDER = _SUPPORT | {Permission.ANNOTATE_CHARTS, Permission.SET_GOALS, Permission.SET_RATES}
_ADMIN = _FOUNDER | {
    Permission.SEE_SYSTEM,
    Permission.TEND_INBOX,
    Permission.CONNECT,
    Permission.MAIL_REPORTS,
    Permission.SET_POLICY,
}
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.SALES: _SALES,
    Role.SUPPORT: _SUPPORT,
    Role.FOUNDER: _FOUNDER,
    Role.ADMIN: _ADMIN,
}


class Measure(StrEnum):
    """What may be limited for a role; the value is how people say it. Money is limited in each currency."""

    TRIAL_DAYS = "days of trial given at once"
    TRIAL_DAYS_IN_ALL = "days of trial given to one customer in all"
    CHARGE = "amount of a charge"
    REFUND = "amount of a refund"
    CREDIT = "amount of account credit"
    ACCOUNTS = "accounts in one bulk run"

    @property
    def is_money(self) -> bool:
        """Whether it is counted in minor units of a currency."""
        return self in (Measure.CHARGE, Measure.REFUND, Measure.CREDIT)


Limits = Mapping[tuple[Measure, str], int]  # the most, by what and its currency ("" where it is no money)
_SALES_LIMITS: Limits = {
    (Measure.TRIAL_DAYS, ""): 30, (Measure.TRIAL_DAYS_IN_ALL, ""): 60, (Measure.ACCOUNTS, ""): 50
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policy:
    """Which role may do what, how much (what is not there has no limit), and whether a second person may
    allow what is above a limit."""

    grants: Mapping[Role, frozenset[Permission]] = field(default_factory=lambda: GRANTS)
    limits: Mapping[Role, Limits] = field(default_factory=lambda: {Role.SALES: _SALES_LIMITS})
    approvals: bool = False

    def most(self, role: Role, measure: Measure, currency: str = "") -> int | None:
        """The role's limit; None where there is none. Whose money is limited in some currency may do nothing
        alone in those that nobody thought of."""
        some = self.limits.get(role, {})
        is_limited = measure.is_money and any(each is measure for each, _ in some)
        return some.get((measure, currency), 0 if is_limited else None)


@dataclass(frozen=True, slots=True)
class Person:
    """The staff member who asks. `read_only` is why nobody may write on this account now ("" = may)."""

    id: int
    name: str
    email: str
    role: Role
    read_only: str = ""
    policy: Policy = field(default_factory=Policy, compare=False, repr=False)

    def why_not(self, permission: Permission) -> str:
        """Why this person may not do it, as a sentence; "" when allowed."""
        return self.why_none(permission)

    def why_none(self, *permissions: Permission) -> str:
        """Why this person may do none of these, as a sentence; "" where one of them is allowed."""
        granted = [each for each in permissions if each in self.policy.grants[self.role]]
        if not granted:
            named = " or ".join(filter(None, (", ".join(permissions[:-1]), permissions[-1])))
            return f"Your role ({self.role}) may not {named}. Ask an admin for another role."
        return "" if any(each in _READS for each in granted) else self.read_only

    def may(self, permission: Permission) -> bool:
        """Whether this person may do it now."""
        return not self.why_not(permission)

    def require(self, permission: Permission) -> None:
        """Raises NotAllowed where this person may not do it."""
        if reason := self.why_not(permission):
            raise NotAllowed(permission, reason)
