"""Addresses inside and outside the desk."""

from __future__ import annotations

import pytest

from pages.components import links
from services import config


def configure(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()


def test_the_sandbox_leads_nowhere_outside() -> None:
    assert links.stripe_url("customer", "cus_1") == links.request_url("req_1") == ""
    assert links.intercom_url("a@b.c") == links.admin_url("cus_1") == ""


@pytest.mark.parametrize(("key", "mode"), [("sk_test_1", "/test"), ("rk_live_1", "")])
def test_stripes_dashboard(monkeypatch: pytest.MonkeyPatch, key: str, mode: str) -> None:
    configure(monkeypatch, STRIPE_API_KEY=key)
    root = f"https://dashboard.stripe.com{mode}"
    assert links.stripe_url("customer", "cus_1") == f"{root}/customers/cus_1"
    assert links.stripe_url("charge", "../x?") == f"{root}/payments/..%2Fx%3F"
    assert links.request_url("req_1") == f"{root}/logs/req_1"
    assert links.stripe_url("line_item", "il_1") == links.stripe_url("customer", "") == ""
    assert links.object_url("sub_1") == ("Subscription in Stripe", f"{root}/subscriptions/sub_1")
    assert links.object_url("py_1") == ("Payment in Stripe", f"{root}/payments/py_1")
    assert links.object_url("ii_1")[1] == links.object_url("")[1] == ""


def test_intercom_and_the_companys_own_admin(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, INTERCOM_APP_ID="abc", ADMIN_URL_TEMPLATE="https://admin.example/c/{id}?from=desk")
    assert links.intercom_url("a+b@c.de") == (
        "https://app.intercom.com/a/apps/abc/users/show?email=a%2Bb%40c.de"
    )
    assert links.intercom_url(None) == ""
    assert links.admin_url("cus_1/x") == "https://admin.example/c/cus_1%2Fx?from=desk"
