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
from services.errors import InvalidInput
from services.staff.roles import Person

Typed = tuple[tuple[str, str], ...]


class Unasked(InvalidInput):
    """What was typed may do, and Stripe was not asked yet what it comes to."""

    def __init__(self) -> None:
        super().__init__("Let Stripe say what this comes to before it is done.")


@dataclass(frozen=True, slots=True)
class Opened:
    """An open dialog: its token, who opened it, what it is about, and what Stripe foresees.

    `warning`: Stripe was silent, or refused to say what it foresees. `days_before`: what was added to the
    customer's trials so far. `asked` is what Stripe said of things typed.
    """

    token: str
    person: Person
    command: Command
    subject: Subject
    quote: Quote | None
    warning: str = ""
    days_before: int = 0
    asked: dict[Typed, tuple[Params, Quote | None]] = field(default_factory=dict)

    def over(self, params: Params) -> list[str]:
        """A sentence for each limit of the person's that this exceeds."""
        amounts = self.command.amounts(self.subject, params)
        return limits.exceeded(self.person, amounts, days_before=self.days_before)

    def knows(self, form: Form) -> bool:
        """Whether Stripe need not be asked (any more) what comes of the form."""
        return not self.command.asks or _typed(form) in self.asked

    def ask(self, form: Form) -> None:
        """Asks Stripe what comes of the form, which writes nothing: the work of a click.

        Raises InvalidInput, and what a read raises.
        """
        params = self.command.parse(self.subject, form, clock.now())
        self.asked[_typed(form)] = params, self.command.quote_for(self.subject, params)

    def understood(self, form: Form, now: int) -> tuple[Params, Quote | None]:
        """The parameters, and what Stripe foresees with them. Raises InvalidInput; Unasked where it was not
        asked yet."""
        params = self.command.parse(self.subject, form, now)
        if not self.knows(form):
            raise Unasked
        return self.asked[_typed(form)] if self.command.asks else (params, self.quote)


def _typed(form: Form) -> Typed:
    return tuple(sorted(form.items()))
