"""What tests of the work lists share: rows to show, and pages as AppTest runs them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from streamlit.testing.v1 import AppTest

from models import Invoice, Price, Product, Subscription, SubscriptionItem
from pages.components.navigation import ROOT
from services import clock
from services.staff import people
from services.staff.roles import Person
from tests.customers import builders


def open_page(name: str, *, acting_as: str = "sam@trialdesk.test", **address: str) -> AppTest:
    """One run of a page under an address, for one of the sandbox's people."""
    app = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=60)
    app.session_state["as"] = acting_as
    for key, value in address.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception[0].value
    return app


def whoever(database: ModuleType, email: str) -> Person:
    """One of the sandbox's people."""
    with database.session() as session:
        return next(person for person in people.active(session) if person.email == email)


def column(app: AppTest, label: str) -> list[Any]:
    """The cells of one column of the page's table, by its field; [] where there is no table."""
    return list(app.dataframe[0].value[label]) if app.dataframe else []


def captions(app: AppTest) -> list[str]:
    """What the page says in small print."""
    return [caption.value for caption in app.caption]


def add_trial(database: ModuleType, name: str, days: float, **given: Any) -> str:
    """A customer on a running trial that ends in `days`; the id is made of the name."""
    id = f"cus_{name.lower()}"
    with database.transaction() as session:
        builders.customer(
            session, id, **{"name": name, "email": f"{name.lower()}@x.example", "status": "trialing", **given}
        )
        builders.row(
            session, Subscription, id=f"sub_{name.lower()}", customer=id, status="trialing", currency="usd",
            trial_end=clock.now() + int(days * clock.DAY), plan_micros=4_900_000_000,
        )  # fmt: skip
        product = given.get("product", "prod_team")
        if session.get(Product, product) is None:
            builders.row(session, Product, id=product, name=product.removeprefix("prod_").capitalize())
            builders.row(
                session, Price, id=f"price_{product}", product=product, interval="month", currency="usd"
            )
        builders.row(
            session, SubscriptionItem, id=f"si_{name.lower()}", subscription=f"sub_{name.lower()}",
            product=product, price=f"price_{product}",
        )  # fmt: skip
    return id


def add_failure(database: ModuleType, name: str, amount: int, currency: str = "usd", **given: Any) -> str:
    """A customer with an open failed invoice; the id is made of the name."""
    id = f"cus_{name.lower()}"
    with database.transaction() as session:
        known = {"name": name, "email": f"{name.lower()}@x.example", "payment_method_on_file": True}
        builders.customer(session, id, **known)
        values = {"attempt_count": 2, "hosted_invoice_url": "https://pay.example/in", **given}
        builders.row(
            session, Invoice, id=f"in_{name.lower()}", customer=id, number=f"N-{name}", status="open",
            attempted=True, amount_remaining=amount, currency=currency, **values,
        )  # fmt: skip
    return id
