"""What is a command? What it needs, when it is offered, what it will do, and in which steps.

One object of each kind stands in `catalog`. Parameters are plain values, complete: whatever goes to
Stripe is fixed in them before the first step, so that a repeated step sends the same request.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlmodel import Session

from models import Action
from services.desk.limits import Amount
from services.desk.subject import MARK, About, Subject
from services.errors import InvalidInput
from services.staff.roles import Permission
from services.stripe_api.client import Answer

Form = Mapping[str, str]
Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quote:
    """What Stripe says that the next invoice would ask for, in minor units of `currency`.

    `total` is before the customer's balance, and below 0 where credits for changes in mid-period prevail.
    `carried` is too small to be charged: Stripe moves it to the customer's balance. `prorated` is what a
    change in mid-period gives back for unused time (0 or below) and asks for the rest of the period, where
    that is known; `until` the end (UTC seconds) of the period that the invoice is for.
    """

    amount_due: int
    currency: str
    total: int
    carried: int = 0
    prorated: tuple[int, int] | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What will happen, in sentences; `warnings` are what cannot be undone or will surprise. `waits`: nothing
    happens until a colleague allows it."""

    happens: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Leftover:
    """What a refused command leaves in the account, as a sentence that says how to go on.

    `command` on `object_id` goes on from there; "" where that has to be done in Stripe.
    """

    said: str
    command: str = ""
    object_id: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What a step acts on, by its id and its customer's, the fixed parameters, and the ids that earlier steps
    made."""

    token: str
    key: str
    customer: str
    object_id: str
    params: Params
    made: dict[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> dict[str, str]:
        """The metadata by which the effect is found again."""
        return {MARK: self.token}


@dataclass(frozen=True, slots=True)
class Step:
    """One request that writes. `effect` reads Stripe: the object where it was done, None where it was not.

    `keyed` is False for a DELETE, which carries no idempotency key: its effect is read before a repeat.
    `kind` names the object in the ledger's result. `may_be_done`: an earlier step may bring its effect about,
    which is looked up before the first attempt then. `billed` is the invoice that the answer says was made,
    which goes into the result, too. `read_after`: the answer does not show what the command is about, so that
    it is read then. `alone`: its refusal stops no other request; the result has the reason then, else what
    `alone` says of the answer, and `object_id` is what it acts on.
    """

    name: str
    kind: str
    call: Callable[[Work], Answer]
    effect: Callable[[Work], Answer | None]
    keyed: bool = True
    may_be_done: bool = False
    billed: Callable[[Answer], str | None] | None = None
    read_after: bool = False
    alone: Callable[[Answer], str] | None = None
    object_id: str = ""


class Command(ABC):
    """Base of all commands. `about` is what it acts on; `watched` are the fields of the subscription or
    invoice whose change since the dialog opened stops it. `personal`: the preview names personal data, so
    that the ledger keeps none of it. `of_debts`: it is about all that is overdue. `grave`: it takes something
    away from the customer or from us that no further click brings back."""

    name: ClassVar[str]
    title: ClassVar[str]
    icon: ClassVar[str]
    permission: ClassVar[Permission]
    about: ClassVar[frozenset[About]]
    watched: ClassVar[tuple[str, ...]] = ()
    moves_money: ClassVar[bool] = False
    reason_required: ClassVar[bool] = False
    durable: ClassVar[bool] = True
    once_at_a_time: ClassVar[bool] = False
    personal: ClassVar[bool] = False
    of_debts: ClassVar[bool] = False
    grave: ClassVar[bool] = False

    @abstractmethod
    def offered(self, subject: Subject) -> str:
        """ "" where Stripe allows it in this state, else the reason why not, as a sentence."""

    def label(self, subject: Subject) -> str:
        """What the button says for this state."""
        del subject
        return self.title

    def equipped(self, session: Session, subject: Subject, now: int) -> Subject:
        """The subject with what its dialog offers to choose from."""
        del session, now
        return subject

    def noted(self, session: Session, subject: Subject) -> Params:
        """What else its dialog sees as it opens that is kept among the parameters."""
        del session, subject
        return {}

    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """What was typed as parameters. Raises InvalidInput with the field's name."""
        del subject, form, now
        return {}

    def quote(self, subject: Subject) -> Quote | None:
        """What Stripe says it will charge (a request that writes nothing); None where it does not matter."""
        del subject
        return None

    def quote_for(self, subject: Subject, params: Params) -> Quote | None:
        """The same for these parameters."""
        del params
        return self.quote(subject)

    def asks(self, params: Params) -> bool:
        """Whether what Stripe foresees depends on what is typed, so that it is asked once that is typed
        (`quote_for`), and not as the dialog opens (`quote`)."""
        del params
        return False

    def quote_binds(self, subject: Subject, params: Params) -> bool:
        """Whether the quote is charged: it must be known, and the same still when the command runs."""
        del subject, params
        return False

    def amounts(self, subject: Subject, params: Params) -> tuple[Amount, ...]:
        """How much it does of what a role may be limited in (services/desk/limits)."""
        del subject, params
        return ()

    @abstractmethod
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What will happen with these parameters."""

    def moved_on(self, subject: Subject, params: Params) -> str:
        """What about the customer is not as the dialog showed it, as a sentence without personal data."""
        del subject, params
        return ""

    def kept(self, params: Params) -> Params:
        """What the ledger keeps of the parameters once the command has ended."""
        return params

    @abstractmethod
    def steps(self, params: Params) -> tuple[Step, ...]:
        """The requests, in order."""

    @abstractmethod
    def outcome(self, subject: Subject, params: Params) -> str:
        """What is true now that it was done, as a sentence; `params` holds the ledger's `result`, too."""

    def concluded(self, session: Session, action: Action) -> None:
        """What else is written down in the transaction in which the ledger says that it was done."""
        del session, action

    def left_behind(self, made: Mapping[str, str]) -> Leftover | None:
        """What the steps that were done (name -> id) leave in the account when a later one is refused.

        The command is not offered again from its dialog then: it would do the same once more.
        """
        del made
        return None


def required(form: Form, name: str, message: str, *, longest: int = 500) -> str:
    """A text that must be there. Raises InvalidInput."""
    text = form.get(name, "").strip()
    if not text:
        raise InvalidInput(message, field=name)
    return limited(text, name, longest)


def limited(text: str, name: str, longest: int) -> str:
    """The text, no longer than Stripe keeps it. Raises InvalidInput."""
    if len(text) > longest:
        raise InvalidInput(
            f"This is {len(text)} characters long; {longest} fit.", field=name, remedy="Shorten it."
        )
    return text


def choice(form: Form, name: str, allowed: tuple[str, ...], message: str) -> str:
    """One of the allowed values. Raises InvalidInput."""
    value = form.get(name, "")
    if value not in allowed:
        raise InvalidInput(message, field=name)
    return value


def currency_of(subject: Subject, form: Form) -> str:
    """What the customer pays in, or `currency` as typed for who has paid nothing yet. Raises InvalidInput."""
    if subject.currency:
        return subject.currency
    currency = form.get("currency", "").strip().lower()
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise InvalidInput("Say the currency with its three letters, e.g. USD.", field="currency")
    return currency


def gone(subject: Subject) -> str:
    """Why nothing can be done for what is not in Stripe any more; "" where it is there."""
    if subject.customer.deleted:
        return "This customer was deleted in Stripe; what is shown here is history."
    if subject.object.deleted:
        return f"This {subject.kind} is not in Stripe any more; what is shown here is history."
    return ""
