"""Is that taken off a subscription's invoices which the dialog says, and nothing else?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models import Coupon, InvoiceItem
from services.desk import commands, coupons, fresh
from services.desk.asking import Opened
from services.desk.subject import Subject
from services.errors import Conflict, InvalidInput, NotAllowed, Refused
from tests.desk.bench import ANA, SAM, Bench, asked, press, row

pytestmark = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
FIFTH = {"kind": "coupon", "coupon": "FIFTH"}


def opened_for(command: str, about: Subject) -> Opened:
    return commands.open(ANA, command, about.customer.id, about.object_id)


def taken_off(desk: Bench, about: Subject) -> list[str]:
    """The coupons behind the subscription's discounts, in the account."""
    found = desk.sdk.subscriptions.retrieve(about.object_id, {"expand": ["discounts"]}).discounts
    return [each.source.coupon for each in found]  # type: ignore[union-attr]


def code(desk: Bench, coupon: str, text: str, **more: Any) -> None:
    """A promotion code, mirrored."""
    promotion: Any = {"type": "coupon", "coupon": coupon}
    made = desk.sdk.promotion_codes.create({"promotion": promotion, "code": text, **more})
    desk.mirror("promotion_code", made.id)


@pytest.mark.parametrize(
    ("duration", "how_long", "due"),
    [
        ({"duration": "once"}, "on the next invoice only", 3920),
        ({"duration": "repeating", "duration_in_months": 3}, "on the invoices of the next 3 months", 3920),
        ({"duration": "forever"}, "on every invoice", 3920),
        (
            {"duration": "forever", "percent_off": None, "amount_off": 1000, "currency": "usd"},
            "$10.00 off",
            3900,
        ),
    ],
)
def test_a_coupon_is_taken_off_as_the_dialog_says(
    desk: Bench, duration: dict[str, Any], how_long: str, due: int
) -> None:
    coupon: Any = {"percent_off": 20, "name": "Launch", **duration}
    id = desk.sdk.coupons.create({name: value for name, value in coupon.items() if value is not None}).id
    desk.mirror("coupon", id)
    about = desk.in_state("active")
    opened = opened_for("apply_coupon", about)
    form = {"kind": "coupon", "coupon": id}
    told = asked(opened, form)
    assert told.happens[0].startswith("Launch applies to this subscription: ") and how_long in told.happens[0]
    assert f"The next payment, ${due / 100:.2f}, is due on " in " ".join(told.happens)
    outcome = commands.submit(opened, ANA, form, "a year of patience")
    assert outcome.state == "done" and outcome.message.startswith("Launch applies: "), outcome
    assert desk.sdk.invoices.create_preview({"subscription": about.object_id}).amount_due == due
    assert len(row(opened.token)["after"]["discounts"]) == 1


def test_a_code_is_taken_in_any_case_and_what_applies_stays(desk: Bench) -> None:
    about = desk.in_state("discounted")
    before = list(desk.sdk.subscriptions.retrieve(about.object_id).discounts)
    code(desk, desk.coupon("FIFTH", 20), "FRIEND20")
    opened = opened_for("apply_coupon", about)
    told = asked(opened, {"kind": "code", "code": " friend20 "})
    assert told.warnings == ("It comes on top of TENTH, which goes on.",)
    assert commands.submit(opened, ANA, {"kind": "code", "code": "friend20"}, "a friend").state == "done"
    assert taken_off(desk, about) == ["TENTH", "FIFTH"]
    shown = desk.sdk.subscriptions.retrieve(about.object_id, {"expand": ["discounts"]}).discounts
    assert shown[0].id == before[0] and shown[1].promotion_code  # type: ignore[union-attr]


def test_of_several_one_is_removed_and_the_others_go_on(desk: Bench) -> None:
    about = desk.in_state("discounted")
    desk.coupon("FIFTH", 20)
    assert press(ANA, "apply_coupon", about, **FIFTH)[1].state == "done"
    opened = opened_for("remove_coupon", fresh.subject(about.customer.id, about.object_id))
    assert opened.subject.subscription
    with pytest.raises(InvalidInput, match="Choose what is removed"):
        opened.ask({})
    first, second = opened.subject.subscription.discounts
    told = asked(opened, {"discount": first})
    assert told.happens[0] == "TENTH does not apply to this subscription any more."
    assert "The next payment, $39.20, is due on" in " ".join(told.happens)
    outcome = commands.submit(opened, ANA, {"discount": first}, "over")
    assert (outcome.state, outcome.message) == ("done", "TENTH does not apply any more.")
    assert list(desk.sdk.subscriptions.retrieve(about.object_id).discounts) == [second]
    [last] = [press(ANA, "remove_coupon", about)[1]]
    assert last.state == "done" and taken_off(desk, about) == []
    with pytest.raises(Conflict, match="No coupon is applied"):
        opened_for("remove_coupon", about)


def test_a_coupon_that_is_not_given_out_any_more_is_lost_for_good(desk: Bench) -> None:
    about = desk.in_state("active")
    desk.coupon("LASTONE", 30, max_redemptions=1)
    assert press(ANA, "apply_coupon", about, kind="coupon", coupon="LASTONE")[1].state == "done"
    desk.mirror("coupon", "LASTONE")
    opened = opened_for("remove_coupon", about)
    assert "LASTONE" not in [coupon.id for coupon in opened.subject.coupons]
    assert "cannot be applied again" in " ".join(asked(opened, {}).warnings)


