"""What is taken off a subscription's invoices, from now on?

Stripe takes the whole list of a subscription's discounts: those that stay are named by their ids, so that
they go on as they began.
"""

from __future__ import annotations

from dataclasses import replace

from sqlmodel import Session
from typing_extensions import override

from models import Coupon
from models.subscriptions import ENDED
from services import clock, database
from services.customers import contents, names
from services.customers.contents import Rebate
from services.desk import effects, quotes, selling, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, choice, gone, required
from services.desk.subject import Subject
from services.desk.upcoming import next_charge
from services.errors import InvalidInput
from services.staff.roles import Permission
from services.stripe_api import writes

_ALL = ("100", "100.0")  # per cent, as Stripe writes it
_CHOOSE = "Choose a coupon, or type a promotion code."


def _why_not(subject: Subject) -> str:
    subscription = subject.subscription
    if subscription is None:
        return "There is no subscription."
    if deleted := gone(subject):
        return deleted
    if subscription.status in ENDED:
        return "The subscription has ended; nothing is billed for it any more."
    if subscription.status == "incomplete":
        return "Its first payment is not made yet: retry that payment first."
    if subscription.schedule:
        return "A subscription schedule in Stripe decides what is taken off; change the schedule there."
    return ""


class _Discounts(Command):
    """What applying and removing share: one update of the list, and what the next invoice is then."""

    permission = Permission.DISCOUNT
    about = frozenset(("subscription",))
    watched = ("status", "discounts", "cancel_at", "current_period_end")
    reason_required = True

    @override
    def equipped(self, session: Session, subject: Subject, now: int) -> Subject:
        """With the coupons that can be given, and the discounts that run."""
        about = [subject.subscription.id] if subject.subscription else []
        return replace(
            subject,
            coupons=selling.coupons(session, subject.currency, now),
            rebates=tuple(contents.rebates(session, subject.customer.id, about, now)),
        )

    @override
    def asks(self, params: Params) -> bool:
        """The next invoice depends on what is taken off it."""
        return True

    @override
    def quote_for(self, subject: Subject, params: Params) -> Quote | None:
        """The next invoice with what is taken off it then."""
        assert subject.subscription is not None
        return quotes.of({"subscription": subject.subscription.id, "discounts": params["discounts"] or ""})

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One update, found again by our mark."""
        return (
            Step(
                "update",
                "subscription",
                lambda work: writes.set_discounts(work.object_id, params["discounts"], work.mark, work.key),
                effects.of_subscription(),
            ),
        )


class ApplyCoupon(_Discounts):
    """Takes a coupon, or what a promotion code stands for, off a subscription's invoices."""

    name = "apply_coupon"
    title = names.ACTIONS["apply_coupon"]
    icon = ":material/sell:"

    @override
    def offered(self, subject: Subject) -> str:
        """For what is billed, or may be."""
        return _why_not(subject)

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`kind`: coupon with `coupon`, its id; or code with `code`, as customers type it."""
        kind = choice(form, "kind", ("coupon", "code"), _CHOOSE)
        coupon, given = _coupon(subject, form) if kind == "coupon" else _by_code(subject, form)
        _check_fits(subject, coupon, kind)
        assert subject.subscription is not None
        stays = [{"discount": id} for id in subject.subscription.discounts]
        return {"discounts": [*stays, given], "called": called(coupon), "takes": takes(coupon)}

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What is taken off and for how long, and what the next invoice comes to."""
        happens = (
            f"{params['called']} applies to this subscription: {params['takes']}.",
            *next_charge(subject, quote, lifted=None),
        )
        return Preview(happens, beside(subject))

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """What applies now."""
        return f"{params['called']} applies: {params['takes']}."


class RemoveCoupon(_Discounts):
    """Ends a discount of a subscription."""

    name = "remove_coupon"
    title = names.ACTIONS["remove_coupon"]
    icon = ":material/money_off:"

    @override
    def offered(self, subject: Subject) -> str:
        """Where the subscription has a discount of its own."""
        if reason := _why_not(subject):
            return reason
        assert subject.subscription is not None
        if subject.subscription.discounts:
            return ""
        if subject.customer.discount:
            return "Its discount is the customer's, on everything: remove it in Stripe."
        return "No coupon is applied to this subscription."

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`discount`: its id, where there are several."""
        assert subject.subscription is not None
        has = subject.subscription.discounts
        chosen = has[0] if len(has) == 1 else choice(form, "discount", tuple(has), "Choose what is removed.")
        found = next((rebate for rebate in subject.rebates if rebate.row.id == chosen), None)
        return {
            "discounts": [{"discount": id} for id in has if id != chosen],
            "called": _name(found) if found else "The discount",
            "removed": chosen,
        }

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What is no longer taken off, and what the next invoice comes to."""
        happens = (
            f"{params['called']} does not apply to this subscription any more.",
            *next_charge(subject, quote, lifted=None),
        )
        return Preview(happens, (*_lost(subject, params), *_again(subject, params)))

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """That it is over."""
        return f"{params['called']} does not apply any more."


def _coupon(subject: Subject, form: Form) -> tuple[Coupon, dict[str, str]]:
    id, choose = form.get("coupon", ""), "Choose one of the coupons in the list."
    for coupon in subject.coupons:
        if coupon.id == id:
            return coupon, {"coupon": id}
    if not id:
        raise InvalidInput(choose, field="coupon")
    raise InvalidInput(
        "This coupon is used up, over, or for another currency.", field="coupon", remedy=choose
    )


