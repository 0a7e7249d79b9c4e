"""The dialogs for several rows at once: each row has a token and an outcome of its own.

What went wrong for one row stops no other; “Try again” repeats only the rows that failed.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import streamlit as st

from pages.components import formats
from pages.components.actions import days_field
from pages.components.dialog import Reason, show, show_problem
from pages.components.outreach import NO_MAIL_SERVER, told
from services import database
from services.desk import commands, limits
from services.desk.command import Form, Preview
from services.desk.commands import Opened, Outcome
from services.desk.limits import Amount
from services.desk.trials import days, special
from services.errors import InvalidInput, TrialdeskError, Unforeseen
from services.outreach import messages, templates
from services.outreach.defaults import TEMPLATES
from services.outreach.messages import Draft
from services.outreach.variables import Occasion
from services.staff.roles import Measure, Permission, Person

_AT_ONCE = 8
_NAMED = 5
_log = logging.getLogger(__name__)


def extend_dialog(person: Person, trials: Mapping[str, tuple[str, str]]) -> None:
    """Opens the dialog that extends several trials: customer's id and name by subscription."""
    try:
        person.require(Permission.EXTEND_TRIAL)
    except TrialdeskError as error:
        show_problem("Extend trials", error)
        return
    show(_ExtendTrials(person, trials, _unusual), about=_listed([name for _, name in trials.values()]))


def _unusual(trials: Collection[str]) -> dict[str, list[str]]:
    with database.session() as session:
        return special(session, trials)


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
    return f"{len(names)}: {_first(names)}"


def _first(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


class _ExtendTrials:
    """The desk's own command for each trial, opened and submitted row by row.

    Before that nobody asks Stripe about the rows: what is special with some, the tables say.
    """

    title = "Extend trials"
    icon = ":material/more_time:"
    confirm = "Extend all"
    reason: Reason = "optional"
    warning = ""

    def __init__(
        self,
        person: Person,
        trials: Mapping[str, tuple[str, str]],
        look: Callable[[Collection[str]], Mapping[str, list[str]]],
    ) -> None:
        self._person = person
        self._trials = dict(trials)
        self._look = look
        self._unusual = look(trials)
        self._opened: dict[str, Opened] = {}
        self._failed: set[str] = set()

    def fields(self, key: str) -> Form:
        """How many days."""
        return days_field(key)

    def preview(self, form: Form) -> Preview:
        """What every row has in common."""
        later = formats.plural(days(form), "day")
        left = self._failed or set(self._trials)
        each = "The trial" if len(left) == 1 else f"Each of the {len(left)} trials"
        over = limits.at_once(self._person, Amount(Measure.TRIAL_DAYS, days(form)))
        anew = [
            f"{self._trials[id][1]}: {_happens(self._opened[id], form)}"
            for id in self._trials
            if id in self._failed and id in self._opened
        ]
        happens = (f"{each} ends {later} later than it does now.", *anew, "Nothing is charged now.")
        special = (f"{told}: {self._named(ids, left)}." for told, ids in self._told(left))
        return Preview(happens, (*special, *over))

    def _told(self, left: Collection[str]) -> list[tuple[str, list[str]]]:
        """What is special with some of the rows that are left, and with which."""
        found = ((told, [id for id in ids if id in left]) for told, ids in self._unusual.items())
        return [(told, ids) for told, ids in found if ids]

    def _named(self, ids: list[str], left: Collection[str]) -> str:
        return "all of them" if 1 < len(left) == len(ids) else _first([self._trials[id][1] for id in ids])

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Extends each, several at once; the outcome counts them and names those that failed."""

        def extend(subscription: str) -> Outcome:
            return commands.submit(self._open(person, subscription), person, form, reason)

        outcomes = _each(list(self._trials), extend)
        self._failed = {id for id, outcome in outcomes.items() if outcome.state == "failed"}
        return _summed([(self._trials[id][1], one) for id, one in outcomes.items()], "trial", "extended")

    def renew(self, person: Person) -> None:
        """Only the rows that failed are opened anew; the others keep their token and are not repeated.

        One that cannot be opened is tried once more with the rest, and its reason told then.
        """
        for subscription in self._failed:
            self._opened.pop(subscription, None)
            with contextlib.suppress(Exception):
                self._open(person, subscription)
        self._unusual = self._look(self._failed)

    def _open(self, person: Person, subscription: str) -> Opened:
        if subscription not in self._opened:
            customer, _ = self._trials[subscription]
            self._opened[subscription] = commands.open(person, "extend_trial", customer, subscription)
        return self._opened[subscription]


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


def _happens(opened: Opened, form: Form) -> str:
    """What would happen to one row, or why nothing can: the others go on."""
    try:
        return commands.preview(opened, form).happens[0]
    except InvalidInput as problem:
        return problem.message


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
