"""The dialogs that reach out: write to a customer, ask for a call. Open them in the run of a click.

message_dialog(person, "cus_...")                                   a text to choose and to change
message_dialog(person, "cus_...", template="payment_failed", invoice="in_...")
call_dialog(person, "cus_...")
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

import streamlit as st

from pages.components import customer_words, formats, guard, handover
from pages.components.dialog import Reason, show, show_problem
from services import clock, config, database
from services.customers import names, notes
from services.desk import words
from services.desk.command import Form, Preview
from services.desk.commands import Outcome
from services.errors import InvalidInput, TrialdeskError
from services.outreach import callboard, calls, messages, reachable
from services.outreach.callboard import CallRow
from services.outreach.calls import Wish
from services.outreach.messages import Choice, Draft
from services.outreach.variables import Occasion
from services.staff.roles import Permission, Person
from services.text import isolated

NO_MAIL_SERVER = (
    "No mail server is set up, so nothing leaves this machine: the message is kept in the built-in outbox."
)
_BRIEF_LINK = (
    "The card link opens for a few minutes only. Others who may make one can read it on the Outbox page."
)
_USUAL = ("payment_failed", "blank")  # what is chosen first; a text for another occasion is not
_FIRST_HOUR = time(10)
NOBODY = 0


def message_dialog(
    person: Person,
    customer_id: str,
    *,
    template: str = "",
    invoice: str = "",
    card_url: str = "",
    offer: str = "",
) -> None:
    """Opens the dialog that writes to a customer. `template` is chosen first; the rest is what the text is
    about (`Occasion`)."""
    occasion = Occasion(invoice, card_url, offer)
    try:
        person.require(Permission.SEND_MESSAGE)
        with database.session() as session:
            called = _called(reachable.customer(session, customer_id))
            choices = messages.choices(session, person, customer_id, occasion)
    except TrialdeskError as error:
        show_problem(names.SEND_MESSAGE, error)
        return
    show(_MessageDialogue(person, choices, template, occasion.card_url), about=called)


def mail_button(label: str, customer_id: str, *, template: str, card_url: str = "", offer: str = "") -> None:
    """In a dialog that is over: leads on to the one that writes to the customer, as `message_dialog`."""
    why_not = guard.current().why_not(Permission.SEND_MESSAGE)
    if st.button(label, icon=":material/mail:", disabled=bool(why_not), help=formats.plain(why_not) or None):
        told = {"template": template, "card_url": card_url, "offer": offer}
        handover.to(lambda: message_dialog(guard.current(), customer_id, **told))


def call_dialog(person: Person, customer_id: str) -> None:
    """Opens the dialog that asks for a one-on-one call with a customer."""
    try:
        person.require(Permission.REQUEST_CALL)
        with database.session() as session:
            customer = reachable.customer(session, customer_id)
            callers = calls.assignees(session)
            owner = notes.owner(session, customer_id)
    except TrialdeskError as error:
        show_problem(names.REQUEST_CALL, error)
        return
    called, there = _called(customer), customer_words.local_time(customer, clock.now())
    show(
        _CallDialogue({customer_id: called}, callers, owner or person.id),
        about=customer_words.on_the_phone(called, customer.phone, there),
    )


def calls_dialog(person: Person, customer_ids: Sequence[str]) -> None:
    """Opens the dialog that asks for a call with each of several customers."""
    try:
        person.require(Permission.REQUEST_CALL)
        with database.session() as session:
            callers = calls.assignees(session)
            each = {row.id: _called(row) for row in reachable.load(session, customer_ids)}
    except TrialdeskError as error:
        show_problem("Request calls", error)
        return
    show(_CallDialogue(each, callers, person.id), about=formats.plural(len(each), "customer"))


def _called(customer: object) -> str:
    parts = (getattr(customer, "name", ""), getattr(customer, "email", ""), getattr(customer, "id", ""))
    return " · ".join(map(isolated, list(filter(None, parts))[:2]))


class _MessageDialogue:
    """One message: a text is chosen, changed, and sent once."""

    title = names.SEND_MESSAGE
    icon = ":material/mail:"
    reason: Reason = "none"
    warning = ""

    def __init__(self, person: Person, choices: list[Choice], wanted: str, card_url: str = "") -> None:
        self._card_url = card_url
        self._token = messages.new_token()
        self._author = person
        self._drafts = {choice.template.slug: choice.draft for choice in choices if choice.draft}
        self._names = {choice.template.slug: choice.template.name for choice in choices}
        self._closed = [choice for choice in choices if not choice.draft]
        self._wanted = next(slug for slug in (wanted, *_USUAL) if slug in self._drafts)
        self._leaves = messages.has_mail_server()
        self.confirm = "Send" if self._leaves else "Put into the outbox"
        if wanted and self._wanted != wanted:
            self.warning = next((c.problem for c in self._closed if c.template.slug == wanted), "")

    def fields(self, key: str) -> Form:
        """The text, its subject and its body."""
        slugs = list(self._drafts)
        slug = st.selectbox(
            "Text", slugs, index=slugs.index(self._wanted), key=f"{key}:template",
            format_func=self._names.__getitem__, help=self._why_not_the_others(),
        )  # fmt: skip
        draft = self._drafts[slug]
        subject = st.text_input(
            "Subject", value=draft.subject, key=f"{key}:{slug}:subject", max_chars=200,
            persist_state="page",
        )  # fmt: skip
        body = st.text_area(
            "Message", value=draft.body, key=f"{key}:{slug}:body", height=280,
            persist_state="page",
        )  # fmt: skip
        return {"template": slug, "subject": subject or "", "body": body or ""}

    def _why_not_the_others(self) -> str | None:
        if not self._closed:
            return None
        lines = (f"- {formats.plain(c.template.name)}: {formats.plain(c.problem)}" for c in self._closed)
        return "Not for this customer now:\n" + "\n".join(lines)

    def _draft(self, form: Form) -> Draft:
        known = self._drafts[form["template"]]
        return Draft(known.customer, known.to_address, form["subject"], form["body"], known.template)

    def preview(self, form: Form) -> Preview:
        """Where it goes and who gets the answer."""
        written = messages.check(self._draft(form))
        told = _what_an_email_does(self._author, f"One email to {written.to_address}", self._leaves)
        if self._card_url and self._card_url in written.body:
            return replace(told, warnings=(*told.warnings, _BRIEF_LINK))
        return told

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Sends it and waits for the mail server's word."""
        del reason
        messages.submit(self._token, person, self._draft(form))
        return told(messages.wait(self._token))

    def renew(self, person: Person) -> None:
        """A refused message stays in the outbox; the next try is a message of its own."""
        del person
        self._token = messages.new_token()


