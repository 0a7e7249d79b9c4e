"""What would one command do to many, and to which of them can it not be done?

As the tables know them: Stripe is asked about each right before its turn, once somebody has confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session

from services import clock
from services.desk import catalog, limits, loading, trials, words
from services.desk.command import Command, Form, Preview
from services.desk.limits import Amount, OverLimit
from services.desk.subject import Subject
from services.errors import Conflict, InvalidInput, NotFound, TrialdeskError
from services.staff.roles import Measure, Person
from services.text import isolated

LARGEST = 5_000  # rows in one run: half an hour's work at Stripe's limits for test accounts


@dataclass(frozen=True, slots=True)
class Kind:
    """A command that can be given to many subscriptions. `noun` is what they are, `done` what they are then;
    `happens` says what comes of it for so many, `told` what was typed; `special` finds what is not as usual.
    """

    command: Command
    title: str
    confirm: str
    noun: str
    done: str
    happens: Callable[[Form, int], tuple[str, ...]]
    told: Callable[[Form], str]
    special: Callable[[Mapping[str, Subject]], Mapping[str, list[str]]]


KINDS: dict[str, Kind] = {
    kind.command.name: kind
    for kind in (
        Kind(
            catalog.find("extend_trial"), "Extend trials", "Extend all", "trial", "extended", trials.of_many,
            trials.by_days, trials.special,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody chose, by id in their order; `special` is not as usual with some of them, `days_given`
    to customers' trials before."""

    kind: Kind
    subjects: dict[str, Subject]
    special: Mapping[str, list[str]]
    days_given: dict[str, int]

    @property
    def many(self) -> str:
        """How many there are: `20 trials`."""
        return words.plural(len(self.subjects), self.kind.noun)

    def named(self, ids: Sequence[str]) -> str:
        """Which of them these are."""
        return "all of them" if 1 < len(ids) == len(self.subjects) else self.first(ids)

    def first(self, ids: Sequence[str]) -> str:
        """The first of these by name, and how many more there are."""
        return words.some([_called(self.subjects[id]) for id in ids])


@dataclass(slots=True)
class Totals:
    """To which it can be done (ids), to which not and why (ids by sentence), which would wait for a second
    person (ids by the limit exceeded), and what moves in all (minor units by currency)."""

    can: list[str] = field(default_factory=list)
    cannot: dict[str, list[str]] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)


def find(command: str) -> Kind:
    """How a command is given to many. Raises NotFound."""
    if command not in KINDS:
        raise NotFound("command for many", command)
    return KINDS[command]


def look(session: Session, command: str, ids: Collection[str]) -> Chosen:
    """The rows that were chosen, from the tables. Raises InvalidInput where they are too many for one run."""
    kind = find(command)
    if len(ids) > LARGEST:
        many, most = words.plural(len(ids), kind.noun), words.plural(LARGEST, kind.noun)
        raise InvalidInput(
            f"These are {many}; one run takes at most {most}.",
            remedy="Narrow the filters, and do it in parts.",
        )
    subjects = loading.subscriptions(session, ids)
    customers = {subject.customer.id for subject in subjects.values()}
    return Chosen(kind, subjects, kind.special(subjects), limits.days_given(session, customers))


def reckon(person: Person, chosen: Chosen, form: Form) -> Totals:
    """What the form comes to. Raises InvalidInput where it can be done to none, and OverLimit where these are
    more accounts than the person may take at once."""
    totals, now, problem = Totals(), clock.now(), TrialdeskError("")
    for id, subject in chosen.subjects.items():
        try:
            amounts = _amounts(chosen.kind.command, subject, form, now)
            for over in _over(person, chosen, subject, amounts):
                totals.asked.setdefault(over, []).append(id)
        except (Conflict, InvalidInput) as reason:
            problem = reason
            totals.cannot.setdefault(reason.message, []).append(id)
            continue
        totals.can.append(id)
        for one in amounts:
            if one.measure.is_money:
                totals.moved[one.currency] = totals.moved.get(one.currency, 0) + one.number
    if not totals.can:
        raise _none(chosen, totals, problem)
    accounts = {chosen.subjects[id].customer.id for id in totals.can}
    if too_many := limits.exceeded(person, [Amount(Measure.ACCOUNTS, len(accounts))]):
        raise OverLimit(too_many)
    return totals


def preview(person: Person, chosen: Chosen, form: Form) -> Preview:
    """What happens, in all, and the exceptions. Asks nobody. Raises as `reckon`."""
    totals = reckon(person, chosen, form)
    moved = (words.money(amount, currency) for currency, amount in sorted(totals.moved.items()))
    in_all = words.listing(list(moved))
    happens = (*chosen.kind.happens(form, len(totals.can)), *([f"In all: {in_all}."] if in_all else []))
    warnings = (*_left_out(chosen, totals), *_unusual(chosen, totals), *_waits(chosen, totals))
    asked = {id for ids in totals.asked.values() for id in ids}
    return Preview(happens, warnings, waits=asked >= set(totals.can))


def _amounts(command: Command, subject: Subject, form: Form, now: int) -> tuple[Amount, ...]:
    """Raises Conflict where it is not offered, InvalidInput where the form does not fit."""
    if reason := command.offered(subject):
        raise Conflict(reason)
    return command.amounts(subject, command.parse(subject, form, now))


def _over(person: Person, chosen: Chosen, subject: Subject, amounts: tuple[Amount, ...]) -> list[str]:
    before = chosen.days_given.get(subject.customer.id, 0)
    return limits.approvable(person, limits.exceeded(person, amounts, days_before=before))


def _none(chosen: Chosen, totals: Totals, problem: TrialdeskError) -> InvalidInput:
    """Why it can be done to none: what was typed, where that alone stands against all of them."""
    if len(totals.cannot) == 1 and isinstance(problem, InvalidInput):
        return problem
    reasons = " ".join(f"{chosen.first(ids)}: {reason}" for reason, ids in totals.cannot.items())
    return InvalidInput(f"Of {chosen.many} none can be {chosen.kind.done}. {reasons}".strip())


def _left_out(chosen: Chosen, totals: Totals) -> list[str]:
    """Those to which it cannot be done, by reason."""
    return [
        f"{len(ids)} of {chosen.many} cannot be {chosen.kind.done}: {chosen.first(ids)}. {reason}"
        for reason, ids in totals.cannot.items()
    ]


def _unusual(chosen: Chosen, totals: Totals) -> list[str]:
    can = set(totals.can)
    found = ((told, [id for id in ids if id in can]) for told, ids in chosen.special.items())
    return [f"{told}: {chosen.named(ids)}." for told, ids in found if ids]


def _waits(chosen: Chosen, totals: Totals) -> list[str]:
    """What is above a limit of the person's, and that it waits."""
    told = [f"{over} ({chosen.named(ids)})" for over, ids in totals.asked.items()]
    return [*told, limits.WAITS] if told else []


def _called(subject: Subject) -> str:
    customer = subject.customer
    return isolated(customer.name or customer.email or customer.id)
