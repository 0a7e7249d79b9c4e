"""How does a subscription end, and how is its end taken back?"""

from __future__ import annotations

from sqlmodel import Session
from typing_extensions import override

from models import Action
from models.subscriptions import ENDED
from services.customers import names
from services.desk import asked, effects, endings, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, Work, choice, gone, limited
from services.desk.days import on_day
from services.desk.quotes import next_invoice
from services.desk.subject import Subject
from services.desk.upcoming import next_charge
from services.errors import InvalidInput
from services.staff.roles import Permission
from services.stripe_api import writes
from services.stripe_api.client import Answer

LONGEST_COMMENT = 500  # characters of what a customer said that Stripe keeps


class Cancel(Command):
    """Ends a subscription now, on a date, or with the period that it has paid for."""

    name = "cancel"
    title = names.ACTIONS["cancel"]
    icon = ":material/cancel:"
    permission = Permission.CANCEL
    about = frozenset(("subscription",))
    watched = ("status", "cancel_at", "trial_end", "current_period_end")
    grave = True
    reason_required = True

    @override
    def offered(self, subject: Subject) -> str:
        """For every subscription that has not ended."""
        if subject.subscription is None:
            return "There is no subscription."
        if deleted := gone(subject):
            return deleted
        if subject.subscription.status in ENDED:
            return f"The subscription has ended{words.on(subject.subscription.ended_at)}."
        return ""

    @override
    def noted(self, session: Session, subject: Subject) -> Params:
        """The customer's request: what they say after the dialog opened was not seen by who confirms it."""
        return {asked.SEEN: asked.seen(session, subject.object_id)}

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`when`: period_end, date (with `date`, ISO) or now; `feedback`: one of names.FEEDBACK;
        `comment` for Stripe's record; `prorate` (date, now) and `invoice_now` (now): "yes" or ""."""
        assert subject.subscription is not None
        when = choice(form, "when", ("period_end", "date", "now"), "Choose when the subscription should end.")
        feedback = form.get("feedback", "")
        if feedback not in names.FEEDBACK:
            raise InvalidInput("Choose one of the reasons in the list.", field="feedback")
        comment = limited(form.get("comment", "").strip(), "comment", LONGEST_COMMENT)
        told = {"when": when, "feedback": feedback, "comment": comment}
        prorate = form.get("prorate") == "yes"
        if when == "now":
            made = {"invoice_now": form.get("invoice_now") == "yes"}
            return {**told, **made, "prorate": prorate, "latest_invoice": subject.subscription.latest_invoice}
        _check_schedulable(subject, when)
        if when == "date":
            return {**told, **_on_date(subject, form, now, prorate)}
        return told

    @override
    def asks(self, params: Params) -> bool:
        """Where an invoice is made or unused time credited; an end with a period that is paid for brings
        neither."""
        return bool(params.get("prorate") or params.get("invoice_now"))

    @override
    def quote_for(self, subject: Subject, params: Params) -> Quote | None:
        """The invoice that the end brings, or the next one before it."""
        return endings.foreseen(subject, params)

    @override
    def quote_binds(self, subject: Subject, params: Params) -> bool:
        """A final invoice is charged; with unused time in it its sum changes by the second."""
        return bool(params.get("invoice_now")) and not params["prorate"]

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """When access ends, and what becomes of money."""
        assert subject.subscription is not None
        if params["when"] == "now":
            happens = ("The subscription ends now.", *endings.now_happens(subject, params, quote, now))
            return Preview(happens, endings.now_warnings(subject, params))
        is_past_due = subject.subscription.status == "past_due"
        owed = "It is past due: what it owes is still collected until then." if is_past_due else ""
        open_still = asked.stays_open(params, subject.subscription.current_period_end)
        warnings = (*filter(None, (owed, open_still)), *endings.at_the_end(subject))
        if params["when"] == "date":
            runs = f"The subscription runs until {words.moment(params['cancel_at'])}, and ends then."
            undone = "Until then the cancellation can be undone."
            return Preview((runs, *endings.on_date(subject, params, quote), undone), warnings)
        assert subject.subscription.current_period_end is not None
        end = words.moment(subject.subscription.current_period_end)
        happens = (
            f"The subscription runs to the end of its {_period(subject)}, {end}, and ends then.",
            "Its plan is not charged after that. Until then the cancellation can be undone.",
        )
        return Preview(happens, warnings)

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """A DELETE for now (its effect is the status), an update with our mark for later."""
        if params["when"] == "now":
            return (
                Step(
                    "delete",
                    "subscription",
                    _end_now,
                    effects.of_subscription(lambda found: found["status"] in ENDED),
                    keyed=False,
                    billed=effects.new_invoice(params["latest_invoice"])
                    if params.get("invoice_now")
                    else None,
                ),
            )
        return (Step("update", "subscription", _end_later, effects.of_subscription()),)

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """When it ends, and what its final invoice came to."""
        assert subject.subscription is not None
        if params["when"] == "now":
            return f"The subscription has ended. {endings.outcome(subject)}".strip()
        ends = subject.subscription.cancel_at or subject.subscription.current_period_end
        return (
            f"The subscription ends on {words.moment(ends)}." if ends else "The subscription is set to end."
        )

    @override
    def concluded(self, session: Session, action: Action) -> None:
        """The customer's request is approved, where this is what they asked for."""
        asked.fulfil(session, action)