def _what_an_email_does(author: Person, what: str, leaves: bool) -> Preview:
    settings = config.settings()
    if not leaves:
        return Preview((f"{what}.",), (NO_MAIL_SERVER,))
    return Preview(
        (f"{what}, from {author.name} ({settings.workspace_name}). Answers come to {author.email}.",)
    )


def told(reached: messages.Outcome) -> Outcome:
    """What became of a message, as dialogs tell it."""
    state, text = {
        "accepted": ("done", f"Sent to {reached.to_address}."),
        "outbox": ("done", f"Kept in the outbox for {reached.to_address}; no mail server is set up."),
        "failed": ("failed", reached.error),
        "unknown": ("unknown", reached.error),
    }.get(reached.state, ("running", "On its way; the Outbox page shows how it ends."))
    return Outcome(reached.token, state, text)


class _CallDialogue:
    """A request for a call with one or several customers: who, by when, why."""

    title = names.REQUEST_CALL
    icon = ":material/call:"
    confirm = "Request"
    reason: Reason = "none"
    warning = ""

    def __init__(self, customers: Mapping[str, str], callers: list[Person], assignee: int) -> None:
        self._called = dict(customers)
        self._tokens = {customer: calls.new_token() for customer in customers}
        self._names = {NOBODY: "Nobody yet"} | {caller.id: caller.name for caller in callers}
        self._assignee = assignee if assignee in self._names else NOBODY

    def fields(self, key: str) -> Form:
        """Who should call, by when, and what about."""
        left, right = st.columns(2)
        with left:
            assignee = assignee_field(self._names, self._assignee, key)
        with right:
            due = due_field(next_working_morning(), key)
        note = st.text_area("Note", key=f"{key}:note", height=100, placeholder="What is the call about?")
        return {"assignee": str(assignee), "due": due, "note": note or ""}

    def preview(self, form: Form) -> Preview:
        """Who is asked to do what."""
        due = calls.check_due(parse_due(form["due"]))
        who = self._names[int(form["assignee"])]
        left_out = self._left_out()
        number = len(self._tokens) - len(left_out)
        whom = "the customer" if number == 1 else f"{number} customers"
        when = f"by {formats.moment(due)} ({formats.zone_name()})" if due else "without a date"
        happens = f"{who} is asked to call {whom} {when}." if who != "Nobody yet" else (
            f"A call with {whom} waits on the Calls page for somebody to take it, {when}."
        )  # fmt: skip
        return Preview(
            (happens, "The customer is not told."),
            (*left_out.values(), *self._open_already(), *self._unnumbered(left_out)),
        )

    def _open_already(self) -> list[str]:
        """A sentence on each call that these customers wait for as it is."""
        with database.session() as session:
            rows = callboard.open_with(session, list(self._tokens), clock.now())
        return [f"A call with {self._called[row.customer]} is open already: {standing(row)}." for row in rows]

    def _unnumbered(self, left_out: Collection[str]) -> list[str]:
        """Whom nobody can call before a phone number is found."""
        with database.session() as session:
            ids = reachable.without_phone(session, [id for id in self._tokens if id not in left_out])
        if not ids:
            return []
        return [f"No phone number is known of {words.some([self._called[id] for id in ids])}."]

    def _left_out(self) -> dict[str, str]:
        """Who cannot be called, by id, with name and reason. Raises InvalidInput where nobody can be."""
        with database.session() as session:
            problems = reachable.refused(session, list(self._tokens))
        refused = {id: f"{self._called[id]} is left out: {why}" for id, why in problems.items()}
        if len(refused) == len(self._tokens):
            raise InvalidInput(" ".join(refused.values()))
        return refused

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Writes the requests down, all or none, without those who cannot be called."""
        del reason
        assignee, due = int(form["assignee"]) or None, parse_due(form["due"])
        left_out = self._left_out()
        with database.transaction() as session:
            for customer in self._tokens.keys() - left_out.keys():
                wish = Wish(customer, assignee, due, form["note"])
                calls.request(session, self._tokens[customer], person, wish)
        number = formats.plural(len(self._tokens) - len(left_out), "call")
        return Outcome("", "done", f"{number} requested. See the Calls page.", " ".join(left_out.values()))

    def renew(self, person: Person) -> None:
        """Never needed: a request is written down or refused with nothing done."""


def standing(call: CallRow) -> str:
    """Who makes an open call and by when: `Sam Okafor, due Nov 30, 2026, 10:00 AM`."""
    who = call.assignee_name or "nobody has taken it yet"
    return f"{who}, due {formats.moment(call.due_at)}" if call.due_at else f"{who}, without a date"


def assignee_field(names: dict[int, str], chosen: int, key: str) -> int:
    """Draws the choice of a person; NOBODY where it is left open."""
    ids = list(names)
    return st.selectbox(
        "Who calls", ids, index=ids.index(chosen) if chosen in ids else 0, key=f"{key}:assignee",
        format_func=lambda id: names[id],
    )  # fmt: skip


def due_field(first: datetime, key: str, *, label: str = "Due") -> str:
    """Draws a day and time in the workspace's zone; returns it as ISO text, "" for none."""
    due = st.datetime_input(label, value=first, key=f"{key}:due", help=f"In {formats.zone_name()}.")
    return due.isoformat() if due else ""


def next_working_morning() -> datetime:
    """Tomorrow at ten in the workspace's zone, on Fridays and Saturdays the Monday after (no zone kept)."""
    today = clock.local(clock.now(), config.settings().zone).date()
    days = {4: 3, 5: 2}.get(today.weekday(), 1)
    return datetime.combine(today + timedelta(days=days), _FIRST_HOUR)


def parse_due(text: str) -> int | None:
    """The instant of a day and time in the workspace's zone; None for none. Raises InvalidInput."""
    if not text:
        return None
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=config.settings().zone).timestamp())
    except ValueError:
        raise InvalidInput("Choose a day and a time.", field="due_at") from None
