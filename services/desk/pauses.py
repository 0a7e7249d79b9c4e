"""How is the collection of a subscription's invoices paused? Its status stays, and what it gives, too."""

from __future__ import annotations

from typing_extensions import override

from models.subscriptions import ENDED
from services.customers import names
from services.desk import effects, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, choice, gone
from services.desk.days import on_day
from services.desk.quotes import next_invoice
from services.desk.subject import Subject
from services.desk.upcoming import ends_unbilled
from services.errors import InvalidInput
from services.staff.roles import Permission
from services.stripe_api import writes

BEHAVIORS = {
    "void": "Void the invoices",
    "keep_as_draft": "Keep the invoices as drafts",
    "mark_uncollectible": "Mark the invoices uncollectible",
}
_FATES = {
    "void": "Invoices from now on are voided: nobody is charged, and nothing is owed for that time.",
    "keep_as_draft": "Invoices from now on stay drafts: nobody is charged.",
    "mark_uncollectible": (
        "Invoices from now on are marked uncollectible: nobody is charged, but who has their links can still "
        "pay them."
    ),
}
_STAYS = "The subscription itself goes on as before: the customer keeps what it gives."


class PauseCollection(Command):
    """Lets a running subscription's invoices not be asked for, until a day or until that is taken back."""

    name = "pause_collection"
    title = names.ACTIONS["pause_collection"]
    icon = ":material/pause_circle:"
    permission = Permission.PAUSE_COLLECTION
    about = frozenset(("subscription",))
    watched = ("status", "pause_collection", "current_period_end")
    reason_required = True

    @override
    def offered(self, subject: Subject) -> str:
        """Where invoices are made that would be collected."""
        subscription = subject.subscription
        if subscription is None:
            return "There is no subscription."
        if deleted := gone(subject):
            return deleted
        if subscription.status in ENDED:
            return "The subscription has ended: no invoices are made any more."
        if subscription.status in ("paused", "incomplete"):
            return f"The subscription is {subscription.status}: no invoices are made for it now."
        if subscription.pause_collection:
            until = subscription.pause_resumes_at
            when = f" until {words.moment(until)}" if until else ""
            return f"Collection is paused already{when}; to change that, resume it first."
        return ""

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`behavior`: one of BEHAVIORS; `until`: day, then with `date` (ISO, collected again from its first
        moment on), or "" for until it is taken back."""
        behavior = choice(form, "behavior", tuple(BEHAVIORS), "Choose what becomes of the invoices.")
        if form.get("until") != "day":
            return {"behavior": behavior, "resumes_at": None}
        resumes = on_day(form, "date", "Choose the day from which invoices are collected again.")
        if resumes <= now:
            raise InvalidInput(
                f"{words.moment(resumes)} is in the past.", field="date", remedy="Choose a later day."
            )
        return {"behavior": behavior, "resumes_at": resumes}

    @override
    def quote(self, subject: Subject) -> Quote | None:
        """The next invoice, whatever becomes of it."""
        return next_invoice(subject)

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What becomes of invoices, for how long, and first of the next one."""
        behavior, resumes = params["behavior"], params["resumes_at"]
        until = (
            f"They are collected again from {words.moment(resumes)} on, by themselves."
            if resumes
            else f"It stays so until somebody chooses “{names.RESUME_COLLECTION}”."
        )
        happens = (_FATES[behavior], until, *_next(subject, params, quote), _STAYS)
        warnings = _still_asked(subject)
        if behavior == "keep_as_draft":
            warnings += ("The drafts stay drafts afterwards, too: they are finalized in Stripe, or deleted.",)
        return Preview(happens, warnings)

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One update, found again by our mark."""
        return (
            Step(
                "update",
                "subscription",
                lambda work: writes.pause_collection(
                    work.object_id,
                    work.params["behavior"],
                    work.params["resumes_at"],
                    work.mark,
                    work.key,
                ),
                effects.of_subscription(),
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """That it is paused, and for how long."""
        resumes = params["resumes_at"]
        return f"Collection is paused{f' until {words.moment(resumes)}' if resumes else ''}."


def _next(subject: Subject, params: Params, quote: Quote | None) -> tuple[str, ...]:
    """What becomes of the next invoice that Stripe foresees."""
    subscription = subject.subscription
    assert subscription is not None
    day = subscription.current_period_end
    if subscription.status == "trialing" and (stops := ends_unbilled(subject)):
        return (f"Without a card the subscription {stops} when its trial ends all the same.",)
    if quote is None or day is None:
        return ()
    which = f"the next invoice, {words.money(quote.amount_due, quote.currency)} on {words.moment(day)}"
    if params["resumes_at"] and params["resumes_at"] <= day:
        return (f"That is before {which}: it is collected as usual.",)
    return (f"First of all {which}, is {words.fate(params['behavior'])}.",)


def _still_asked(subject: Subject) -> tuple[str, ...]:
    """That an invoice from before the pause is collected on."""
    debt = subject.latest
    if debt is None or debt.status != "open":
        return ()
    amount = words.money(debt.amount_remaining, debt.currency)
    return (f"Its invoice for {amount} is open from before: that is still collected.",)
