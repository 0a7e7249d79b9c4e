"""How are a customer's email and name changed?

Both are personal data. The ledger keeps which of them was changed, by whom and why; the values themselves
only until the action has ended, as it may have to be repeated until then.
"""

from __future__ import annotations

from typing_extensions import override

from services.customers import names
from services.desk import effects
from services.desk.command import Command, Form, Params, Preview, Quote, Step, Work, gone, limited, required
from services.desk.subject import Subject
from services.errors import InvalidInput
from services.mailbox import is_address, is_control
from services.staff.roles import Permission
from services.stripe_api import writes
from services.stripe_api.client import Answer
from services.text import isolated, seen

_LONGEST = {"email": 512, "name": 256}
_NO_MAIL = "Nothing is sent about the change itself, neither to the old address nor to the new one."


class ChangeContact(Command):
    """Gives a customer another email or name."""

    name = "change_contact"
    title = names.ACTIONS["change_contact"]
    icon = ":material/contact_mail:"
    permission = Permission.CHANGE_CONTACT
    about = frozenset(("customer",))
    personal = True

    @override
    def offered(self, subject: Subject) -> str:
        """For every customer that exists."""
        return gone(subject)

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`email` and `name` as they shall be; what stays as it is is not sent."""
        email = required(form, "email", "Type the customer's email address.", longest=_LONGEST["email"])
        if email != subject.customer.email:
            email = seen(email)  # pasted addresses may hold what nobody sees
        if email != subject.customer.email and not is_address(email):
            raise InvalidInput("This is not an email address.", field="email", remedy="Correct it.")
        name = limited(form.get("name", "").strip(), "name", _LONGEST["name"])
        if any(map(is_control, name)):
            raise InvalidInput(
                "The name holds signs that cannot be shown.", field="name", remedy="Retype it."
            )
        old = _contact(subject)
        new = {each: value for each, value in {"email": email, "name": name}.items() if value != old[each]}
        if not new:
            raise InvalidInput("Nothing is changed yet.", field="email", remedy="Type another email or name.")
        return {"new": new, "old": {each: old[each] for each in new}}

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What is called how from now on, and where mail goes."""
        happens = [
            f"The {each} becomes {_said(value)} instead of {_said(params['old'][each])}."
            for each, value in params["new"].items()
        ]
        if "email" in params["new"]:
            happens.append(
                "Stripe's mails (receipts, invoices, reminders) and the desk's go to the new address."
            )
        happens.append(_NO_MAIL)
        issued = "Invoices that were issued already keep what stands on them."
        return Preview(tuple(happens), (issued,))

    @override
    def moved_on(self, subject: Subject, params: Params) -> str:
        """Another email or name than the dialog showed."""
        old, now = params["old"], _contact(subject)
        other = [each for each in old if now[each] != old[each]]
        return f"The customer's {other[0]} is another one by now than the dialog showed." if other else ""

    @override
    def kept(self, params: Params) -> Params:
        """Which of them was changed."""
        return {"changed": sorted(params["new"])}

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One update, found again by our mark."""
        return (Step("update", "customer", _update, effects.of_customer()),)

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """What was changed."""
        changed = " and ".join(params["changed"])
        return f"The customer's {changed} {'were' if ' and ' in changed else 'was'} changed."


def _contact(subject: Subject) -> dict[str, str]:
    return {"email": subject.customer.email or "", "name": subject.customer.name or ""}


def _said(value: str) -> str:
    return f"“{isolated(value)}”" if value else "none"


def _update(work: Work) -> Answer:
    return writes.change_contact(work.customer, work.params["new"], work.mark, work.key)
