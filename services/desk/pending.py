"""How is a charge taken back that waits for an invoice?"""

from __future__ import annotations

from typing_extensions import override

from services.customers import names
from services.desk import effects, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, gone
from services.desk.subject import Subject
from services.staff.roles import Permission
from services.stripe_api import writes


class RemoveCharge(Command):
    """Removes an amount that is on no invoice yet."""

    name = "remove_charge"
    title = names.ACTIONS["remove_charge"]
    icon = ":material/delete:"
    permission = Permission.REMOVE_CHARGE
    about = frozenset(("pending charge",))
    watched = ("amount",)
    reason_required = True

    @override
    def offered(self, subject: Subject) -> str:
        """While it waits."""
        if deleted := gone(subject):
            return deleted
        if subject.item is None:
            return "Choose the charge that should be removed."
        return "It is on an invoice by now: void that, or refund its payment." if subject.item.invoice else ""

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """Nothing to fill in."""
        item = subject.item
        assert item is not None
        return {"amount": item.amount, "currency": item.currency, "description": item.description or ""}

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What no invoice will ask for, or give."""
        item = subject.item
        assert item is not None
        what, is_credit = words.money(abs(item.amount), item.currency), item.amount < 0
        if item.description:
            what = f"{what} for “{item.description}”"
        happens = (
            (f"The credit of {what} is removed: the next invoice is not lowered by it.",)
            if is_credit
            else (f"{what} is removed: no invoice will ask for it.", "Nothing was charged for it yet.")
        )
        final = "It cannot be brought back, only added anew."
        return Preview(happens, (final, _of_a_change(is_credit)) if item.proration else (final,))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """A DELETE, without a key: its effect is that the charge is gone."""
        return (
            Step(
                "remove",
                "invoice_item",
                lambda work: writes.remove_invoice_item(work.object_id, work.key),
                effects.is_gone("invoiceitem"),
                keyed=False,
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """That it waits no more."""
        what = words.money(abs(params["amount"]), params["currency"])
        what = f"The credit of {what}" if params["amount"] < 0 else what
        return f"{what} was removed: no invoice will show it."


def _of_a_change(is_credit: bool) -> str:
    came = "It comes from a change of the subscription in mid-period"
    return f"{came}: the customer loses it." if is_credit else f"{came}: the customer is let off it."
