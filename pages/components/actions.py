"""The buttons of the desk: which commands make sense for this state, and the dialog of each.

action_buttons(person, subject)            on a page that shows the subject
action_dialog(person, "extend_trial", id)  from any page, in the run of a click
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import streamlit as st

from pages.components import (
    account_fields,
    customer_words,
    formats,
    guard,
    handover,
    invoice_fields,
    number_fields,
    plan_fields,
)
from pages.components.dialog import Prepared, Reason, show_after
from pages.components.outreach import mail_button
from services import clock, config
from services.desk import answering, catalog, commands, undo
from services.desk.asking import Answering, Opened
from services.desk.cancellations import LONGEST_COMMENT
from services.desk.command import Form, Preview
from services.desk.commands import Outcome
from services.desk.subject import Subject
from services.staff.roles import Measure, Person
from services.text import isolated

_FIRST_DAYS = 7


def action_buttons(
    person: Person, subject: Subject, place: str = "", *, beside: Callable[[], None] | None = None
) -> None:
    """A button for each command that is offered for the subject; behind one more, why the others are not.

    `place` tells apart the buttons of a subject that stands on the page twice; `beside` draws further ones.
    """
    offers = catalog.offers(person, subject)
    with st.container(horizontal=True):
        for offer in offers:
            if not offer.reason and st.button(
                formats.plain(offer.label),
                icon=offer.command.icon,
                key=_key(offer.command.name, subject, place),
            ):
                action_dialog(
                    person, offer.command.name, subject.customer.id, subject.object_id, title=offer.label
                )
        if beside:
            beside()
        closed = [offer for offer in offers if offer.reason]
        if closed:
            with st.popover(
                "Not possible", type="tertiary", icon=":material/block:", key=_key("not-now", subject, place)
            ):
                why = (f"**{formats.plain(one.label)}**  \n{formats.plain(one.reason)}" for one in closed)
                st.markdown("\n\n".join(why))


def action_dialog(
    person: Person, command: str, customer_id: str, object_id: str | None = None, *, title: str = ""
) -> None:
    """Opens the dialog of a command. Without `object_id` the customer's fitting subscription or invoice is
    chosen. Where the command cannot be given, the dialog says why."""

    wanted = catalog.find(command)
    show_after(
        title or wanted.title,
        wanted.icon,
        lambda: _prepared(commands.open(person, command, customer_id, object_id)),
    )


def undo_dialog(person: Person, token: str, command: str) -> None:
    """Opens the dialog of the command that takes an action back."""
    wanted = catalog.find(command)
    show_after(wanted.title, wanted.icon, lambda: _prepared(undo.open(person, token)))


def approve_dialog(person: Person, request: str) -> None:
    """Opens the dialog of the cancel that a customer's request asks for."""
    wanted = catalog.find("cancel")
    show_after(wanted.title, wanted.icon, lambda: _prepared(answering.open(person, request)))


def _prepared(opened: Opened) -> Prepared:
    dialogue = _ActionDialogue(opened)
    takes_back = f"\nTakes back {opened.undoing.said}" if opened.undoing else ""
    return Prepared(
        dialogue,
        about=f"{_about(opened.subject)}{takes_back}",
        because=opened.answering.because if opened.answering else "",
        ask=dialogue.ask,
        grave=opened.command.grave,
        then=lambda outcome: _go_on(opened.subject.customer.id, outcome),
    )


def _go_on(customer: str, outcome: Outcome) -> None:
    """The way from what is over to what follows it, where anything does."""
    if outcome.link:
        mail_button("Send it by email", customer, template="card_link", card_url=outcome.link)
    step = outcome.next_step
    if step and st.button(formats.plain(step.title), type="primary"):
        handover.to(lambda: action_dialog(guard.current(), step.command, step.customer, step.object_id))


def _key(name: str, subject: Subject, place: str) -> str:
    return f"action:{name}:{subject.object_id}{place}"


