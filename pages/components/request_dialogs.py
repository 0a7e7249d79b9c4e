"""The dialogs about requests to cancel: record one, offer something else, refuse, or note that they stay."""

from __future__ import annotations

import streamlit as st

from pages.components import account_fields, outreach, worklist
from pages.components.dialog import Reason, show
from services import database
from services.customers.names import ACTIONS, OFFERS, WISHES
from services.desk import asked, hearing, requestboard, requests
from services.desk.command import Form, Preview
from services.desk.commands import Outcome
from services.desk.hearing import LONGEST_COMMENT, Wish
from services.desk.requestboard import Request
from services.desk.requests import LONGEST_NOTE
from services.desk.subject import Subject
from services.errors import InvalidInput
from services.staff.roles import Person
from services.text import isolated

RECORD = "Record a request to cancel"
_DOES = {  # the action that keeps the promise
    "pause": "pause_collection",
    "coupon": "apply_coupon",
    "longer_trial": "extend_trial",
    "another_plan": "change_plan",
}
_NOTHING_YET = "Nothing changes in Stripe, and the customer is not told by itself."


def record_dialog(subject: Subject) -> None:
    """Opens the dialog that keeps what a customer said who wants to leave."""
    customer = subject.customer
    called = worklist.called(customer.name or "", customer.email or "", customer.id)
    what = ", ".join(isolated(item.name) for item in subject.items)
    show(_Record(subject), about=" · ".join(filter(None, (called, what))))


def offer_dialog(request: Request) -> None:
    """Opens the dialog that keeps what the customer is offered instead; it leads to a mail."""
    dialogue = _Offer(request)
    show(dialogue, about=_about(request), then=dialogue.write)


def refuse_dialog(request: Request) -> None:
    """Opens the dialog that says no; it leads to a mail."""
    dialogue = _Refuse(request)
    show(dialogue, about=_about(request), then=dialogue.write)


def stays_dialog(request: Request) -> None:
    """Opens the dialog that notes that the customer stays."""
    show(_Stays(request), about=_about(request))


def _about(request: Request) -> str:
    called = worklist.called(request.name, request.email, request.row.customer)
    return " · ".join(filter(None, (called, isolated(request.plan))))


