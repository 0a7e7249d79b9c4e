"""What does an open dialog know? What it is about, and what Stripe said that would come of it.

Some commands cost what their form says. Stripe is asked of that by a click, once it is filled in, and the
answer is kept with the parameters that it was given for: an instant among them stays what it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from services import clock
from services.desk import limits
from services.desk.command import Command, Form, Params, Quote
from services.desk.subject import Subject
from services.desk.undone import UNDOES
from services.errors import InvalidInput, NotAllowed, Unavailable
from services.staff.roles import Person

NOT_FORESEEN = "What the next invoice comes to is therefore not known."
Typed = tuple[tuple[str, str], ...]


class Unasked(InvalidInput):
    """What was typed may do, and Stripe was not asked yet what it comes to."""

    def __init__(self) -> None:
        super().__init__("Let Stripe say what this comes to before it is done.")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What was typed, as parameters, and what Stripe says that it comes to. `warning`: it did not say, and
    the sum only informs."""

    params: Params
    quote: Quote | None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Undoing:
    """The action that a dialog takes back: its token, how it is called for people, and the part of the form
    that does so, which nobody fills in."""

    token: str
    said: str
    form: Form


@dataclass(frozen=True, slots=True)
class Answering:
    """The request of a customer's that a dialog fulfils: its id, how it is told, with what the form and the
    reason begin, and the id of what the customer said last. `cut`: Stripe has no room for all of it."""

    request: str
    said: str
    form: Form
    because: str
    last: str
    cut: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """An open dialog: its token, who opened it, what it is about, and what Stripe foresees.

    `warning`: Stripe was silent, or refused to say what it foresees. `days_before`: what was added to the
    customer's trials so far. `waiting`: who asked for the same, which waits for approval, as a sentence.
    `asked` is what Stripe said of things typed; `noted` is kept among the parameters. `undoing`: it takes an
    action back. `answering`: a customer has asked for it.
    """

    token: str
    person: Person
    command: Command
    subject: Subject
    quote: Quote | None
    warning: str = ""
    days_before: int = 0
    waiting: str = ""
    asked: dict[Typed, Foreseen] = field(default_factory=dict)
    noted: Params = field(default_factory=dict)
    undoing: Undoing | None = None
    answering: Answering | None = None

    def over(self, params: Params) -> list[str]:
        """A sentence for each limit of the person's that this exceeds."""
        amounts = self.command.amounts(self.subject, params)
        return limits.exceeded(self.person, amounts, days_before=self.days_before)

    def ask(self, form: Form) -> Foreseen:
        """Asks Stripe what comes of the form, which writes nothing: the work of a click.

        Raises InvalidInput, Refused, and what a read raises where the sum is charged.
        """
        params = self._parsed(form, clock.now())
        found = self.asked[_typed(form)] = self._foreseen(params)
        return found

    def _foreseen(self, params: Params) -> Foreseen:
        try:
            return Foreseen(params, self.command.quote_for(self.subject, params))
        except (NotAllowed, Unavailable) as silence:
            if self.command.quote_binds(self.subject, params):
                raise
            return Foreseen(params, None, f"{silence.message} {NOT_FORESEEN}")

    def understood(self, form: Form, now: int) -> Foreseen:
        """The parameters, and what Stripe foresees with them. Raises InvalidInput; Unasked where it was not
        asked yet."""
        params = self._parsed(form, now)
        if not self.command.asks(params):
            return Foreseen(params, self.quote)
        if _typed(form) not in self.asked:
            raise Unasked
        return self.asked[_typed(form)]

    def _parsed(self, form: Form, now: int) -> Params:
        if self.undoing is None:
            return {**self.command.parse(self.subject, form, now), **self.noted}
        params = self.command.parse(self.subject, {**form, **self.undoing.form}, now)
        return {**params, UNDOES: self.undoing.token}


def _typed(form: Form) -> Typed:
    return tuple(sorted(form.items()))
