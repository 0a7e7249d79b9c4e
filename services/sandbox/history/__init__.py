"""What has happened on the account in the last 18 months, and what will happen in the next ones?

`build` lets people sign up, subscribe, pay, fail, come back and leave through the billing engine, in order of
time. What they intend to do after today stays in the account and is carried out when the clock gets there.
"""

from collections.abc import Callable

from services.sandbox.billing.account import Account
from services.sandbox.billing.periods import DAY, add_months
from services.sandbox.history import arrivals, cast, offers
from services.sandbox.history.intents import enable
from services.sandbox.ids import Ids

__all__ = ["build", "enable"]

_KEPT_EVENTS = 29 * DAY
_PRICES_RAISED_AFTER, _STRICTER_AFTER = 7, 8


def build(
    account: Account, *, customers: int, seed: int, now: int, progress: Callable[[float], None] | None = None
) -> None:
    """Fill an empty account with a history that ends `now` (seconds UTC), the same for the same number of
    customers, seed and day. `progress` is told the finished share. So many customers sign up before today;
    today's come on top. An account for 0 customers stays empty. People act on after it only with `enable`.
    """
    if customers <= 0:
        account.now = now
        return
    enable(account, strict=True)
    account.ids = Ids(f"history {seed}")
    first_day, today = arrivals.beginning(now), arrivals.midnight(now)
    account.now, account.events_from = first_day, today - _KEPT_EVENTS
    roles = cast.roles(today)[:customers]
    rate = arrivals.rate(customers - len(roles), first_day, today)
    account.store.keep("history", {"seed": seed, "first_day": first_day, "rate": rate})
    for body in account.store.all("account"):
        account.change(body, created=first_day)
    _plan(account, roles, first_day)
    for day in range(first_day + DAY, today + 1, DAY):
        account.advance(day)
        if progress:
            progress(((day - first_day) / (now - first_day)) ** 2)
    account.advance(now)
    account.store.commit()
    account.intents.clear()


def _plan(account: Account, roles: list[tuple[int, cast.Role]], first_day: int) -> None:
    """Open the shop and schedule all that happens by itself."""
    offers.open_shop(account)
    account.set(when_retries_end="unpaid")
    account.schedule_intent(add_months(first_day, _PRICES_RAISED_AFTER), "raise_prices", {})
    stricter = {"when_retries_end": "cancel"}
    account.schedule_intent(add_months(first_day, _STRICTER_AFTER), "change_settings", stricter)
    for number, (moment, role) in enumerate(roles):
        account.schedule_intent(moment, "sign_up", {**role, "number": number})
    arriving = {"day": first_day, "carry": 0.0, "next": len(roles)}
    account.schedule_intent(first_day, "arrivals", arriving)
