"""The dialogs for several rows at once: each row has a token and an outcome of its own.

What went wrong for one row stops no other; “Try again” repeats only the rows that failed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import streamlit as st

from pages.components import formats
from pages.components.dialog import Reason, show, show_problem
from pages.components.outreach import NO_MAIL_SERVER, told
from services import database
from services.desk import words
from services.desk.command import Form, Preview
from services.desk.commands import Outcome
from services.errors import InvalidInput, TrialdeskError, Unforeseen
from services.outreach import messages, templates
from services.outreach.defaults import TEMPLATES
from services.outreach.messages import Draft
from services.outreach.variables import Occasion
from services.staff.roles import Permission, Person

_AT_ONCE = 8
_log = logging.getLogger(__name__)


def messages_dialog(
    person: Person,
    customers: Mapping[str, str],
    *,
    template: str = "",
    invoices: Mapping[str, str] | None = None,
) -> None:
    """Opens the dialog that writes to several customers, one email each: name by customer id.

    `invoices` are the failed ones that the text is about, by customer id.
    """
    try:
        person.require(Permission.SEND_MESSAGE)
        dialogue = _WriteToSeveral(person, customers, template, invoices or {})
    except TrialdeskError as error:
        show_problem("Send messages", error)
        return
    show(dialogue, about=_listed(list(customers.values())))


def _listed(names: list[str]) -> str:
    return f"{len(names)}: {words.some(names)}"


class _WriteToSeveral:
    """One text for several customers: filled in for each, sent to each once."""

    title = "Send messages"
    icon = ":material/mail:"
    reason: Reason = "none"
    warning = ""

    def __init__(
        self, person: Person, customers: Mapping[str, str], wanted: str, invoices: Mapping[str, str]
    ) -> None:
        self._author = person
        self._names = dict(customers)
        self._about = {customer: Occasion(invoices.get(customer, "")) for customer in customers}
        self._tokens = {customer: messages.new_token() for customer in customers}
        self._failed: set[str] = set()
        self._texts = {text.slug: text for text in TEMPLATES}
        self._read()
        self._wanted = wanted if wanted in self._texts else next(iter(self._texts))
        self._leaves = messages.has_mail_server()
        self.confirm = "Send all" if self._leaves else "Put into the outbox"

    def fields(self, key: str) -> Form:
        """The text with its values in braces, and how it reads for the first customer."""
        slugs = list(self._texts)
        slug = st.selectbox(
            "Text", slugs, index=slugs.index(self._wanted), key=f"{key}:template",
            format_func=lambda slug: self._texts[slug].name,
        )  # fmt: skip
        text = self._texts[slug]
        subject = st.text_input(
            "Subject", value=text.subject, key=f"{key}:{slug}:subject",
            persist_state="page",
        )  # fmt: skip
        body = st.text_area(
            "Message", value=text.body, key=f"{key}:{slug}:body", height=240,
            persist_state="page", help="What stands in {{ }} is filled in for each customer.",
        )  # fmt: skip
        form = {"template": slug, "subject": subject or "", "body": body or ""}
        self._example(form)
        return form

    def _example(self, form: Form) -> None:
        drafts, _ = self._drafts(form)
        if not drafts:
            return
        customer, first = next(iter(drafts.items()))
        with st.expander(f"As {formats.plain(self._names[customer])} reads it"):
            st.text(first.subject)
            st.text(first.body)

    def preview(self, form: Form) -> Preview:
        """How many it goes to, and who cannot be written to."""
        drafts, left_out = self._written(form)
        each = f"One email each to {formats.plural(len(drafts), 'customer')}."
        answers = f"Answers come to {self._author.email}."
        return Preview((each, answers), (*left_out, *([] if self._leaves else [NO_MAIL_SERVER])))

    def _written(self, form: Form) -> tuple[dict[str, Draft], list[str]]:
        """What goes out, by customer, and a sentence on each who is left out. Raises InvalidInput."""
        templates.check(form["subject"], form["body"])
        drafts, problems = self._drafts(form)
        if not drafts:
            raise InvalidInput(" ".join(problems.values()), field="body")
        return drafts, [f"{self._names[id]} is left out: {why}" for id, why in problems.items()]

    def _read(self) -> None:
        """Reads what texts can say to each customer; not at every run of the dialog."""
        with database.session() as session:
            self._readers, self._unreachable = messages.readers(session, self._author, self._about)
        self._filled: tuple[Form, dict[str, Draft], dict[str, str]] | None = None

    def _drafts(self, form: Form) -> tuple[dict[str, Draft], dict[str, str]]:
        if self._filled is None or self._filled[0] != form:
            self._filled = (dict(form), *self._fill(form))
        return self._filled[1:]

    def _fill(self, form: Form) -> tuple[dict[str, Draft], dict[str, str]]:
        drafts: dict[str, Draft] = {}
        problems = dict(self._unreachable)
        text = replace(self._texts[form["template"]], subject=form["subject"], body=form["body"])
        for customer, reader in self._readers.items():
            try:
                drafts[customer] = messages.check(messages.write(text, reader))
            except TrialdeskError as problem:
                problems[customer] = str(problem)
        return drafts, problems

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Sends one to each who can be reached; the outcome names those that failed or are left out."""
        del reason
        person.require(Permission.SEND_MESSAGE)
        self._read()
        drafts, left_out = self._written(form)

        def send(customer: str) -> Outcome:
            messages.submit(self._tokens[customer], person, drafts[customer])
            return told(messages.wait(self._tokens[customer]))

        outcomes = _each(list(drafts), send)
        self._failed = {id for id, outcome in outcomes.items() if outcome.state == "failed"}
        done = "sent" if self._leaves else "kept in the outbox"
        named = [(self._names[id], outcome) for id, outcome in outcomes.items()]
        return _summed(named, "message", done, left_out)

    def renew(self, person: Person) -> None:
        """Only the messages that failed get a new token; the others are not sent again."""
        del person
        self._tokens |= {customer: messages.new_token() for customer in self._failed}


def _each(ids: list[str], work: Callable[[str], Outcome]) -> dict[str, Outcome]:
    """The outcome of every row; a refusal, and a fault of ours, is the outcome of its row alone."""

    def guarded(id: str) -> Outcome:
        try:
            return work(id)
        except TrialdeskError as error:
            return Outcome("", "failed", error.message, error.remedy)
        except Exception as error:
            fault = Unforeseen("Nobody knows yet what became of it: something went wrong in the desk", error)
            _log.exception("One of several rows, %s, failed (reference %s).", id, fault.reference)
            return Outcome("", "unknown", fault.message, fault.remedy)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(ids, pool.map(guarded, ids), strict=True))


def _summed(
    outcomes: Sequence[tuple[str, Outcome]], noun: str, done: str, left_out: Sequence[str] = ()
) -> Outcome:
    """One outcome for all, each with its name: done where all are, failed where one can be tried again.

    `left_out` are sentences on those with whom nothing was tried; they count among all.
    """
    rest = [(name, outcome) for name, outcome in outcomes if outcome.state != "done"]
    states = {outcome.state for _, outcome in rest}
    state = next((state for state in ("failed", "unknown", "waiting", "running") if state in states), "done")
    well = formats.count(len(outcomes) - len(rest))
    details = [f"{name}: {outcome.message} {outcome.remedy}" for name, outcome in rest]
    total = formats.plural(len(outcomes) + len(left_out), noun)
    return Outcome("", state, f"{well} of {total} {done}.", " ".join((*details, *left_out)))
