"""What is filled in to change a plan, to apply or remove a coupon, and to begin again at another price."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import streamlit as st

from models import Coupon
from pages.components import customer_words, formats, number_fields
from services.customers.contents import in_currency
from services.desk import changing, coupons, reactivation, words
from services.desk.command import Form
from services.desk.subject import Item, Subject

_BILLING = {
    "next": "Credit and charge on the next invoice",
    "now": "At once",
    "none": "Not at all for this period",
}
_KINDS = {"coupon": "A coupon", "code": "What a promotion code stands for"}
_ANEW = {"now": "At once, with credit for the time not used", "none": "At once, without credit"}


def _change_plan(subject: Subject, key: str) -> Form:
    item = _item(subject, key)
    assert item.price is not None
    sold = {plan.price.id: plan for plan in changing.plans_for(subject, item)}
    own = item.price.id
    called = {own: f"{_called(item.name, item)} (as now)"} | {
        id: f"{plan.product.name}, {words.price(plan.price)}" for id, plan in sold.items() if id != own
    }
    chosen = st.selectbox("Plan", list(called), key=f"{key}:price", format_func=called.__getitem__) or own
    price = sold[chosen].price if chosen in sold else item.price
    form = {"item": item.row.id, "price": chosen, "quantity": ""}
    if price.usage_type != "metered":
        form["quantity"] = number_fields.whole("Quantity", item.row.quantity, f"{key}:quantity")
    return form | _how(changing.Change(subject, item, price, item.row.quantity), key)


def _item(subject: Subject, key: str) -> Item:
    """What is changed, chosen where there are several."""
    items = {item.row.id: item for item in subject.items}
    if len(items) == 1:
        return subject.items[0]
    told = {id: item.said(subject.currency) for id, item in items.items()}
    chosen = st.selectbox("What changes", list(items), key=f"{key}:item", format_func=told.__getitem__)
    return items[chosen or subject.items[0].row.id]


def _called(name: str, item: Item) -> str:
    assert item.price is not None
    return f"{name}, {words.price(in_currency(item.price, item.price.currency))}"


def billed(subject: Subject, form: Form, key: str) -> Form:
    """How it is billed that an item goes over to the price and quantity of a form."""
    [item] = [each for each in subject.items if each.row.id == form["item"]]
    sold = {plan.price.id: plan.price for plan in subject.plans}
    price = sold.get(form["price"], item.price)
    assert price is not None
    return _how(changing.Change(subject, item, price, int(form["quantity"])), key)


def _how(change: changing.Change, key: str) -> Form:
    """How the change is billed; in a trial nothing is."""
    if change.in_trial:
        return {"billing": "none"}
    told = _ANEW if change.begins_anew else _BILLING
    billing = st.radio(
        "How it is billed", list(told), key=f"{key}:billing:{len(told)}", format_func=told.__getitem__
    )
    return {"billing": billing or ""}


def _apply_coupon(subject: Subject, key: str) -> Form:
    kind = st.radio(
        "Take off", list(_KINDS), key=f"{key}:kind", horizontal=True, format_func=_KINDS.__getitem__
    )
    if kind == "code":
        typed = st.text_input("Promotion code", key=f"{key}:code", placeholder="As customers type it.")
        return {"kind": "code", "code": typed or ""}
    return coupon(coupons.fitting(subject), key)


def coupon(offered: Iterable[Coupon], key: str) -> Form:
    """Which of these is taken off."""
    told = {each.id: f"{coupons.called(each)}: {coupons.takes(each)}" for each in offered}
    chosen = st.selectbox(
        "Coupon",
        list(told),
        index=None,
        key=f"{key}:coupon",
        format_func=told.__getitem__,
        placeholder="Choose one" if told else "There is no coupon that could be given",
    )
    return {"kind": "coupon", "coupon": chosen or ""}


def _remove_coupon(subject: Subject, key: str) -> Form:
    assert subject.subscription is not None
    has = subject.subscription.discounts
    if len(has) == 1:
        return {}
    told = {rebate.row.id: rebate for rebate in subject.rebates}
    chosen = st.selectbox(
        "Which", has, index=None, key=f"{key}:discount",
        format_func=lambda id: customer_words.rebate(told[id]) if id in told else id,
    )  # fmt: skip
    return {"discount": chosen or ""}


def _successor(subject: Subject, key: str) -> Form:
    """Whether an ended subscription begins again at the successors of prices that are not sold any more."""
    new = [item.now_sold.said(subject.currency) for item in subject.items if item.successor]
    if not new or reactivation.way(subject) != "anew":
        return {}
    agreed = st.checkbox(formats.plain(f"Begin with {words.listing(new)}"), key=f"{key}:successor")
    return {"successor": "yes" if agreed else ""}


FIELDS: dict[str, Callable[[Subject, str], Form]] = {
    "change_plan": _change_plan,
    "apply_coupon": _apply_coupon,
    "remove_coupon": _remove_coupon,
    "reactivate": _successor,
}
