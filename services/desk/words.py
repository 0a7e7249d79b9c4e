"""How do the desk's sentences name amounts and instants? In the workspace's locale, the zone always named."""

from __future__ import annotations

from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from models import Charge, PaymentMethod, Price, Subscription
from services import clock, config
from services import money as amounts

_NAMED, _LONGEST = 5, 40  # of many names; characters of each


def moment(instant: int) -> str:
    """An instant (UTC seconds) in the workspace's zone, e.g. `Mar 3, 2026, 2:05 PM (Europe/Berlin)`."""
    settings = config.settings()
    at, locale = clock.local(instant, settings.zone), settings.workspace_locale
    both = str(Locale.parse(locale).datetime_formats["medium"])
    written = both.replace("{1}", format_date(at, "medium", locale=locale))
    return f"{written.replace('{0}', format_time(at, 'short', locale=locale))} ({settings.zone.key})"


def on(instant: int | None) -> str:
    """` on Mar 3, 2026, 2:05 PM (Europe/Berlin)` behind what happened then; "" where nobody knows when."""
    return f" on {moment(instant)}" if instant else ""


def day(instant: int) -> str:
    """The local day of an instant (UTC seconds), e.g. `Mar 3, 2026`."""
    settings = config.settings()
    return str(format_date(clock.local(instant, settings.zone), "medium", locale=settings.workspace_locale))


def money(amount: int, currency: str) -> str:
    """An amount in minor units as the workspace writes it."""
    return amounts.display(amount, currency, locale=config.settings().workspace_locale)


def balance(amount: int, currency: str) -> str:
    """What a customer has with Stripe: `$90.00 of credit`, `$5.00 owed from before`, `no balance`."""
    if not amount:
        return "no balance"
    return f"{money(abs(amount), currency)} {'of credit' if amount < 0 else 'owed from before'}"


def too_small(amount: int, currency: str) -> str:
    """What becomes of an amount that is due and that Stripe does not charge."""
    return (
        f"{money(amount, currency)} is less than Stripe charges: it goes to the customer's balance, and the "
        "invoice counts as paid."
    )


def mailed(what: str) -> str:
    """That Stripe mails an invoice to the customer; accounts for tests only note that they did."""
    if config.settings().mode == "live":
        return f"Stripe mails {what} to the customer's email address, with a link to pay it."
    return f"Stripe notes {what} as sent, and mails nothing: this account is for tests."


def price(row: Price) -> str:
    """`$49.00 a month`, `$49.00 every 3 months`, `by tiers a month`; "" where the amount is not known."""
    amount = money(row.unit_amount, row.currency) if row.unit_amount is not None else _fraction(row)
    if row.billing_scheme == "tiered":
        amount = "by tiers"
    if row.transform_divide_by:
        amount += (
            f" for each {format_decimal(row.transform_divide_by, locale=config.settings().workspace_locale)}"
        )
    if row.usage_type == "metered":
        amount += " by use"
    return f"{amount} {every(row)}".strip() if amount else ""


def every(row: Price) -> str:
    """How often a price is billed: `a month`, `every 3 months`; "" for a one-off."""
    if not row.interval:
        return ""
    return f"a {row.interval}" if row.interval_count == 1 else f"every {row.interval_count} {row.interval}s"


def ordered(name: str, row: Price | None, quantity: int) -> str:
    """`Team at $490.00 a year`, `3 × Team at $49.00 a month each`, `2 × Team by tiers a month`."""
    cost = price(row) if row else ""
    known = cost and not cost.startswith("by ")  # an amount, and not only how it comes about
    named = f"{name}{' at' if known else ''} {cost}".strip()
    if quantity == 1:
        return named
    return f"{quantity} × {named}{' each' if known and _by_unit(row) else ''}"


def _by_unit(row: Price | None) -> bool:
    """Whether one costs what the price says, and not a package or by tiers."""
    return row is not None and row.billing_scheme != "tiered" and not row.transform_divide_by


def _fraction(row: Price) -> str:
    """A part of the smallest unit, exactly: `0.005 USD` for half a cent."""
    if not row.unit_amount_decimal:
        return ""
    minor = Decimal(row.unit_amount_decimal).scaleb(-amounts.exponent(row.currency))
    return f"{minor.normalize():f} {row.currency.upper()}"


def card(method: PaymentMethod | None) -> str:
    """What is charged, e.g. `the Visa card ending in 4242`; without details where the tables have none."""
    if method is None or not method.last4:
        return "the card on file"
    return _ending(
        f"{method.brand or ''} card" if method.type == "card" else f"{method.type} account", method.last4
    )


def paid_with(payment: Charge) -> str:
    """What a payment was taken from, e.g. `the Visa card ending in 4242`."""
    if not payment.card_last4:
        return "what it was paid with"
    return _ending(f"{payment.card_brand or ''} card", payment.card_last4)


def _ending(name: str, last4: str) -> str:
    spelled = " ".join(name.replace("_", " ").split())
    return f"the {spelled[:1].upper()}{spelled[1:]} ending in {last4}"


def uncollected(subscription: Subscription, at: int) -> str:
    """What becomes of an invoice of the instant `at` (UTC seconds), as collection is paused then; "" where
    it is not."""
    behavior, until = subscription.pause_collection, subscription.pause_resumes_at
    if not behavior or (until and until <= at):
        return ""
    return fate(behavior)


def fate(behavior: str) -> str:
    """What becomes of an invoice while collection is paused in this way."""
    said = {
        "keep_as_draft": "kept as a draft",
        "void": "voided",
        "mark_uncollectible": "marked uncollectible",
    }
    return said.get(behavior, "not collected")


def days(count: int) -> str:
    """`1 day`, `14 days`."""
    return "1 day" if count == 1 else f"{count} days"


def plural(number: int, one: str) -> str:
    """`1 trial`, `2,300 trials`."""
    written = format_decimal(number, locale=config.settings().workspace_locale)
    return f"{written} {one if number == 1 else f'{one}s'}"


def some(names: list[str]) -> str:
    """The first of many by name, and how many more there are: `a, b, c, d, e and 2 more`."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def short(name: str) -> str:
    """A name that leaves room for others."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1].rstrip()}…"


def listing(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
