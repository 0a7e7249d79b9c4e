"""How is an extension of a trial taken back? The trial ends again when it did before.

Only to an end that it had: whoever may extend trials may not therefore end them early.
"""

from __future__ import annotations

from typing_extensions import override

from models import Action
from services import database
from services.customers import names
from services.desk import ledger, words
from services.desk.command import Form, Params, Preview, Quote
from services.desk.limits import Amount, whole_days
from services.desk.subject import Subject
from services.desk.trials import ExtendTrial, at_its_end
from services.desk.undone import UNDOES
from services.errors import InvalidInput


class TakeBackExtension(ExtendTrial):
    """Lets an extended trial end when it did before. It has no button of its own: it is opened from the
    ledger's row of the extension."""

    name = "take_back_extension"
    title = names.ACTIONS["take_back_extension"]
    icon = ":material/undo:"
    about = frozenset()

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`action`: the token of the extension, which the trial's end must still be of."""
        assert subject.subscription is not None
        with database.session() as session:
            action = ledger.get(session, form.get("action", ""))
        done = (action.command, action.state, action.object_id)
        if done != (ExtendTrial.name, "done", subject.object_id):
            raise InvalidInput("This is no extension of this trial.", remedy="Choose its row in Activity.")
        if subject.subscription.trial_end != action.params["trial_end"]:
            raise InvalidInput("The trial's end was moved again since.", remedy="Take that back first.")
        old = end_before(action)
        if old <= now:
            raise InvalidInput(passed(old), remedy="The trial can be ended now instead.")
        return {"trial_end": old, UNDOES: action.token}

    @override
    def amounts(self, subject: Subject, params: Params) -> tuple[Amount, ...]:
        """Nothing is given."""
        return ()

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """The end that it goes back to, and what happens then."""
        assert subject.subscription is not None and subject.subscription.trial_end is not None
        old, new = subject.subscription.trial_end, params["trial_end"]
        moved = f"The trial ends on {words.moment(new)} again instead of {words.moment(old)}"
        happens = (
            f"{moved}: {words.days(whole_days(old - new))} earlier.",
            "Nothing is charged now.",
            at_its_end(subject, new, quote),
        )
        return Preview(happens)


def end_before(extension: Action) -> int:
    """When the trial ended before it was extended (UTC seconds)."""
    return int(extension.before["trial_end"])


def passed(end: int) -> str:
    """That the trial cannot go back to an end."""
    return f"Its old end, {words.moment(end)}, has passed."