def test_what_cannot_be_given_is_said(desk: Bench) -> None:
    desk.coupon("FIFTH", 20)
    desk.sdk.coupons.create({"id": "EUROS", "amount_off": 500, "currency": "eur", "duration": "once"})
    desk.mirror("coupon", "EUROS")
    code(desk, "EUROS", "INEUROS")
    code(desk, "FIFTH", "FORBO", customer=desk.customer())
    opened = opened_for("apply_coupon", desk.shared("discounted"))
    for form, said in (
        ({"kind": "voucher"}, "Choose a coupon"),
        ({"kind": "coupon", "coupon": ""}, "one of the coupons"),
        ({"kind": "coupon", "coupon": "EUROS"}, "one of the coupons"),
        ({"kind": "coupon", "coupon": "TENTH"}, "TENTH applies already"),
        ({"kind": "code", "code": " "}, "Type the promotion code"),
        ({"kind": "code", "code": "NOBODYS"}, "There is no promotion code “NOBODYS”"),
        ({"kind": "code", "code": "FORBO"}, "There is no promotion code “FORBO”"),
        ({"kind": "code", "code": "ineuros"}, "for another currency"),
    ):
        with pytest.raises(InvalidInput, match=said):
            opened.ask(form)
    with pytest.raises(NotAllowed, match="apply and remove coupons"):
        commands.open(SAM, "apply_coupon", opened.subject.customer.id, opened.subject.object_id)


def test_only_what_takes_something_off_is_offered(desk: Bench) -> None:
    desk.coupon("FIFTH", 20)
    subject = opened_for("apply_coupon", desk.shared("discounted")).subject
    assert {"FIFTH", "TENTH"} <= {coupon.id for coupon in subject.coupons}
    others = Coupon(id="OTHERS", created=0, percent_off="20", applies_to=["prod_another"])
    offered = {coupon.id for coupon in coupons.fitting(replace(subject, coupons=(*subject.coupons, others)))}
    assert "FIFTH" in offered and not {"TENTH", "OTHERS"} & offered


def test_that_nothing_is_left_to_take_off_is_said(desk: Bench) -> None:
    desk.coupon("FIFTH", 20)
    ending = desk.in_state("active")
    desk.sdk.subscriptions.update(ending.object_id, {"cancel_at_period_end": True})
    told = asked(opened_for("apply_coupon", ending), FIFTH)
    assert "It is set to end before another invoice" in " ".join(told.warnings)
    free = desk.in_state("active")
    assert (
        press(ANA, "apply_coupon", free, kind="coupon", coupon=desk.coupon("WHOLE", 100))[1].state == "done"
    )
    told = asked(opened_for("apply_coupon", free), FIFTH)
    assert "WHOLE takes off everything already" in " ".join(told.warnings)


@pytest.mark.parametrize(
    ("waits", "used", "applies_to", "duration", "said"),
    [
        (False, False, [], "forever", ["It is set to end before another invoice"]),
        (True, False, [], "forever", ["WHOLE takes off everything already"]),  # for what is changed
        (False, True, [], "forever", ["WHOLE takes off everything already"]),  # for what was used
        (False, True, ["prod_1"], "forever", []),
        (False, True, [], "once", []),
    ],
)
def test_what_is_left_to_take_off_is_not_said_to_be_nothing(
    desk: Bench, waits: bool, used: bool, applies_to: list[str], duration: str, said: list[str]
) -> None:
    about = opened_for("apply_coupon", desk.shared("discounted")).subject
    assert about.subscription is not None and about.items[0].price is not None
    price = about.items[0].price.model_copy(update={"usage_type": "metered" if used else "licensed"})
    whole = Coupon(id="WHOLE", created=0, percent_off="100", applies_to=applies_to, duration=duration)
    change = InvoiceItem(id="ii_1", created=0, customer="cus_1", amount=1, currency="usd", proration=True)
    beside = coupons.beside(
        replace(
            about,
            subscription=about.subscription.model_copy(update={"cancel_at_period_end": True}),
            items=(replace(about.items[0], price=price),),
            pending=(change,) if waits else (),
            rebates=[replace(rebate, coupon=whole) for rebate in about.rebates],
        )
    )
    vain = [each for each in beside if "nothing" in each]
    assert [each.partition(":")[0] for each in vain] == said


def test_what_stripe_refuses_is_told_before_anything_is_done(desk: Bench) -> None:
    about = desk.in_state("active")
    desk.coupon("GONE", 20)
    opened = opened_for("apply_coupon", about)
    desk.sdk.coupons.delete("GONE")
    with pytest.raises(Refused, match="GONE"):
        opened.ask({"kind": "coupon", "coupon": "GONE"})
    assert taken_off(desk, about) == [] and row(opened.token)["state"] == "open"


def test_a_coupon_that_came_meanwhile_stops_it(desk: Bench) -> None:
    about = desk.in_state("active")
    opened = opened_for("apply_coupon", about)
    desk.sdk.subscriptions.update(about.object_id, {"discounts": [{"coupon": desk.coupon("TENTH", 10)}]})
    outcome = commands.submit(opened, ANA, {"kind": "coupon", "coupon": desk.coupon("FIFTH", 20)}, "nice")
    assert outcome.state == "failed", outcome
    assert "Discounts: none → 1." in outcome.message and taken_off(desk, about) == ["TENTH"]