# Each button says “cancel”: the one beside it is called “Go back” then, and not “Cancel” (dialog._buttons).
class _Record:
    """A customer has written or called; `_id` names what they said, so that it is kept once."""

    title = RECORD
    icon = ":material/person_remove:"
    confirm = "Record request to cancel"
    reason: Reason = "none"
    warning = ""

    def __init__(self, subject: Subject) -> None:
        self._id = hearing.new_id()
        self._customer, self._subscription = subject.customer.id, subject.object_id
        self._settled = asked.settled(subject.subscription)

    def fields(self, key: str) -> Form:
        """When it should end, why, and what they said."""
        when = st.radio(
            "When it should end", list(WISHES), key=f"{key}:when", horizontal=True,
            format_func=WISHES.__getitem__,
        )  # fmt: skip
        reason = account_fields.feedback_field(key)
        comment = st.text_area(
            "What the customer said", key=f"{key}:comment", height=100, max_chars=LONGEST_COMMENT,
        )  # fmt: skip
        return {"when": when or "", "reason": reason, "comment": comment or ""}

    def preview(self, form: Form) -> Preview:
        """Where it goes, and whether one is there already, or an end is set."""
        del form
        with database.session() as session:
            known = requestboard.undecided_of(session, self._customer)
        again = "A request waits already; this is added to it." if self._subscription in known else ""
        warnings = tuple(filter(None, (again, self._settled)))
        return Preview(("It is put on the list “Requests to cancel”.", _NOTHING_YET), warnings)

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Keeps it."""
        del reason
        wish = Wish(self._subscription, form["when"], form["reason"], form["comment"])
        with database.transaction() as session:
            hearing.record(session, person, self._id, wish)
        return Outcome("", "done", "Recorded. It waits on the page Requests to cancel.")

    def renew(self, person: Person) -> None:
        """Never needed: it is written down or refused with nothing done."""
        del person


class _Answer:
    """What the answers share: the request as it was seen, and no token, since a change names that."""

    warning = ""

    def __init__(self, request: Request) -> None:
        self._request, self._id, self._seen = request, request.row.id, asked.as_seen(request.row)

    def renew(self, person: Person) -> None:
        """Never needed: an answer is written down or refused with nothing done."""
        del person


class _Offer(_Answer):
    title = "Offer something else"
    icon = ":material/redeem:"
    confirm = "Offer instead of a cancel"
    reason: Reason = "none"
    _offered = ""

    def fields(self, key: str) -> Form:
        """What it is, and its terms."""
        what = st.selectbox(
            "What", list(OFFERS), index=None, key=f"{key}:what", format_func=OFFERS.__getitem__,
            placeholder="Choose",
        )  # fmt: skip
        note = st.text_area(
            "What exactly: the message to the customer says it in these words", key=f"{key}:note", height=68,
            max_chars=LONGEST_NOTE, placeholder="Two months at half the price",
        )  # fmt: skip
        return {"what": what or "", "note": note or ""}

    def preview(self, form: Form) -> Preview:
        """That it waits for the customer, and which button keeps the promise."""
        if not form["what"]:
            raise InvalidInput("Choose what is offered.", field="what")
        if not form["note"].strip():
            raise InvalidInput("Say what exactly is offered.", field="note")
        happens = ["The request waits for the customer’s answer, marked as “Offered”.", _NOTHING_YET]
        if does := _DOES.get(form["what"]):
            happens.append(
                f"Where the customer agrees: “{ACTIONS[does]}” on their page, then “Customer stays” here."
            )
        return Preview(tuple(happens))

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Keeps the offer."""
        del reason
        with database.transaction() as session:
            requests.offer(session, person, self._id, form["what"], form["note"], seen=self._seen)
        self._offered = form["note"].strip()
        return Outcome("", "done", "Kept. The customer does not know of it yet.")

    def write(self, outcome: Outcome) -> None:
        """Leads to the mail that makes the offer."""
        del outcome
        customer = self._request.row.customer
        outreach.mail_button(
            "Write to the customer", customer, template="cancellation_offer", offer=self._offered
        )


class _Refuse(_Answer):
    title = "Refuse to cancel"
    icon = ":material/block:"
    confirm = "Refuse to cancel"
    reason: Reason = "required"

    def fields(self, key: str) -> Form:
        """Nothing but the reason."""
        del key
        return {}

    def preview(self, form: Form) -> Preview:
        """That it goes on, or what does not change."""
        del form
        if settled := self._request.settled:
            return Preview(("The request is refused.", _NOTHING_YET), (settled,))
        return Preview(("The subscription goes on as it is.", _NOTHING_YET))

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Says no."""
        del form
        with database.transaction() as session:
            requests.refuse(session, person, self._id, reason, seen=self._seen)
        return Outcome("", "done", "Refused. The customer does not know of it yet.")

    def write(self, outcome: Outcome) -> None:
        """Leads to a mail."""
        del outcome
        outreach.mail_button("Write to the customer", self._request.row.customer, template="blank")


class _Stays(_Answer):
    title = "Customer stays"
    icon = ":material/favorite:"
    confirm = "Close request to cancel"
    reason: Reason = "optional"

    def fields(self, key: str) -> Form:
        """Nothing but the reason."""
        del key
        return {}

    def preview(self, form: Form) -> Preview:
        """That they stay, and what stands against it."""
        del form
        settled = self._request.settled
        ends = (f"{settled} “{ACTIONS['undo_cancel']}” on their page takes that back.",) if settled else ()
        return Preview(("The request is closed: the customer stays.", _NOTHING_YET), ends)

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Closes it."""
        del form
        with database.transaction() as session:
            requests.withdraw(session, person, self._id, reason, seen=self._seen)
        return Outcome("", "done", "Closed: the customer stays.")
