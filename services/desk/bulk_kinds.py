"""Which commands can be given to many at once, and what have so many of them in common?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from services.desk import cancellations, catalog, coupons, invoices, loading_many, trials, words
from services.desk.command import Command, Form
from services.desk.subject import Subject
from services.desk.upcoming import ends_unbilled
from services.errors import NotFound


@dataclass(frozen=True, slots=True)
class Kind:
    """A command that can be given to many. `noun` is what they are, `done` what they are then; `happens` says
    what comes of it for so many, `lasting` what cannot be undone, `unusual` what is not as with most.

    `told` is what was typed. `in_all` names what they come to, where they are about money: the command's
    parameters hold `amount` and `currency` then.
    """

    command: Command
    title: str
    confirm: str
    noun: str
    done: str
    load: Callable[[Session, Collection[str]], dict[str, Subject]]
    happens: Callable[[Form, Sequence[Subject]], tuple[str, ...]]
    unusual: Callable[[Subject], Iterable[str]]
    told: Callable[[Form], str] | None = None
    lasting: tuple[str, ...] = ()
    in_all: str = ""

    def run_title(self, form: Form) -> str:
        """How a run is called: `Extend trial by 7 days`."""
        return f"{self.command.title} {self.told(form)}" if self.told else self.title


def find(command: str) -> Kind:
    """How a command is given to many. Raises NotFound."""
    if command not in KINDS:
        raise NotFound("command for many", command)
    return KINDS[command]


def _extended(form: Form, some: Sequence[Subject]) -> tuple[str, ...]:
    later = words.days(trials.days(form))
    return (f"{_each(some, 'trial', 'ends')} {later} later than it does now.", "Nothing is charged now.")


def _ends(form: Form, some: Sequence[Subject]) -> tuple[str, ...]:
    del form
    return (
        f"{_each(some, 'subscription', 'runs')} to the end of its period, and ends then.",
        "No plan is charged after that. Until then the cancellation can be undone.",
    )


def _leaves(subject: Subject) -> Iterator[str]:
    subscription = subject.subscription
    assert subscription is not None
    if subscription.status == "trialing":
        yield "On trial: it ends with the trial, and nothing is ever charged"
    if subscription.status == "past_due":
        yield "Past due: what it owes is still collected until then"
    if any(not item.proration for item in subject.pending):
        yield "A charge still waits for its next invoice, which may never come"
    if any(item.proration for item in subject.pending):
        yield "Changes in mid-period come on an invoice at the end of the period"


def _goes_on(form: Form, some: Sequence[Subject]) -> tuple[str, ...]:
    del form
    return (
        f"{_each(some, 'subscription', 'goes')} on instead of ending.",
        "Nothing is charged now; its next invoices come as usual.",
    )


def _stays(subject: Subject) -> Iterator[str]:
    subscription = subject.subscription
    assert subscription is not None
    on_trial, ends = subscription.status == "trialing", subscription.current_period_end
    if on_trial and (stops := ends_unbilled(subject)):
        yield f"On trial without a card: unless one is added, it {stops} at the end of the trial"
    elif on_trial:
        yield "On trial: its plan is charged from the end of the trial"
    elif subscription.collection_method != "send_invoice" and subject.payment_method is None:
        yield "No card is on file: unless one is added, the next payment fails"
    if ends and (fate := words.uncollected(subscription, ends)):
        yield f"Collection is paused: its next invoice is {fate}"
    if cancellations.was_credited(subject):
        yield "What was credited for the time after its end is charged again on the next invoice"


def _discounted(form: Form, some: Sequence[Subject]) -> tuple[str, ...]:
    [coupon] = [each for each in some[0].coupons if each.id == form["coupon"]]
    applies = f"{coupons.called(coupon)} applies to {_all(some, 'subscription')}: {coupons.takes(coupon)}."
    return (applies, "Nothing is charged now.")


def _given_up(form: Form, some: Sequence[Subject]) -> tuple[str, ...]:
    del form
    return (
        f"{_each(some, 'invoice', 'counts')} as a bad debt: nobody expects it to be paid.",
        "The customer can still pay it by its link, and then it is paid.",
    )


def _each(some: Sequence[Subject], one: str, does: str) -> str:
    said = _all(some, one)
    return f"{said[:1].upper()}{said[1:]} {does}"


def _all(some: Sequence[Subject], one: str) -> str:
    return f"the {one}" if len(some) == 1 else f"each of the {words.plural(len(some), one)}"


KINDS: dict[str, Kind] = {
    kind.command.name: kind
    for kind in (
        Kind(
            catalog.find("extend_trial"), "Extend trials", "Extend all", "trial", "extended",
            loading_many.subscriptions, _extended, trials.unusual, trials.by_days,
        ),
        Kind(
            catalog.find("cancel"), "Cancel at the period's end", "Cancel all", "subscription", "set to end",
            loading_many.subscriptions, _ends, _leaves,
        ),
        Kind(
            catalog.find("undo_cancel"), "Undo cancel", "Undo all", "cancellation", "undone",
            loading_many.subscriptions, _goes_on, _stays,
        ),
        Kind(
            catalog.find("apply_coupon"), "Apply coupon", "Apply to all", "subscription", "given the coupon",
            loading_many.discountable, _discounted, coupons.beside, lambda form: f"“{form['coupon']}”",
        ),
        Kind(
            catalog.find("mark_uncollectible"), "Mark as uncollectible", "Mark all", "invoice",
            "marked as uncollectible", loading_many.invoices, _given_up, invoices.unusual,
            lasting=(invoices.FINAL,), in_all="In all they ask for {}.",
        ),
    )
}  # fmt: skip