def _by_code(subject: Subject, form: Form) -> tuple[Coupon, dict[str, str]]:
    typed = required(form, "code", "Type the promotion code.")
    with database.session() as session:
        code = selling.promotion_code(session, typed, subject.customer.id, clock.now())
    if code is None:
        raise InvalidInput(
            f"There is no promotion code “{typed[:40]}” that this customer could use now.",
            field="code",
            remedy="Look at the code in Stripe.",
        )
    for coupon in subject.coupons:
        if coupon.id == code.coupon:
            return coupon, {"promotion_code": code.id}
    raise InvalidInput(
        "Its coupon is used up, over, or for another currency.", field="code", remedy="Take another one."
    )


def fitting(subject: Subject) -> list[Coupon]:
    """Those that can be given and would take something off this subscription."""
    return [coupon for coupon in subject.coupons if not _unfit(subject, coupon)]


def _check_fits(subject: Subject, coupon: Coupon, field: str) -> None:
    """Raises InvalidInput where it would take nothing off."""
    if why := _unfit(subject, coupon):
        raise InvalidInput(why, field=field, remedy="Choose another coupon.")


def _unfit(subject: Subject, coupon: Coupon) -> str:
    """That the coupon applies already, or to nothing that is in the subscription; "" where it fits."""
    if any(rebate.row.coupon == coupon.id for rebate in _own(subject)):
        return f"{called(coupon)} applies already."
    if coupon.applies_to and not any(item.row.product in coupon.applies_to for item in subject.items):
        return f"{called(coupon)} is for other products than those of this subscription."
    return ""


def takes(coupon: Coupon) -> str:
    """`20 % off on every invoice`, `$10.00 off on the next invoice only`."""
    if coupon.percent_off:
        off = f"{coupon.percent_off.removesuffix('.0')} % off"
    else:
        off = f"{words.money(coupon.amount_off or 0, coupon.currency or '')} off"
    months = coupon.duration_in_months or 0
    spans = {
        "once": "on the next invoice only",
        "repeating": f"on the invoices of the next {'month' if months == 1 else f'{months} months'}",
        "forever": "on every invoice",
    }
    return f"{off} {spans.get(coupon.duration, '')}".strip()


def called(coupon: Coupon) -> str:
    return coupon.name or coupon.id


def _name(rebate: Rebate) -> str:
    return called(rebate.coupon) if rebate.coupon else rebate.row.coupon or "The discount"


def _own(subject: Subject) -> list[Rebate]:
    """The discounts of the subscription as a whole."""
    assert subject.subscription is not None
    return [rebate for rebate in subject.rebates if rebate.row.id in subject.subscription.discounts]


def _of_customer(subject: Subject) -> str:
    """The name of the discount that the customer has on everything; "" where there is none."""
    found = [rebate for rebate in subject.rebates if rebate.row.id == subject.customer.discount]
    return _name(found[0]) if found else ""


def beside(subject: Subject) -> tuple[str, ...]:
    """What becomes of other discounts once a coupon is applied."""
    return (*_on_top(subject), *_instead(subject), *_in_vain(subject))


def _on_top(subject: Subject) -> tuple[str, ...]:
    others = words.listing([_name(rebate) for rebate in _own(subject)])
    return (f"It comes on top of {others}, which goes on.",) if others else ()


def _in_vain(subject: Subject) -> tuple[str, ...]:
    """That there is nothing left which a coupon could be taken off."""
    subscription = subject.subscription
    assert subscription is not None
    ends, period = subscription.cancel_at, subscription.current_period_end
    is_ending = subscription.cancel_at_period_end or (ends and period and ends <= period)
    if is_ending and not _is_billed_at_the_end(subject):
        return ("It is set to end before another invoice: unless that is undone, nothing is taken off.",)
    if whole := [each for each in _own(subject) if each.coupon and _takes_all(each.coupon)]:
        return (f"{_name(whole[0])} takes off everything already: nothing more is taken off beside it.",)
    return ()


def _is_billed_at_the_end(subject: Subject) -> bool:
    """Whether an invoice is left: for what was used, or for a change in mid-period."""
    used = any(item.price and item.price.usage_type == "metered" for item in subject.items)
    return used or any(item.proration for item in subject.pending)


def _takes_all(coupon: Coupon) -> bool:
    return coupon.percent_off in _ALL and coupon.duration == "forever" and not coupon.applies_to


def _instead(subject: Subject) -> tuple[str, ...]:
    whole = _of_customer(subject)
    if not whole or _own(subject):
        return ()
    return (f"{whole}, which the customer has on everything, does not count for this subscription then.",)


def _again(subject: Subject, params: Params) -> tuple[str, ...]:
    whole = _of_customer(subject)
    if not whole or params["discounts"]:
        return ()
    return (f"{whole}, which the customer has on everything, counts for this subscription again.",)


def _lost(subject: Subject, params: Params) -> tuple[str, ...]:
    """That a coupon which nobody can get any more is gone for good."""
    valid = {coupon.id for coupon in subject.coupons}
    if any(rebate.row.id == params["removed"] and rebate.row.coupon in valid for rebate in _own(subject)):
        return ()
    return ("Its coupon is not given out any more: it cannot be applied again.",)
