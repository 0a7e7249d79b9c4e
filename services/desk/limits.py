"""Does a command stay within what its person may do alone? Amounts against the policy's limits."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from models import Action
from services import clock
from services.desk import words
from services.errors import InvalidInput
from services.staff.roles import Measure, Person

_OF_TRIALS = ("extend_trial", "take_back_extension", "start_trial")
_TURN = 7_235_016  # any number: the advisory lock of those who count a customer's days
WAITS = "Nothing is done until a colleague who may do so much allows it."
_ASK = "Stay below that, or ask somebody who may do more."


@dataclass(frozen=True, slots=True)
class Amount:
    """How much a command does of what may be limited: days, accounts, or minor units of `currency`."""

    measure: Measure
    number: int
    currency: str = ""


def kept(amounts: Iterable[Amount]) -> list[list[Any]]:
    """Amounts as the ledger keeps them."""
    return [[one.measure.name, one.number, one.currency] for one in amounts]


def of(row: Action) -> list[Amount]:
    """The amounts that an action was confirmed with."""
    return [Amount(Measure[name], number, currency) for name, number, currency in row.amounts]


class OverLimit(InvalidInput):
    """More than the person may do alone, and nobody can be asked for approval; `.over` says what."""

    def __init__(self, over: Iterable[str]) -> None:
        self.over = tuple(over)
        super().__init__(" ".join(self.over), remedy=_ASK)


def exceeded(person: Person, amounts: Iterable[Amount], *, days_before: int = 0) -> list[str]:
    """A sentence for each limit of the person's that these amounts exceed. `days_before` were given to the
    customer by earlier actions; they count for the limit of days in all."""
    found = []
    for one in amounts:
        found.append(_over(person, one))
        if one.measure is Measure.TRIAL_DAYS:
            in_all = Amount(Measure.TRIAL_DAYS_IN_ALL, one.number + days_before)
            found.append(_over(person, in_all))
    return [sentence for sentence in found if sentence]


def approvable(person: Person, over: list[str]) -> list[str]:
    """The same sentences. Raises OverLimit where there are any and nobody can be asked to allow it."""
    if over and not person.policy.approvals:
        raise OverLimit(over)
    return over


def take_turn(session: Session, customer: str) -> None:
    """Keeps others from counting for the customer until this transaction ends: what is about to begin counts,
    too. On SQLite writers take turns anyway."""
    if session.connection().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_TURN, sa.func.hashtext(customer))))


def days_before(session: Session, customer: str, *, but: str = "") -> int:
    """How many days of trial the desk has given to the customer so far, those under way included, without
    the action `but`. What was taken back is none any more once that is done."""
    mine = _given().where(Action.customer == customer)
    return sum(_days(row) for row in session.exec(mine) if row.token != but)


def days_given(session: Session, customers: Collection[str]) -> dict[str, int]:
    """The same for each of many customers; who is not there was given none."""
    found: dict[str, int] = {}
    for row in session.exec(_given().where(col(Action.customer).in_(customers))):
        found[row.customer] = found.get(row.customer, 0) + _days(row)
    return found


def _given() -> SelectOfScalar[Action]:
    counted = col(Action.state).in_(("done", "running", "unknown"))
    return select(Action).where(col(Action.command).in_(_OF_TRIALS), counted)


def _days(row: Action) -> int:
    if "days" in row.params:
        return int(row.params["days"])
    before, after = row.before.get("trial_end"), row.params.get("trial_end")
    days = whole_days(after - before) if before and after else 0
    return days if row.state == "done" else max(0, days)


def typed(text: str) -> int:
    """A number of days or accounts as typed. Raises InvalidInput."""
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII):
        raise InvalidInput("A whole number from 0 to 99,999 is needed.", remedy="Type digits, such as 30.")
    return int(text)


def whole_days(seconds: int) -> int:
    """Days as people count them: a change of the clocks makes no day of an hour."""
    return round(seconds / clock.DAY)


def _over(person: Person, one: Amount) -> str:
    most = person.policy.most(person.role, one.measure, one.currency)
    if most is None or one.number <= most:
        return ""
    asked, allowed = (said(one.measure, number, one.currency) for number in (one.number, most))
    if not most and one.currency:
        return f"The role {person.role} has no {one.measure} in {one.currency.upper()}; this is {asked}."
    if one.measure is Measure.ACCOUNTS:
        return f"The role {person.role} may take up to {allowed} in one bulk run; this is {asked}."
    return f"The role {person.role} may go up to {allowed} for the {one.measure}; this is {asked}."


def said(measure: Measure, number: int, currency: str) -> str:
    """So much of what may be limited, in words."""
    if measure is Measure.ACCOUNTS:
        return words.plural(number, "account")
    return words.money(number, currency) if measure.is_money else words.days(number)
