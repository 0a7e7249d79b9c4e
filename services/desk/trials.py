"""How is a trial moved or ended?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from sqlmodel import Session
from typing_extensions import override

from services import clock
from services.customers import contents, names
from services.desk import effects, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, choice, gone
from services.desk.days import on_day
from services.desk.limits import Amount, whole_days
from services.desk.payments import first_payment
from services.desk.quotes import next_invoice
from services.desk.subject import Subject
from services.desk.upcoming import after_trial, ends_unbilled, if_declined
from services.errors import InvalidInput
from services.staff.roles import Measure, Permission
from services.stripe_api import writes

LONGEST_DAYS = 730


def _why_not(subject: Subject) -> str:
    subscription = subject.subscription
    if subscription is None:
        return "There is no subscription."
    if deleted := gone(subject):
        return deleted
    if subscription.status != "trialing":
        status = subscription.status.replace("_", " ")
        return f"There is no running trial: the subscription is {status}."
    if subscription.schedule:
        return "A subscription schedule in Stripe decides about this trial; change the schedule there."
    return ""


class ExtendTrial(Command):
    """Lets a running trial end later."""

    name = "extend_trial"
    title = names.ACTIONS["extend_trial"]
    icon = ":material/more_time:"
    permission = Permission.EXTEND_TRIAL
    about = frozenset(("subscription",))
    watched = ("status", "trial_end", "cancel_at")

    @override
    def offered(self, subject: Subject) -> str:
        """Only for a running trial that is not a trial offer."""
        if reason := _why_not(subject):
            return reason
        assert subject.subscription is not None
        if subject.subscription.trial_offer:
            return "This trial comes from a trial offer; Stripe does not let its end be moved."
        return ""

    @override
    def equipped(self, session: Session, subject: Subject, now: int) -> Subject:
        """With the discounts that run."""
        about = [subject.subscription.id] if subject.subscription else []
        return replace(subject, rebates=tuple(contents.rebates(session, subject.customer.id, about, now)))

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`mode` days with `days`, or date with `date` (ISO, a local day; the time of day stays)."""
        assert subject.subscription is not None and subject.subscription.trial_end is not None
        ends = subject.subscription.trial_end
        mode = choice(form, "mode", ("days", "date"), "Choose whether to add days or to pick a date.")
        new = (
            ends + days(form) * clock.DAY
            if mode == "days"
            else on_day(form, "date", "Choose the day on which the trial should end.", like=ends)
        )
        field = mode if mode == "days" else "date"
        if new <= now:
            raise InvalidInput(
                f"{words.moment(new)} is in the past.", field=field, remedy="Choose a later end."
            )
        if new <= ends:
            raise InvalidInput(
                f"The trial already ends on {words.moment(ends)}.",
                field=field,
                remedy="Choose a later day, or end the trial now.",
            )
        if new > now + LONGEST_DAYS * clock.DAY:
            latest = words.moment(now + LONGEST_DAYS * clock.DAY)
            raise InvalidInput(
                "Stripe allows a trial to end at most two years ahead.",
                field=field,
                remedy=f"Choose an end before {latest}.",
            )
        return {"trial_end": new}

    @override
    def amounts(self, subject: Subject, params: Params) -> tuple[Amount, ...]:
        """The days that are added."""
        return (Amount(Measure.TRIAL_DAYS, _later(subject, params)),)

    @override
    def quote(self, subject: Subject) -> Quote | None:
        """The first invoice after the trial."""
        return next_invoice(subject)

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """The old and new end, and what happens then."""
        assert subject.subscription is not None and subject.subscription.trial_end is not None
        old, new = subject.subscription.trial_end, params["trial_end"]
        later = words.days(_later(subject, params))
        happens = [
            f"The trial ends on {words.moment(new)} instead of {words.moment(old)}: {later} later.",
            "Nothing is charged now.",
            at_its_end(subject, new, quote),
        ]
        return Preview(tuple(happens))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One update, found again by our mark."""
        return (
            Step(
                "update",
                "subscription",
                lambda work: writes.move_trial_end(
                    work.object_id, work.params["trial_end"], work.mark, work.key
                ),
                effects.of_subscription(),
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """When the trial ends now."""
        return f"The trial now ends on {words.moment(params['trial_end'])}."


class EndTrial(Command):
    """Ends a running trial at once and bills the first period."""

    name = "end_trial"
    title = names.ACTIONS["end_trial"]
    icon = ":material/hourglass_disabled:"
    permission = Permission.END_TRIAL
    about = frozenset(("subscription",))
    watched = ("status", "trial_end", "cancel_at")
    moves_money = True
    reason_required = True

    @override
    def offered(self, subject: Subject) -> str:
        """Only for a running trial."""
        return _why_not(subject)

    @override
    def quote(self, subject: Subject) -> Quote | None:
        """The invoice that ending the trial makes."""
        return next_invoice(subject, trial_end="now")

    @override
    def quote_binds(self, subject: Subject, params: Params) -> bool:
        """The first period is billed."""
        return True

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """Nothing to fill in; by the latest invoice until now the one that this makes is told apart."""
        assert subject.subscription is not None
        return {"latest_invoice": subject.subscription.latest_invoice}

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What is charged, and when the trial would have ended."""
        assert subject.subscription is not None and subject.subscription.trial_end is not None
        happens = (
            f"The trial ends now instead of {words.moment(subject.subscription.trial_end)}.",
            after_trial(subject, quote, "now", words.uncollected(subject.subscription, now)),
        )
        lasting = "A trial that has ended cannot be given back to this subscription here."
        return Preview(
            happens, (*_billed_though_leaving(subject), *if_declined(subject, quote, now), lasting)
        )

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One update, found again by our mark."""
        return (
            Step(
                "update",
                "subscription",
                lambda work: writes.end_trial(work.object_id, work.mark, work.key),
                effects.of_subscription(),
                billed=effects.new_invoice(params.get("latest_invoice")),
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """What became of the subscription, and of the money."""
        assert subject.subscription is not None
        status = subject.subscription.status.replace("_", " ")
        if subject.invoice is None:
            why = "without a card " if status in ("canceled", "paused") else ""
            return f"The trial has ended; nothing was charged, and {why}the subscription is {status}."
        return f"The trial has ended. {first_payment(subject, subject.invoice)} The subscription is {status}."


def _billed_though_leaving(subject: Subject) -> tuple[str, ...]:
    """That who asked to leave with the trial pays for a period, where there is something to bill."""
    subscription = subject.subscription
    assert subscription is not None
    if not (subscription.cancel_at or subscription.cancel_at_period_end) or ends_unbilled(subject):
        return ()
    ends = subscription.cancel_at or subscription.trial_end
    set_to = f"It is set to cancel on {words.moment(ends)}" if ends else "It is set to cancel"
    if subscription.cancel_at_period_end:
        return (f"{set_to}: the first period is billed all the same, and it ends with that one instead.",)
    return (f"{set_to} and still ends then: what is due for the first period is billed all the same.",)


def at_its_end(subject: Subject, trial_end: int, quote: Quote | None) -> str:
    """What happens as the trial ends at the new end; `quote` is for the present one."""
    assert subject.subscription is not None
    if ends := _scheduled_end(subject, trial_end):
        return ends
    over = _over_between(subject, trial_end)
    uncollected = words.uncollected(subject.subscription, trial_end)
    return f"{after_trial(subject, None if over else quote, 'then', uncollected)}{over}"


def _over_between(subject: Subject, trial_end: int) -> str:
    """That a discount is over at one of the ends of the trial and not at the other, so that the first
    payment is another one; "" where none is."""
    assert subject.subscription is not None and subject.subscription.trial_end is not None
    first, last = sorted((subject.subscription.trial_end, trial_end))
    over = [each.row.end for each in subject.rebates if each.row.end and first < each.row.end <= last]
    if not over:
        return ""
    counts = "does not count any more" if trial_end == last else "counts again"
    return f" A discount that ends on {words.moment(min(over))} {counts} then."


def _scheduled_end(subject: Subject, trial_end: int) -> str:
    """That the subscription ends with the new end of its trial or before it; "" where it goes on."""
    assert subject.subscription is not None
    ends = subject.subscription.cancel_at
    if subject.subscription.cancel_at_period_end:
        return "It is set to cancel, and that moves along: it ends with the trial, and nothing is charged."
    if ends and ends <= trial_end:
        return f"It is set to cancel on {words.moment(ends)}: it ends then already, and nothing is charged."
    return ""


def by_days(form: Form) -> str:
    """By how much trials were extended."""
    return f"by {words.days(days(form))}"


def unusual(subject: Subject) -> Iterator[str]:
    """What is not as with most trials that are extended, as the tables know it."""
    subscription = subject.subscription
    assert subscription is not None
    if subscription.cancel_at_period_end:
        yield "Set to cancel, and that moves along with the end of the trial, so that nothing is charged"
    elif subscription.cancel_at:
        yield "Set to cancel on a day that stays as it is"
    elif subscription.collection_method != "send_invoice" and subject.payment_method is None:
        stops = ends_unbilled(subject)
        billed = "and billed at the new end with an invoice that nobody can pay"
        yield f"Without a card, {f'so that it {stops} at the new end' if stops else billed}"


def _later(subject: Subject, params: Params) -> int:
    assert subject.subscription is not None and subject.subscription.trial_end is not None
    return whole_days(params["trial_end"] - subject.subscription.trial_end)


def days(form: Form) -> int:
    """By how many days the trial should end later. Raises InvalidInput."""
    text = form.get("days", "").strip()
    if text and not re.fullmatch(r"-?\d+", text, re.ASCII):
        raise InvalidInput(
            f"“{text[:40]}” is not a whole number of days.",
            field="days",
            remedy=f"Type a whole number between 1 and {LONGEST_DAYS}.",
        )
    number = int(text.lstrip("0")[:5] or 0)  # what is longer is too many, and Python reads no endless number
    if not 1 <= number <= LONGEST_DAYS:
        raise InvalidInput(
            f"The number of days must be between 1 and {LONGEST_DAYS}.",
            field="days",
            remedy="Type a whole number.",
        )
    return number
