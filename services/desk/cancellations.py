"""How does a subscription end, and how is its end taken back?"""

from __future__ import annotations

from typing_extensions import override

from models.subscriptions import ENDED
from services.customers import names
from services.desk import effects, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, choice, gone, limited
from services.desk.quotes import next_invoice
from services.desk.subject import Subject
from services.desk.upcoming import next_charge
from services.errors import InvalidInput
from services.staff.roles import Permission
from services.stripe_api import writes

FEEDBACK = {
    "": "Not said",
    "too_expensive": "Too expensive",
    "missing_features": "Features are missing",
    "switched_service": "Went to another service",
    "unused": "Did not use it",
    "customer_service": "Customer service",
    "too_complex": "Too complex",
    "low_quality": "Low quality",
    "other": "Another reason",
}


class Cancel(Command):
    """Ends a subscription now, or with the period that it has paid for."""

    name = "cancel"
    title = names.ACTIONS["cancel"]
    icon = ":material/cancel:"
    permission = Permission.CANCEL
    about = frozenset(("subscription",))
    watched = ("status", "cancel_at", "trial_end", "current_period_end")
    reason_required = True

    @override
    def offered(self, subject: Subject) -> str:
        """For every subscription that has not ended."""
        if subject.subscription is None:
            return "There is no subscription."
        if deleted := gone(subject):
            return deleted
        if subject.subscription.status in ENDED:
            return f"The subscription has ended{_since(subject)}."
        return ""

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`when`: now or period_end; `feedback`: a code of FEEDBACK or ""; `comment` for Stripe's record."""
        assert subject.subscription is not None
        when = choice(form, "when", ("period_end", "now"), "Choose when the subscription should end.")
        feedback = form.get("feedback", "")
        if feedback not in FEEDBACK:
            raise InvalidInput("Choose one of the reasons in the list.", field="feedback")
        if when == "period_end":
            self._check_schedulable(subject)
        comment = limited(form.get("comment", "").strip(), "comment", 500)
        return {"when": when, "feedback": feedback, "comment": comment}

    def _check_schedulable(self, subject: Subject) -> None:
        subscription = subject.subscription
        assert subscription is not None
        if subscription.cancel_at:
            raise InvalidInput(
                f"It is already set to end on {words.moment(subscription.cancel_at)}.",
                field="when",
                remedy="Choose “now”, or close this.",
            )
        if subscription.status in ("incomplete", "paused", "unpaid") or not subscription.current_period_end:
            raise InvalidInput(
                "There is no paid period that it could run to.", field="when", remedy="Choose “now”."
            )
        if subscription.schedule:
            raise InvalidInput(
                "A subscription schedule in Stripe decides when it ends.",
                field="when",
                remedy="Change the schedule in Stripe, or choose “now”.",
            )

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """When access ends, and what becomes of money."""
        assert subject.subscription is not None
        if params["when"] == "now":
            ended = (
                "The subscription ends now.",
                "Nothing is refunded and no final invoice is made.",
                "If invoices of the customer are open, Stripe stops collecting them; they stay open.",
            )
            final = "A canceled subscription cannot be revived, only started anew."
            return Preview(ended, (*_still_pending(subject), *_dropped(subject), *_unbilled(subject), final))
        assert subject.subscription.current_period_end is not None
        status = subject.subscription.status
        paid = status != "past_due" and subject.latest is not None and subject.latest.status == "paid"
        kind = "trial" if status == "trialing" else "paid period" if paid else "period"
        end = words.moment(subject.subscription.current_period_end)
        happens = (
            f"The subscription runs to the end of its {kind}, {end}, and ends then.",
            "Nothing is charged for it after that. Until then the cancellation can be undone.",
        )
        owed = "It is past due: what it owes is still collected until then."
        return Preview(happens, (*((owed,) if status == "past_due" else ()), *_at_the_end(subject)))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """A DELETE for now (its effect is the status), an update with our mark for later."""
        details = {"feedback": params["feedback"], "comment": params["comment"]}
        if params["when"] == "now":
            return (
                Step(
                    "delete",
                    "subscription",
                    lambda work: writes.cancel_now(work.subject.object_id, details, work.key),
                    effects.of_subscription(lambda found: found["status"] in ENDED),
                    keyed=False,
                ),
            )
        return (
            Step(
                "update",
                "subscription",
                lambda work: writes.cancel_at_period_end(
                    work.subject.object_id, details, work.mark, work.key
                ),
                effects.of_subscription(),
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """When it ends."""
        assert subject.subscription is not None
        if params["when"] == "now":
            return "The subscription has ended."
        ends = subject.subscription.cancel_at or subject.subscription.current_period_end
        return (
            f"The subscription ends on {words.moment(ends)}." if ends else "The subscription is set to end."
        )


class UndoCancel(Command):
    """Takes a scheduled cancellation back."""

    name = "undo_cancel"
    title = names.ACTIONS["undo_cancel"]
    icon = ":material/undo:"
    permission = Permission.CANCEL
    about = frozenset(("subscription",))
    watched = ("status", "cancel_at")

    @override
    def offered(self, subject: Subject) -> str:
        """While the end is ahead."""
        subscription = subject.subscription
        if subscription is None:
            return "There is no subscription."
        if deleted := gone(subject):
            return deleted
        if subscription.status in ENDED:
            return f"The subscription has ended{_since(subject)}; it can only be started anew."
        if not subscription.cancel_at_period_end and not subscription.cancel_at:
            return "No cancellation is scheduled."
        if subscription.schedule:
            return "A subscription schedule in Stripe decides when it ends; change the schedule there."
        return ""

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """Nothing to fill in; which kind of schedule is taken back is fixed here."""
        assert subject.subscription is not None
        return {"at_period_end": subject.subscription.cancel_at_period_end}

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """That it goes on, and what its next invoice brings."""
        assert subject.subscription is not None
        ends = subject.subscription.cancel_at or subject.subscription.current_period_end
        stop = f" instead of ending on {words.moment(ends)}" if ends else ""
        return Preview((f"The subscription goes on{stop}.", *next_charge(subject, quote, lifted="end")))

    @override
    def quote(self, subject: Subject) -> Quote | None:
        """The next invoice once it goes on."""
        assert subject.subscription is not None
        if subject.subscription.cancel_at_period_end:
            return next_invoice(subject, cancel_at_period_end=False)
        return next_invoice(subject, cancel_at="")

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One update, found again by our mark."""
        return (
            Step(
                "update",
                "subscription",
                lambda work: writes.keep(
                    work.subject.object_id, params["at_period_end"], work.mark, work.key
                ),
                effects.of_subscription(),
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """That it goes on."""
        return "The cancellation was taken back; the subscription goes on."


def _still_pending(subject: Subject) -> tuple[str, ...]:
    """What waited for the subscription's next invoice, which does not come any more."""
    return _worded(
        subject,
        "waits for its next invoice and stays billable: bill it in Stripe, or delete it there.",
        "waits for its next invoice and stays: it counts on another invoice that is made in Stripe.",
    )


def _dropped(subject: Subject) -> tuple[str, ...]:
    """What changes in mid-period had still to be billed or credited: Stripe removes it with the end."""
    was = "was to come with its next invoice and is"
    return _worded(subject, f"{was} dropped.", f"{was} lost.", proration=True)


def _unbilled(subject: Subject) -> tuple[str, ...]:
    """What is billed by use, for which no final invoice is made."""
    used = [item.name for item in subject.items if item.price and item.price.usage_type == "metered"]
    return (f"What was used of {words.listing(used)} since the last invoice is not billed.",) if used else ()


def _at_the_end(subject: Subject) -> tuple[str, ...]:
    """What still waits as the subscription runs out: changes in mid-period are billed with its end."""
    last = "comes on an invoice at the end of the period."
    never = "waits for its next invoice, which may never come."
    return (*_worded(subject, never, never), *_worded(subject, last, last, proration=True))


def _worded(subject: Subject, owed: str, credit: str, *, proration: bool = False) -> tuple[str, ...]:
    """Of what waits, the amounts by currency: what becomes of those owed, and of those in the customer's
    favour."""
    sums: dict[str, int] = {}
    for item in subject.pending:
        if item.proration is proration:
            sums[item.currency] = sums.get(item.currency, 0) + item.amount
    why = " for changes in mid-period" if proration else ""
    asked = words.listing([words.money(amount, currency) for currency, amount in sums.items() if amount > 0])
    given = words.listing([words.money(-amount, currency) for currency, amount in sums.items() if amount < 0])
    told = (f"{asked}{why} {owed}" if asked else "", f"A credit of {given}{why} {credit}" if given else "")
    return tuple(filter(None, told))


def _since(subject: Subject) -> str:
    assert subject.subscription is not None
    ended = subject.subscription.ended_at
    return f" on {words.moment(ended)}" if ended else ""