def _about(subject: Subject) -> str:
    who = subject.customer.name or subject.customer.email or subject.customer.id
    what = ", ".join(item.name for item in subject.items)
    if subject.invoice:
        what = f"invoice {subject.invoice.number or subject.invoice.id}"
    if subject.item:
        what = customer_words.pending(subject.item)
    if taken := subject.payment:
        what = f"payment of {formats.money(taken.amount, taken.currency)}, {formats.day(taken.created)}"
    return " · ".join(filter(None, (isolated(who), what)))


class _ActionDialogue:
    """A command of the desk as a dialogue; after a refusal it opens the command anew."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self.title = opened.command.label(opened.subject)
        self.icon = opened.command.icon
        self.reason: Reason = "required" if opened.command.reason_required else "optional"

    @property
    def confirm(self) -> str:
        """What the button says, by what the command would do now."""
        return _CONFIRM.get(self._opened.command.name, self._opened.command.label(self._opened.subject))

    @property
    def warning(self) -> str:
        """What Stripe could not be asked."""
        return self._opened.warning

    def fields(self, key: str) -> Form:
        """The inputs of this command."""
        name, subject = self._opened.command.name, self._opened.subject
        if undoing := self._opened.undoing:  # what it does is fixed, how that is billed is not
            return plan_fields.billed(subject, undoing.form, key) if name == "change_plan" else {}
        if asked := self._opened.answering:
            return _as_asked(subject, asked, key)
        draw = _FIELDS.get(name)
        return draw(subject, key) if draw else {}

    def preview(self, form: Form) -> Preview:
        """What the command will do."""
        return commands.preview(self._opened, form)

    def ask(self, form: Form) -> None:
        """Asks Stripe what it comes to."""
        self._opened.ask(form)

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Carries it out."""
        return commands.submit(self._opened, person, form, reason)

    def renew(self, person: Person) -> None:
        """A new token: the old one had its final answer."""
        before, about = self._opened, self._opened.subject
        if before.undoing:
            self._opened = undo.open(person, before.undoing.token)
        elif before.answering:
            self._opened = answering.open(person, before.answering.request)
        else:
            self._opened = commands.open(person, before.command.name, about.customer.id, about.object_id)


def _as_asked(subject: Subject, asked: Answering, key: str) -> Form:
    """The fields of a cancel as the customer wants it; anew where they have said something since."""
    st.text(asked.said)
    if asked.cut:
        st.caption(
            f"They said more than the {LONGEST_COMMENT} characters that Stripe keeps: the newest stand here."
        )
    return account_fields.cancel(subject, f"{key}:{asked.last}", asked.form)


def _extend_trial(subject: Subject, key: str) -> Form:
    assert subject.subscription is not None and subject.subscription.trial_end is not None
    mode = st.radio(
        "Extend", ["days", "date"], key=f"{key}:mode", horizontal=True,
        format_func={"days": "By days", "date": "To a date"}.__getitem__,
    )  # fmt: skip
    if mode == "days":
        return days_field(key)
    ends = clock.local(subject.subscription.trial_end, config.settings().zone).date()
    first = ends + timedelta(days=_first_days())
    return {"mode": "date", "date": account_fields.day("New last day", first, f"{key}:date")}


def _first_days() -> int:
    """By how many days a trial ends later where nothing was typed yet: no more than the looker may give."""
    looker = guard.current()
    most = looker.policy.most(looker.role, Measure.TRIAL_DAYS)
    return _FIRST_DAYS if most is None else min(_FIRST_DAYS, max(1, most))


def days_field(key: str) -> Form:
    """By how many days a trial ends later, as typed."""
    return {"mode": "days", "days": number_fields.whole("Days", _first_days(), f"{key}:days")}


_FIELDS: dict[str, Callable[[Subject, str], Form]] = {
    "extend_trial": _extend_trial,
    "cancel": account_fields.cancel,
    "pause_collection": account_fields.pause,
    "start_trial": account_fields.start_trial,
    "account_credit": account_fields.credit,
    "change_contact": account_fields.contact,
    **plan_fields.FIELDS,
    **invoice_fields.FIELDS,
}
_CONFIRM = {
    "cancel": "Cancel subscription",
    "retry_payment": "Charge now",
    "card_link": "Make the link",
}
