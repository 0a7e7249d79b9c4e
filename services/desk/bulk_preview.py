"""What would one command do to many, and to which of them can it not be done?

As the tables know them: Stripe is asked about each right before its turn, once somebody has confirmed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from models import Coupon, Customer
from services import clock
from services.desk import bulk_kinds, coupons, limits, loading_many, words
from services.desk.bulk_kinds import Kind
from services.desk.command import Command, Form, Params, Preview
from services.desk.limits import Amount
from services.desk.subject import Subject
from services.errors import Conflict, InvalidInput, TrialdeskError
from services.staff.roles import Measure, Person
from services.text import isolated

LARGEST = 5_000  # rows in one run: half an hour's work at Stripe's limits for test accounts
_REASONS = 5  # that are told one by one
_SHOWN = 10  # customers, more than are named


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody chose, by id in their order; `unusual` with which of them, `days_given` to customers'
    trials before."""

    kind: Kind
    subjects: dict[str, Subject]
    unusual: Mapping[str, list[str]]
    days_given: dict[str, int]

    @property
    def many(self) -> str:
        """How many there are: `20 trials`."""
        return words.plural(len(self.subjects), self.kind.noun)

    @property
    def coupons(self) -> list[Coupon]:
        """What would take something off some of them, by name."""
        found = {each.id: each for subject in self.subjects.values() for each in coupons.fitting(subject)}
        return sorted(found.values(), key=lambda each: ((each.name or each.id).casefold(), each.id))

    def first(self, ids: Sequence[str]) -> str:
        """The first of these by name, and how many more there are."""
        return words.some([_called(self.subjects[id]) for id in ids])


@dataclass(slots=True)
class Totals:
    """To which it can be done (ids), to which not and why (ids by sentence), which would wait for a second
    person (ids by the limit exceeded), and what they come to in all (minor units by currency). `over`: that
    these are more accounts than the person may take at once, so that all of it waits."""

    can: list[str] = field(default_factory=list)
    cannot: dict[str, list[str]] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=dict)
    in_all: dict[str, int] = field(default_factory=dict)
    over: list[str] = field(default_factory=list)


def look(session: Session, command: str, ids: Collection[str]) -> Chosen:
    """The rows that were chosen, from the tables. Raises InvalidInput where they are too many for one run."""
    kind = bulk_kinds.find(command)
    if len(ids) > LARGEST:
        many, most = words.plural(len(ids), kind.noun), words.plural(LARGEST, kind.noun)
        raise InvalidInput(
            f"These are {many}; one run takes at most {most}.",
            remedy="Narrow the filters, and do it in parts.",
        )
    subjects = kind.load(session, ids)
    unusual: dict[str, list[str]] = {}
    for id, subject in subjects.items():
        for told in kind.unusual(subject):
            unusual.setdefault(told, []).append(id)
    customers = {subject.customer.id for subject in subjects.values()}
    return Chosen(kind, subjects, unusual, limits.days_given(session, customers))


def of_customers(session: Session, command: str, customers: Sequence[str]) -> list[str]:
    """The living subscriptions of these customers for which the command is offered, in the customers' order.
    Raises InvalidInput where there are none."""
    kind = bulk_kinds.find(command)
    living = loading_many.subscriptions(session, loading_many.living_of(session, customers))
    if found := [id for id, subject in living.items() if not kind.command.offered(subject)]:
        return found
    whose = "This customer has" if len(customers) == 1 else "These customers have"
    raise InvalidInput(f"{whose} no {kind.noun} that could be {kind.done}.")


def without(session: Session, chosen: Chosen, customers: Sequence[str]) -> str:
    """That some of these customers have nothing to which it could be done; "" where each has."""
    meant = {subject.customer.id for subject in chosen.subjects.values()}
    left = [id for id in customers if id not in meant]
    if not left:
        return ""
    shown = select(Customer).where(col(Customer.id).in_(left[:_SHOWN]))
    named = {row.id: _name(row) for row in session.exec(shown)}
    whose = f"Of {words.plural(len(customers), 'customer')} {len(left)} {'has' if len(left) == 1 else 'have'}"
    nothing = f"no {chosen.kind.noun} that could be {chosen.kind.done}"
    return f"{whose} {nothing}: {words.some([named.get(id, id) for id in left])}."


def reckon(person: Person, chosen: Chosen, form: Form) -> Totals:
    """What the form comes to. Raises InvalidInput where it can be done to none, and OverLimit where these are
    more accounts than the person may take at once and nobody can be asked."""
    totals, now, problem = Totals(), clock.now(), TrialdeskError("")
    days = dict(chosen.days_given)
    for id, subject in chosen.subjects.items():
        try:
            params = _params(chosen.kind.command, subject, form, now)
            over = _over(person, chosen.kind.command, subject, params, days)
        except (Conflict, InvalidInput) as reason:
            problem = reason
            totals.cannot.setdefault(reason.message, []).append(id)
            continue
        totals.can.append(id)
        for limit in over:
            totals.asked.setdefault(limit, []).append(id)
        if chosen.kind.in_all:
            so_far = totals.in_all.get(params["currency"], 0)
            totals.in_all[params["currency"]] = so_far + params["amount"]
    if not totals.can:
        raise _none(chosen, totals, problem)
    accounts = {chosen.subjects[id].customer.id for id in totals.can}
    totals.over = limits.approvable(person, too_many(person, len(accounts)))
    return totals


