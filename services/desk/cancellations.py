"""How does a subscription end, and how is its end taken back?"""

from __future__ import annotations

from typing_extensions import override

from models.subscriptions import ENDED
from services.customers import names
from services.desk import effects, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, choice, gone, limited
from services.desk.quotes import next_invoice
from services.desk.subject import Subject
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
            happens = [
                "The subscription ends now.",
                "Nothing is refunded and no final invoice is made.",
                "Stripe stops collecting the customer's open invoices of it by itself; they stay open.",
            ]
            final = "A canceled subscription cannot be revived, only started anew."
            return Preview(tuple(happens), (*_still_pending(subject), final))
        assert subject.subscription.current_period_end is not None
        kind = "trial" if subject.subscription.status == "trialing" else "paid period"
        end = words.moment(subject.subscription.current_period_end)
        happens = [f"The subscription runs to the end of its {kind}, {end}, and ends then."]
        happens.append("Nothing is charged for it after that. Until then the cancellation can be undone.")
        return Preview(tuple(happens))

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
        """That it goes on, and the next charge."""
        assert subject.subscription is not None
        ends = subject.subscription.cancel_at or subject.subscription.current_period_end
        stop = f" instead of ending on {words.moment(ends)}" if ends else ""
        fate = words.uncollected(subject.subscription, subject.subscription.current_period_end or now)
        return Preview((f"The subscription goes on{stop}.", *next_charge(subject, quote, fate)))

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


def next_charge(subject: Subject, quote: Quote | None, fate: str = "") -> tuple[str, ...]:
    """The next charge with its amount and day, where one is ahead; `fate`: what becomes of it instead."""
    assert subject.subscription is not None
    day = subject.subscription.current_period_end
    if quote is None or day is None:
        return ("Nothing is charged now.",)
    amount = words.money(quote.amount_due, quote.currency)
    if fate:
        told = f"the invoice for {amount}, due on {words.moment(day)}, is {fate}; nothing is taken."
        return ("Nothing is charged now.", f"Collection is paused: {told}")
    return ("Nothing is charged now.", f"The next payment, {amount}, is due on {words.moment(day)}.")


def _still_pending(subject: Subject) -> tuple[str, ...]:
    """What waited for the subscription's next invoice, which does not come any more."""
    sums: dict[str, int] = {}
    for item in subject.pending:
        sums[item.currency] = sums.get(item.currency, 0) + item.amount
    if not sums:
        return ()
    amounts = words.listing([words.money(amount, currency) for currency, amount in sums.items()])
    return (
        f"{amounts} waits for its next invoice and stays billable: bill it in Stripe, or delete it there.",
    )


def _since(subject: Subject) -> str:
    assert subject.subscription is not None
    ended = subject.subscription.ended_at
    return f" on {words.moment(ended)}" if ended else ""
