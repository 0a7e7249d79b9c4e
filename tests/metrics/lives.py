"""Random lives of small accounts' customers: what they and staff do, when, told by a seed.

Each customer draws alone: the same seed and number make the same life, whoever else is there. A life is a
list of moments; at each something is done that may make sense then, and the account may refuse it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from services.sandbox.billing import (
    cards,
    changes,
    credit_notes,
    customers,
    disputes,
    invoiceitems,
    manual,
    payments,
    refunds,
    resuming,
    subscriptions,
)
from services.sandbox.store import Body
from tests.metrics import shops
from tests.metrics.shops import CURRENCIES, EVERY, Shop
from tests.metrics.worlds import DAY, World

_DECLINES = ("insufficient_funds", "expired_card", "do_not_honor", "lost_card", "requires_action")
_WANTED = {"small": 8, "large": 8, "odd": 4, "free": 1, "tiers": 1, "volume": 1, "packs": 1, "world": 2}
_SOURCES = ("ads", "referral", "")
_COUNTRIES, _CARDS = ("US", "DE", "JP", ""), ("US", "FR")


class Life:
    """One customer's."""

    def __init__(self, shop: Shop, seed: int, number: int, begins: int, ends: int) -> None:
        self.draws = random.Random(f"{seed}:{number}")
        self.shop, self.number = shop, number
        self.currency = self.draws.choice(CURRENCIES)
        self.id = ""
        signs_up = self.draws.randrange(begins, ends - 20 * DAY)
        often = self.draws.choice((0, 3, 6, 12))
        later = sorted(self.draws.randrange(signs_up, ends) for _ in range(often))
        soon = signs_up + self.draws.randrange(60, 2 * DAY)
        self.moments = [signs_up, soon, *later]

    def act(self, world: World) -> None:
        """Does what is to be done at the next moment."""
        if not self.id:
            self._sign_up(world)
            return
        known = world.account.store.find(self.id)
        if known is None or known.get("deleted"):
            return
        mine = world.account.store.all("subscription", "customer = ?", (self.id,))
        living = [one for one in mine if one["status"] not in ("canceled", "incomplete_expired")]
        if not living or (len(living) < 2 and self.draws.random() < 0.1):
            self._subscribe(world)
            return
        deed = self.draws.choices(list(_DEEDS), list(_DEEDS.values()))[0]
        deed(self, world, self.draws.choice(living))

    def _sign_up(self, world: World) -> None:
        country = self.draws.choice(_COUNTRIES)
        made = world.do(
            customers.create,
            name=f"Customer {self.number}",
            metadata={"source": source} if (source := self.draws.choice(_SOURCES)) else {},
            **({"address": {"country": country}} if country else {}),
        )
        self.id = made["id"]
        if self.draws.random() < 0.6:
            self._new_card(world)

    def _new_card(self, world: World) -> None:
        bad = self.draws.random() < 0.15
        world.do(
            cards.attach, self.draws.choice(_DECLINES) if bad else "ok", self.id, default=True,
            country=self.draws.choice(_CARDS),
        )  # fmt: skip

    def _price(self, currency: str | None = None) -> str:
        plan = self.draws.choices(list(_WANTED), list(_WANTED.values()))[0]
        every = self.draws.choices(list(EVERY), (6, 2, 1, 1))[0]
        return self.shop.prices[f"{plan}_{every}_{currency or self.currency}"]

    def _subscribe(self, world: World) -> None:
        terms: dict[str, Any] = {}
        if self.draws.random() < 0.55:
            behaviour = self.draws.choice(("cancel", "pause", "create_invoice"))
            terms["trial_period_days"] = self.draws.choice((3, 7, 14, 30))
            terms["trial_settings"] = {"end_behavior": {"missing_payment_method": behaviour}}
        elif self.draws.random() < 0.15:
            terms |= {"collection_method": "send_invoice", "days_until_due": 10}
        if self.draws.random() < 0.3:
            terms["discounts"] = [{"coupon": self.draws.choice(self.shop.coupons)}]
        items = [{"price": self._price(), "quantity": self.draws.choice((1, 1, 1, 3, 7))}]
        if self.draws.random() < 0.15:
            every = next(name for name, id in self.shop.prices.items() if id == items[0]["price"])
            items.append({"price": self.shop.prices[f"odd_{every.split('_', 1)[1]}"], "quantity": 2})
        world.do(subscriptions.create, customer=self.id, items=items, currency=self.currency, **terms)

    # Deeds: each with the subscription that it is done to

    def change_seats(self, world: World, one: Body) -> None:
        item = self.draws.choice(one["items"]["data"])
        self._update(world, one, items=[{"id": item["id"], "quantity": self.draws.choice((1, 2, 5, 9))}])

    def change_plan(self, world: World, one: Body) -> None:
        item = one["items"]["data"][0]
        self._update(world, one, items=[{"id": item["id"], "price": self._price(one["currency"])}])

    def _update(self, world: World, one: Body, **params: Any) -> None:
        how = self.draws.choice(("create_prorations", "create_prorations", "none", "always_invoice"))
        world.do(changes.update, one["id"], proration_behavior=how, **params)

    def add_item(self, world: World, one: Body) -> None:
        every = one["items"]["data"][0]["price"]["recurring"]
        name = next(
            name for name, each in EVERY.items() if each == (every["interval"], every["interval_count"])
        )
        price = self.shop.prices[f"{self.draws.choice(('odd', 'small'))}_{name}_{one['currency']}"]
        self._update(world, one, items=[{"price": price, "quantity": self.draws.choice((1, 4))}])

    def drop_item(self, world: World, one: Body) -> None:
        items = one["items"]["data"]
        if len(items) > 1:
            self._update(world, one, items=[{"id": self.draws.choice(items)["id"], "deleted": True}])

    def cancel_now(self, world: World, one: Body) -> None:
        world.do(subscriptions.cancel, one["id"], cancellation_details={"feedback": "unused"})

    def cancel_later(self, world: World, one: Body) -> None:
        world.do(changes.update, one["id"], cancel_at_period_end=True)

    def stay(self, world: World, one: Body) -> None:
        world.do(changes.update, one["id"], cancel_at_period_end=False)

    def pause_collection(self, world: World, one: Body) -> None:
        behavior = self.draws.choice(("void", "keep_as_draft", "mark_uncollectible"))
        resumes = world.now + self.draws.randrange(5, 60) * DAY if self.draws.random() < 0.5 else None
        world.do(changes.update, one["id"], pause_collection={"behavior": behavior, "resumes_at": resumes})

    def collect_again(self, world: World, one: Body) -> None:
        world.do(changes.update, one["id"], pause_collection="")

    def discount(self, world: World, one: Body) -> None:
        coupon = self.draws.choice(self.shop.coupons)
        world.do(changes.update, one["id"], discounts=[{"coupon": coupon}])

    def no_discount(self, world: World, one: Body) -> None:
        world.do(changes.update, one["id"], discounts="")

    def own_discount(self, world: World, one: Body) -> None:
        """Of the customer, not of a subscription."""
        world.do(shops.give, self.id, self.draws.choice(self.shop.lasting))

    def no_own_discount(self, world: World, one: Body) -> None:
        world.do(shops.take_back, self.id)

    def extend_trial(self, world: World, one: Body) -> None:
        if one["status"] == "trialing":
            more = self.draws.randrange(1, 20) * DAY
            world.do(changes.update, one["id"], trial_end=one["trial_end"] + more, proration_behavior="none")

    def try_after_all(self, world: World, one: Body) -> None:
        """Staff give somebody who pays a trial. (Of one who had one before Stripe forgets when that was.)"""
        if one["status"] in ("active", "past_due") and not one["trial_start"]:
            until = world.now + self.draws.randrange(3, 20) * DAY
            how = self.draws.choice(("none", "create_prorations"))
            world.do(changes.update, one["id"], trial_end=until, proration_behavior=how)

    def end_trial(self, world: World, one: Body) -> None:
        if one["status"] == "trialing":
            world.do(changes.update, one["id"], trial_end="now")

    def card_fails(self, world: World, one: Body) -> None:
        if method := self._method(world):
            times = self.draws.choice((None, None, 1, 2))
            world.do(cards.decline, method, self.draws.choice(_DECLINES), times)

    def card_works(self, world: World, one: Body) -> None:
        if method := self._method(world):
            world.do(cards.restore, method)

    def new_card(self, world: World, one: Body) -> None:
        self._new_card(world)

    def pay(self, world: World, one: Body) -> None:
        for invoice in world.account.store.all("invoice", "customer = ?", (self.id,)):
            if invoice["status"] in ("open", "uncollectible"):
                if self.draws.random() < 0.6:
                    self._new_card(world)
                how = self.draws.choice(("elsewhere", "by_hand", "by_hand", "at_the_desk"))
                if how == "at_the_desk":
                    world.retry(invoice)
                else:
                    world.do(payments.pay, invoice["id"], paid_out_of_band=how == "elsewhere")

    def give_up(self, world: World, one: Body) -> None:
        for invoice in world.account.store.all("invoice", "customer = ?", (self.id,)):
            if invoice["status"] == "open":
                deed = self.draws.choice((manual.void, manual.mark_uncollectible))
                world.do(deed, invoice["id"])

    def credit(self, world: World, one: Body) -> None:
        for invoice in world.account.store.all("invoice", "customer = ?", (self.id,)):
            if invoice["status"] == "open":
                amount = self.draws.choice((100, invoice["amount_remaining"], invoice["amount_remaining"]))
                world.do(credit_notes.create, invoice=invoice["id"], amount=amount)

    def resume(self, world: World, one: Body) -> None:
        if one["status"] == "paused":
            self._new_card(world)
            made = world.do(resuming.resume, one["id"])
            if made:
                world.do(payments.pay, made["latest_invoice"])

    def refund(self, world: World, one: Body) -> None:
        if charge := self._charge(world):
            world.do(refunds.create, charge=charge["id"])

    def dispute(self, world: World, one: Body) -> None:
        if charge := self._charge(world):
            made = world.do(disputes.create, charge["id"])
            if made and self.draws.random() < 0.5:
                world.do(disputes.close, made["id"], self.draws.choice(("won", "lost")))

    def one_off(self, world: World, one: Body) -> None:
        link = {"customer": self.id, "subscription": one["id"]}
        world.do(invoiceitems.create, **link, amount=5_000, currency=one["currency"])
        if self.draws.random() < 0.5 and (made := world.do(manual.create, **link, auto_advance=True)):
            world.do(manual.finalize, made["id"])

    def delete(self, world: World, one: Body) -> None:
        world.do(customers.delete, self.id)

    def _method(self, world: World) -> str | None:
        settings = world.account.store.find(self.id)["invoice_settings"]  # type: ignore[index]
        return str(settings["default_payment_method"] or "") or None

    def _charge(self, world: World) -> Body | None:
        mine = world.account.store.all("charge", "customer = ?", (self.id,))
        return next((one for one in reversed(mine) if one["status"] == "succeeded"), None)


_DEEDS: dict[Callable[[Life, World, Body], None], float] = {
    Life.change_seats: 6,
    Life.change_plan: 6,
    Life.add_item: 2,
    Life.drop_item: 2,
    Life.cancel_now: 3,
    Life.cancel_later: 4,
    Life.stay: 2,
    Life.pause_collection: 3,
    Life.collect_again: 3,
    Life.discount: 4,
    Life.no_discount: 2,
    Life.own_discount: 4,
    Life.no_own_discount: 2,
    Life.extend_trial: 8,
    Life.try_after_all: 2,
    Life.end_trial: 4,
    Life.card_fails: 6,
    Life.card_works: 3,
    Life.new_card: 4,
    Life.pay: 8,
    Life.give_up: 2,
    Life.credit: 2,
    Life.resume: 4,
    Life.refund: 2,
    Life.dispute: 2,
    Life.one_off: 2,
    Life.delete: 0.5,
}


def moments(lives: Iterable[Life]) -> list[tuple[int, int, Life]]:
    """When something is done, by whom, in order of time."""
    return sorted(((at, one.number, one) for one in lives for at in one.moments), key=lambda each: each[:2])


__all__ = ["Life", "moments"]