def _check_schedulable(subject: Subject, when: str) -> None:
    """Raises InvalidInput where no end in the future can be set."""
    subscription = subject.subscription
    assert subscription is not None
    if subscription.cancel_at:
        raise InvalidInput(
            "It is already set to end.",
            field="when",
            remedy=f"It ends on {words.moment(subscription.cancel_at)}. Choose “now”, or undo that first.",
        )
    stands = subscription.status in ("incomplete", "paused", "unpaid")
    if when == "period_end" and (stands or not subscription.current_period_end):
        raise InvalidInput(
            "There is no paid period that it could run to.", field="when", remedy="Choose “now”."
        )
    if when == "date" and stands:
        status = subscription.status
        raise InvalidInput(f"The subscription is {status}.", field="when", remedy="Choose “now”.")
    if subscription.schedule:
        raise InvalidInput(
            "A subscription schedule in Stripe decides when it ends.",
            field="when",
            remedy="Change the schedule in Stripe, or choose “now”.",
        )


def _on_date(subject: Subject, form: Form, now: int, prorate: bool) -> Params:
    """The instant of the chosen day at the time of day at which its periods end; beyond the running period
    Stripe credits time that is not served whatever one asks. Raises InvalidInput."""
    assert subject.subscription is not None
    period_end = subject.subscription.current_period_end
    ends = on_day(form, "date", "Choose the day on which the subscription should end.", like=period_end)
    if ends <= now:
        raise InvalidInput(
            f"{words.moment(ends)} is in the past.", field="date", remedy="Choose a later day, or “now”."
        )
    return {"cancel_at": ends, "prorate": prorate or (period_end is not None and ends > period_end)}


def _period(subject: Subject) -> str:
    assert subject.subscription is not None
    status = subject.subscription.status
    paid = status != "past_due" and subject.latest is not None and subject.latest.status == "paid"
    return "trial" if status == "trialing" else "paid period" if paid else "period"


def _end_now(work: Work) -> Answer:
    chosen = {name: bool(work.params.get(name)) for name in ("prorate", "invoice_now")}
    return writes.cancel_now(work.object_id, _said(work), chosen, work.key)


def _end_later(work: Work) -> Answer:
    if work.params["when"] == "date":
        at, prorate = work.params["cancel_at"], work.params["prorate"]
        return writes.cancel_on(work.object_id, at, prorate, _said(work), work.mark, work.key)
    return writes.cancel_at_period_end(work.object_id, _said(work), work.mark, work.key)


def _said(work: Work) -> dict[str, str]:
    return {name: work.params[name] for name in ("feedback", "comment")}


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
            return (
                f"The subscription has ended{words.on(subscription.ended_at)}; it can only be started anew."
            )
        if not subscription.cancel_at_period_end and not subscription.cancel_at:
            return "No cancellation is scheduled."
        if subscription.schedule:
            return "A subscription schedule in Stripe decides when it ends; change the schedule there."
        return ""

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """Nothing to fill in; which kind of schedule is taken back, and whether a credit with it, is fixed
        here."""
        assert subject.subscription is not None
        at_period_end = subject.subscription.cancel_at_period_end
        return {"at_period_end": at_period_end, "prorate": was_credited(subject)}

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """That it goes on, and what its next invoice brings."""
        assert subject.subscription is not None
        ends = subject.subscription.cancel_at or subject.subscription.current_period_end
        stop = f" instead of ending on {words.moment(ends)}" if ends else ""
        goes_on = f"The subscription goes on{stop}."
        back = ("What was credited for the time after that is charged again on the next invoice.",)
        credited = back if params["prorate"] else ()
        return Preview((goes_on, *credited, *next_charge(subject, quote, lifted="end")))

    @override
    def quote(self, subject: Subject) -> Quote | None:
        """The next invoice once it goes on."""
        assert subject.subscription is not None
        if subject.subscription.cancel_at_period_end:
            return next_invoice(subject, cancel_at_period_end=False)
        behavior = "create_prorations" if was_credited(subject) else "none"
        return next_invoice(subject, cancel_at="", proration_behavior=behavior)

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One update, found again by our mark."""
        return (
            Step(
                "update",
                "subscription",
                lambda work: writes.keep(
                    work.object_id,
                    params["at_period_end"],
                    params.get("prorate", False),
                    work.mark,
                    work.key,
                ),
                effects.of_subscription(),
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """That it goes on."""
        return "The cancellation was taken back; the subscription goes on."


def was_credited(subject: Subject) -> bool:
    """Whether the planned end lies within the running period and a credit for the rest of that waits."""
    subscription = subject.subscription
    assert subscription is not None
    ends, period_end = subscription.cancel_at, subscription.current_period_end
    if subscription.cancel_at_period_end or not ends or not period_end or ends >= period_end:
        return False
    return any(item.proration and item.amount < 0 for item in subject.pending)
