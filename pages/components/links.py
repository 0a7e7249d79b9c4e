"""Where does this lead: to Stripe, to Intercom, to the company's own admin?

External addresses are empty where there is nothing to lead to (the sandbox has no Stripe dashboard);
callers then show no link.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

import streamlit as st

from services import config

_STRIPE = "https://dashboard.stripe.com"
_STRIPE_KINDS = {
    "customer": "customers",
    "subscription": "subscriptions",
    "invoice": "invoices",
    "payment_intent": "payments",
    "charge": "payments",
    "dispute": "disputes",
    "product": "products",
    "price": "prices",
    "coupon": "coupons",
    "event": "events",
}

_BY_ID = {
    "cus_": "customer", "sub_": "subscription", "in_": "invoice", "ch_": "charge", "py_": "charge",
}  # fmt: skip


def stripe_url(kind: str, id: str) -> str:
    """The object in Stripe's dashboard; "" on the sandbox and for kinds without a page there."""
    mode = config.settings().mode
    if mode == "sandbox" or not id or kind not in _STRIPE_KINDS:
        return ""
    return f"{_STRIPE}{'/test' if mode == 'test' else ''}/{_STRIPE_KINDS[kind]}/{quote(id, safe='')}"


def object_url(id: str) -> tuple[str, str]:
    """What an object is called whose kind its id tells, and its page in Stripe's dashboard; "" as above."""
    kind = next((kind for start, kind in _BY_ID.items() if id.startswith(start)), "")
    name = "payment" if kind == "charge" else kind
    return f"{name.capitalize()} in Stripe", stripe_url(kind, id)


def request_url(request_id: str) -> str:
    """A request in Stripe's log; "" on the sandbox."""
    mode = config.settings().mode
    if mode == "sandbox" or not request_id:
        return ""
    return f"{_STRIPE}{'/test' if mode == 'test' else ''}/logs/{quote(request_id, safe='')}"


def intercom_url(email: str | None) -> str:
    """The person in Intercom; "" without INTERCOM_APP_ID or an email."""
    app = config.settings().intercom_app_id
    if not app or not email:
        return ""
    return f"https://app.intercom.com/a/apps/{quote(app, safe='')}/users/show?{urlencode({'email': email})}"


def admin_url(customer: str) -> str:
    """The customer in the company's own admin (ADMIN_URL_TEMPLATE with `{id}`); "" where not set."""
    return config.settings().admin_url_template.replace("{id}", quote(customer, safe=""))


def external(label: str, url: str, *, icon: str = ":material/open_in_new:") -> None:
    """A link out of the desk as a quiet button; nothing where there is no address."""
    if url:
        st.link_button(label, url, icon=icon, type="tertiary")
