"""How do customers arrive and subscribe? The intents `arrivals`, `sign_up`, `subscribe` and `buy_once`."""

from typing import Any

from services.sandbox.billing import cards, customers, invoiceitems, manual, subscriptions
from services.sandbox.billing.account import Account
from services.sandbox.billing.periods import DAY, HOUR
from services.sandbox.history import arrivals, offers, people
from services.sandbox.history.chance import Chance, chance
from services.sandbox.history.lifeline import Step, steps
from services.sandbox.history.terms import Terms, path, terms

Params = dict[str, Any]

_BRANDS = {"visa": 0.56, "mastercard": 0.32, "amex": 0.12}
_SECOND_SUBSCRIPTION = 0.025


def arrive(account: Account, _customer: str | None, params: Params) -> None:
    """Let the day's customers sign up, and tomorrow's after them. `carry` is the fraction of a customer that
    is left over from yesterday, `next` the number of the next customer.
    """
    history, day = account.store.fact("history"), params["day"]
    due = params["carry"] + history["rate"] * arrivals.pull(day, history["first_day"])
    count = int(due + 1e-6)
    for index, moment in enumerate(arrivals.times_of(history["seed"], day, count)):
        account.schedule_intent(moment, "sign_up", {"number": params["next"] + index})
    tomorrow = {"day": day + DAY, "carry": due - count, "next": params["next"] + count}
    account.schedule_intent(day + DAY, "arrivals", tomorrow)


def sign_up(account: Account, _customer: str | None, params: Params) -> None:
    """A customer signs up and, at once or a little later, subscribes. `params` may hold what is to happen
    (`person`, `terms`, `steps`, `country`); the rest is drawn.
    """
    number = params["number"]
    draws = chance(account.store.fact("history")["seed"], "life", number)
    person = people.identity(account.store.fact("history")["seed"], number, params.get("country"))
    person = {**person, **params.get("person", {})}
    customer = customers.create(account, **person)["id"]
    if "terms" in params:
        later = {"terms": params["terms"], "steps": params["steps"]}
        for _ in range(params.get("times", 1)):
            account.schedule_intent(account.now, "subscribe", later, customer)
        return
    _engage(account, draws, customer, person)


def subscribe(account: Account, customer: str | None, params: Params) -> None:
    """Start a subscription on the `terms`; the `steps` follow it."""
    owner = account.store.find(customer or "")
    if owner is None or owner.get("deleted"):
        return
    made: Terms = params["terms"]
    if made["card"]:
        give_card(account, owner["id"], made.get("bad_card", "ok"))
    currency = owner["currency"] or people.currency_of(owner)
    if currency not in offers.CURRENCIES:
        return
    items = [_item(account, made["plan"], made, currency)]
    if made.get("support"):
        items.append(_item(account, "support", made, currency))
    subscription = subscriptions.create(account, customer=owner["id"], items=items, **_extras(account, made))
    follow(account, owner["id"], subscription["id"], params["steps"])


def follow(account: Account, customer: str, subscription: str, later: list[Step]) -> None:
    """Let the steps be taken, counted from now."""
    for after, name, params in later:
        due = account.now + after
        account.schedule_intent(due, name, {**params, "subscription": subscription}, customer)


def give_card(account: Account, customer: str, behaviour: str = "ok") -> str:
    """A new card becomes the customer's default; answers its id."""
    draws = chance(customer, account.now, "card")
    owner = account.get("customer", customer)
    method = cards.attach(
        account,
        behaviour,
        customer,
        default=True,
        brand=draws.weighted(_BRANDS),
        last4=f"{draws.randrange(10_000):04}",
        exp_month=draws.randint(1, 12),
        country=owner["address"]["country"] if owner["address"] else "US",
        funding="credit" if draws.happens(0.66) else "debit",
        billing_details={"name": owner["name"], "email": owner["email"]},
    )
    return str(method["id"])


def buy_once(account: Account, customer: str | None, _params: Params) -> None:
    """Buy the workshop without a subscription."""
    owner = account.customer(customer or "")
    give_card(account, owner["id"])
    price = offers.setup_price_id(account, people.currency_of(owner))
    invoiceitems.create(account, customer=owner["id"], pricing={"price": price})
    invoice = manual.create(account, customer=owner["id"], pending_invoice_items_behavior="include")
    manual.finalize(account, invoice["id"], auto_advance=True)


def _engage(account: Account, draws: Chance, customer: str, person: people.Identity) -> None:
    """Draw what somebody who signed up goes on to do."""
    way = path(draws)
    soon = account.now + (draws.span(2, 25, 60) if draws.happens(0.8) else draws.span(2, 60, HOUR))
    if way == "never":
        return
    if way == "once":
        account.schedule_intent(soon, "buy_once", {}, customer)
        return
    source = person["metadata"].get("source", "")
    made = terms(draws, way, people.currency_of(person))
    account.schedule_intent(soon, "subscribe", {"terms": made, "steps": steps(draws, made, source)}, customer)
    if draws.happens(_SECOND_SUBSCRIPTION):
        other = terms(draws, "direct", people.currency_of(person))
        other["send_invoice"] = False
        second = {"terms": other, "steps": steps(draws, other, source)}
        account.schedule_intent(soon + draws.span(5, 120, DAY), "subscribe", second, customer)


def _item(account: Account, plan: str, made: Terms, currency: str) -> Params:
    price = offers.price_id(account, plan, made["interval"], currency)
    return {"price": price, "quantity": made["seats"] if offers.PLANS[plan].seats else 1}


def _extras(account: Account, made: Terms) -> Params:
    """The parameters of a new subscription that depend on its terms."""
    extras: Params = {}
    if made["trial_days"]:
        behavior = {"missing_payment_method": made["without_card"]}
        extras = {"trial_period_days": made["trial_days"], "trial_settings": {"end_behavior": behavior}}
    if made.get("send_invoice"):
        extras |= {"collection_method": "send_invoice", "days_until_due": 30}
    if "promotion_code" in made:
        code = offers.promotion_code_id(account, made["promotion_code"])
        extras["discounts"] = [{"promotion_code": code}]
    elif "coupon" in made:
        extras["discounts"] = [{"coupon": made["coupon"]}]
    return extras