def too_many(person: Person, accounts: int) -> list[str]:
    """That these are more accounts than the person may take at once, as a sentence; [] where they are not."""
    return limits.exceeded(person, [Amount(Measure.ACCOUNTS, accounts)])


def preview(person: Person, chosen: Chosen, form: Form) -> Preview:
    """What happens, in all, and the exceptions. Asks nobody. Raises as `reckon`."""
    totals = reckon(person, chosen, form)
    sums = [words.money(amount, currency) for currency, amount in sorted(totals.in_all.items())]
    in_all = [chosen.kind.in_all.format(words.listing(sums))] if sums else []
    happens = (*chosen.kind.happens(form, [chosen.subjects[id] for id in totals.can]), *in_all)
    exceptions = (*_left_out(chosen, totals), *_unusual(chosen, totals), *_waits(chosen, totals))
    asked = {id for ids in totals.asked.values() for id in ids}
    waits = bool(totals.over) or asked >= set(totals.can)
    return Preview(happens, (*chosen.kind.lasting, *exceptions), waits=waits)


def _params(command: Command, subject: Subject, form: Form, now: int) -> Params:
    """Raises Conflict where it is not offered, InvalidInput where the form does not fit."""
    if reason := command.offered(subject):
        raise Conflict(reason)
    return command.parse(subject, form, now)


def _over(
    person: Person, command: Command, subject: Subject, params: Params, days: dict[str, int]
) -> list[str]:
    """The limits that this exceeds, with the `days` that its customer was given before; those that it gives
    itself, and does not wait with, are added to them."""
    amounts, customer = command.amounts(subject, params), subject.customer.id
    before = days.get(customer, 0)
    over = limits.approvable(person, limits.exceeded(person, amounts, days_before=before))
    given = sum(one.number for one in amounts if one.measure is Measure.TRIAL_DAYS)
    if not over:
        days[customer] = before + given
    return over


def _none(chosen: Chosen, totals: Totals, problem: TrialdeskError) -> InvalidInput:
    """Why it can be done to none: what was typed, where that alone stands against all of them."""
    if len(totals.cannot) == 1 and isinstance(problem, InvalidInput):
        return problem
    reasons = " ".join(f"{chosen.first(ids)}: {reason}" for reason, ids in _most(totals.cannot)[0])
    return InvalidInput(f"Of {chosen.many} none can be {chosen.kind.done}. {reasons}".strip())


def _left_out(chosen: Chosen, totals: Totals) -> list[str]:
    """Those to which it cannot be done, by reason."""
    cannot = f"of {chosen.many} cannot be {chosen.kind.done}"
    reasons, rest = _most(totals.cannot)
    told = [f"{len(ids)} {cannot}: {chosen.first(ids)}. {reason}" for reason, ids in reasons]
    why = "Each has its reason on the page Bulk runs once this has begun."
    return [*told, *([f"{len(rest)} more {cannot}: {chosen.first(rest)}. {why}"] if rest else [])]


def _unusual(chosen: Chosen, totals: Totals) -> list[str]:
    can = set(totals.can)
    found = ((told, [id for id in ids if id in can]) for told, ids in chosen.unusual.items())
    return [f"{told.removesuffix('.')}: {_named(chosen, totals, ids)}." for told, ids in found if ids]


def _waits(chosen: Chosen, totals: Totals) -> list[str]:
    """What is above a limit of the person's, all of it or some, and that it waits."""
    most, rest = _most(totals.asked)
    told = [f"{over} ({_named(chosen, totals, ids)})" for over, ids in most]
    more = [f"{len(rest)} more are above such a limit: {chosen.first(rest)}."] if rest else []
    over = [*totals.over, *told, *more]
    return [*over, limits.WAITS] if over else []


def _most(found: Mapping[str, list[str]]) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """The sentences about most of them, and the ids of all others: some sentences name a number each."""
    ordered = sorted(found.items(), key=lambda each: -len(each[1]))
    return ordered[:_REASONS], [id for _, ids in ordered[_REASONS:] for id in ids]


def _named(chosen: Chosen, totals: Totals, ids: Sequence[str]) -> str:
    """Which of those to which it can be done."""
    return "all of them" if 1 < len(ids) == len(totals.can) else chosen.first(ids)


def _called(subject: Subject) -> str:
    return _name(subject.customer)


def _name(customer: Customer) -> str:
    return isolated(words.short(customer.name or customer.email or customer.id))
