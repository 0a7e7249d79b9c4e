"""How do a price, a discount, a card, a trial and a local time read as words on the customer's page?"""

from __future__ import annotations

from babel import Locale

from models import Charge, Customer, Invoice, InvoiceItem, PaymentMethod, Price
from pages.components import formats
from services import clock, config
from services.customers import places
from services.customers.places import LocalTime
from services.customers.record import Item, Plan, Rebate
from services.desk import words

_PAUSED_BY = {
    "final_payment_failure": ", because the last try to collect failed",
    "first_payment_failure": ", because the first payment failed",
    "pause_requested": ", as asked for",
    "system": " by Stripe",
    "trial_end_without_payment_method": ", because the trial ended without a payment method",
}


def price(row: Price | None) -> str:
    """As the desk's sentences say it; an amount that is not known as the pages write nothing; "" for no
    price."""
    if row is None:
        return ""
    return words.price(row) or f"{formats.NOTHING} {words.every(row)}".strip()


def item(one: Item) -> str:
    """`Team: 3 × $49.00 a month`."""
    quantity = f"{formats.count(one.row.quantity)} × " if one.row.quantity != 1 else ""
    cost = price(one.price)
    return f"{one.product}: {quantity}{cost}" if cost else one.product


def rebate(one: Rebate) -> str:
    """`20 % off for ever`, `$10.00 off until Mar 3, 2026`."""
    coupon = one.coupon
    if coupon is None:
        off = "A discount"
    elif coupon.percent_off:
        off = f"{coupon.percent_off.removesuffix('.0')} % off"
    else:
        off = f"{formats.money(coupon.amount_off, coupon.currency or '')} off"
    name = f" ({coupon.name})" if coupon and coupon.name else ""
    if one.row.end:
        return f"{off} until {formats.day(one.row.end)}{name}"
    how_long = {"once": " once", "forever": " for ever"}.get(coupon.duration if coupon else "", "")
    return f"{off}{how_long}{name}"


def standing(plan: Plan, now: int, *, on_file: bool = False) -> list[str]:
    """How a subscription stands and what comes next, a sentence each."""
    row = plan.row
    told = [_trial(plan, now), _ending(plan), _next_bill(plan), _pause(plan, on_file)]
    if row.collection_method == "send_invoice" and not plan.over:
        told.append(f"Invoices are sent, due after {formats.plural(row.days_until_due or 0, 'day')}.")
    return [sentence for sentence in told if sentence]


def _trial(plan: Plan, now: int) -> str:
    row = plan.row
    if row.status != "trialing" or row.trial_end is None:
        return ""
    moved = ""
    if row.first_trial_end and row.first_trial_end != row.trial_end:
        days = round((row.trial_end - row.first_trial_end) / clock.DAY)
        moved = f", {formats.plural(abs(days), 'day')} {'later' if days > 0 else 'earlier'} than at first"
    return f"The trial ends on {formats.moment(row.trial_end)} ({trial_left(row.trial_end, now)}){moved}."


def trial_left(trial_end: int, now: int) -> str:
    """`3 days left`, `5 hours left`; `over` until Stripe has ended it."""
    left = formats.days_left(trial_end, now=now)
    return left if trial_end <= now else f"{left} left"


def _ending(plan: Plan) -> str:
    row = plan.row
    if plan.ends_at is not None:
        return f"It is set to end on {formats.moment(plan.ends_at)}{_why(plan)}."
    if plan.over:
        return f"It ended on {formats.day(row.ended_at or row.canceled_at)}{_why(plan)}."
    return ""


def _why(plan: Plan) -> str:
    row = plan.row
    if row.cancellation_feedback:
        return f": {row.cancellation_feedback.replace('_', ' ')}"
    if plan.without_method:
        return " with its trial, as there was no payment method"
    if row.cancellation_reason == "payment_failed":
        return ", because payment failed"
    return ""


def _next_bill(plan: Plan) -> str:
    row = plan.row
    if plan.ends_at is not None or row.status not in ("active", "past_due") or not row.current_period_end:
        return ""
    return f"The next period begins on {formats.day(row.current_period_end)}."


def _pause(plan: Plan, on_file: bool) -> str:
    row = plan.row
    if row.pause_collection:
        until = f" until {formats.day(row.pause_resumes_at)}" if row.pause_resumes_at else ""
        return f"Payments are not collected{until}."
    if row.status == "paused":
        return f"It is paused{_PAUSED_BY.get(row.paused_by or '', '')}."
    if row.status == "trialing" and not on_file and row.trial_end_behavior in ("cancel", "pause"):
        verb = "is canceled" if row.trial_end_behavior == "cancel" else "pauses"
        return f"Without a payment method it {verb} at the trial’s end."
    return ""


def charge_state(row: Charge) -> str:
    """The state of a payment as a status with a badge: failed, refunded, partially_refunded, succeeded..."""
    if row.refunded:
        return "refunded"
    return "partially_refunded" if row.amount_refunded > 0 else row.status


def card(brand: str | None, last4: str | None) -> str:
    """`Visa ·· 4242`."""
    if not last4:
        return ""
    return f"{(brand or 'card').replace('_', ' ').title()} ·· {last4}"


def payment_method(row: PaymentMethod) -> str:
    """A card with its expiry, or the kind of another way to pay."""
    if not row.last4:
        return row.type.replace("_", " ").capitalize()
    expiry = f", {row.exp_month:02d}/{row.exp_year}" if row.exp_month and row.exp_year else ""
    return f"{card(row.brand or row.type, row.last4)}{expiry}"


def pending(row: InvoiceItem) -> str:
    """A charge or a credit that waits for the next invoice."""
    amount = formats.money(abs(row.amount), row.currency)
    what = f"Credit of {amount}" if row.amount < 0 else amount
    return f"{what}: {row.description or 'no description'}"


def invoice(row: Invoice) -> str:
    """`Invoice A-1 of $49.00`, `Invoice A-1, a credit of $49.00`."""
    how = ", a credit of" if row.total < 0 else " of"
    return f"Invoice {row.number or row.id}{how} {formats.money(abs(row.total), row.currency)}"


def country(code: str | None) -> str:
    """The country's name in the workspace's language; the code where it has none."""
    known = Locale.parse(config.settings().workspace_locale).territories
    return known.get((code or "").upper(), code or "")


def local_time(customer: Customer, now: int) -> str:
    """`3:42 PM, Europe/Paris`, with “probably” where the place has several times; "" where unknown."""
    return time_there(places.local_time(customer, at=now), now)


def on_the_phone(called: str, phone: str | None, there: str) -> str:
    """Whom somebody calls, at which number, and what their clock shows (as `local_time` says it)."""
    return " · ".join(filter(None, (called, phone, there and f"Local time {there}")))


def time_there(place: LocalTime | None, at: int) -> str:
    """What the customer's clock shows at an instant, as `local_time` says it."""
    if place is None:
        return ""
    return _there(place, formats.time_of_day(at, zone=place.zone))


def moment_there(place: LocalTime | None, at: int) -> str:
    """The same with the day, `Mar 3, 2026, 3:42 PM, Europe/Paris`: it may be another one than here."""
    if place is None:
        return ""
    return _there(place, formats.moment(at, zone=place.zone))


def _there(place: LocalTime, at: str) -> str:
    where = f"{at}, {place.zone.key.replace('_', ' ')}"
    return where if place.certain else f"probably {where}"
