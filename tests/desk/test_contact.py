"""Are email and name changed as said, and does the ledger forget them?"""

from __future__ import annotations

import pytest
import stripe

from models import Base, Customer
from services import clock, database
from services.customers import timeline
from services.desk import commands, fresh, repeats, unknown, words
from services.desk.entries import told
from services.errors import InvalidInput, NotAllowed
from tests.desk.bench import ANA, BEN, SAM, Bench, press, row

pytestmark = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
NEW = {"email": "augusta@king.example", "name": "Augusta King"}
OURS = ("actions", "action_steps", "audit")


def ledger_text() -> str:
    """All that the desk's own tables hold of what staff did."""
    with database.session() as session:
        tables = [each for each in Base.metadata.sorted_tables if each.name.startswith(OURS)]
        return str([session.connection().execute(each.select()).all() for each in tables])


def test_both_are_changed_and_the_ledger_keeps_neither_old_nor_new(desk: Bench) -> None:
    about = fresh.subject(desk.customer(name="Ada Byron", email="ada@byron.example"))
    opened = commands.open(ANA, "change_contact", about.customer.id)
    heard = commands.preview(opened, NEW)
    outcome = commands.submit(opened, ANA, NEW, "married")
    assert heard.happens[:2] == (
        "The email becomes “augusta@king.example” instead of “ada@byron.example”.",
        "The name becomes “Augusta King” instead of “Ada Byron”.",
    )
    assert "go to the new address" in heard.happens[2] and "neither to the old address" in heard.happens[3]
    assert outcome.message == "The customer's email and name were changed."
    found = desk.sdk.customers.retrieve(about.customer.id)
    assert (found.email, found.name) == tuple(NEW.values())
    with database.session() as session:
        known = session.get(Customer, about.customer.id)
        [entry] = told(session, [("actions", opened.token)])
        [line] = timeline.latest(session, ANA, about.customer.id, ["Actions"], words, limit=5).entries
    assert known and known.email == NEW["email"], "the tables have it at once"
    kept = row(opened.token)
    assert (kept["params"], kept["preview"]) == ({"changed": ["email", "name"]}, {})
    assert entry.detail == "The customer's email or name was changed." and entry.detail in line.detail
    for secret in ("augusta", "Augusta", "byron", "Byron"):
        assert secret not in ledger_text()


def test_an_address_loses_what_nobody_sees(desk: Bench) -> None:
    about = fresh.subject(desk.customer(email="ada@example.com"))
    _, outcome = press(ANA, "change_contact", about, email="ada@\u200bking.example", name="")
    assert outcome.state == "done", outcome
    assert desk.sdk.customers.retrieve(about.customer.id).email == "ada@king.example"


def test_only_what_is_typed_anew_is_sent(desk: Bench) -> None:
    about = fresh.subject(desk.customer())
    _, outcome = press(ANA, "change_contact", about, email="ada@example.com", name="Ada King")
    assert outcome.message == "The customer's name was changed."
    [sent] = desk.writes(f"/v1/customers/{about.customer.id}")[-1:]
    assert desk.sdk.customers.retrieve(about.customer.id).email == "ada@example.com" and sent
    with pytest.raises(InvalidInput, match="Nothing is changed"):
        press(
            ANA, "change_contact", fresh.subject(about.customer.id), email="ada@example.com", name="Ada King"
        )


@pytest.mark.parametrize(
    ("form", "remark"),
    [
        ({"email": ""}, "Type the customer's email"),
        ({"email": "nobody"}, "not an email address"),
        ({"email": f"{'a' * 512}@x.example"}, "512 fit"),
        ({"name": "x" * 257}, "256 fit"),
        ({"name": "Ada\u2028King"}, "cannot be shown"),
    ],
)
def test_what_cannot_be_is_refused(desk: Bench, form: dict[str, str], remark: str) -> None:
    with pytest.raises(InvalidInput, match=remark) as error:
        press(ANA, "change_contact", fresh.subject(desk.customer()), **{**NEW, **form})
    assert error.value.field in form


def test_what_a_colleague_changed_meanwhile_stays(desk: Bench) -> None:
    about = fresh.subject(desk.customer())
    opened = commands.open(ANA, "change_contact", about.customer.id)
    press(BEN, "change_contact", about, email="ben@typed.example", name="Ada Lovelace")
    outcome = commands.submit(opened, ANA, NEW, "")
    assert outcome.overtaken and "is another one by now than the dialog showed" in outcome.message
    assert desk.sdk.customers.retrieve(about.customer.id).email == "ben@typed.example"
    assert "augusta" not in ledger_text() and "typed.example" not in ledger_text()


def test_a_lost_answer_is_found_and_until_then_the_values_are_kept(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "PAUSES", (0.01,))
    for kind, state in (("timeout_after", "done"), ("timeout_before", "unknown")):
        about = fresh.subject(desk.customer())
        opened = commands.open(ANA, "change_contact", about.customer.id)
        desk.sandbox.fault(kind, method="POST", path="/v1/customers/")
        outcome = commands.submit(opened, ANA, NEW, "")
        desk.sandbox.heal()
        assert outcome.state == state, outcome
    assert row(opened.token)["params"]["new"] == NEW
    assert unknown.try_again(BEN, opened.token).state == "done"
    assert desk.sdk.customers.retrieve(about.customer.id).name == "Augusta King"
    assert "augusta" not in ledger_text()


def test_what_a_person_settled_is_forgotten_too(desk: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "PAUSES", (0.01,))
    opened = commands.open(ANA, "change_contact", desk.customer())
    desk.sandbox.fault("timeout_before", method="POST", path="/v1/customers/")
    assert commands.submit(opened, ANA, NEW, "").state == "unknown"
    desk.sandbox.heal()
    assert unknown.settle(BEN, opened.token, done=False, note="looked").state == "failed"
    assert "augusta" not in ledger_text() and clock.now()


def test_stripe_refuses_what_is_no_address(desk: Bench) -> None:
    customer = desk.customer()
    with pytest.raises(stripe.InvalidRequestError, match="Invalid email address: nobody"):
        desk.sdk.customers.update(customer, {"email": "nobody"})


def test_who_only_sells_may_not(desk: Bench) -> None:
    with pytest.raises(NotAllowed, match="emails and names"):
        commands.open(SAM, "change_contact", desk.customer())
