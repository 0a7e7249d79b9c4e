"""Is that offered which can be sold now, in the currency that is billed, and to this customer?"""

from __future__ import annotations

from types import ModuleType

from models import Coupon, Price, Product, PromotionCode
from services.desk import selling
from tests.customers.builders import row

NOW = 1_790_000_000


def test_plans_are_active_recurring_and_in_the_currency(database: ModuleType) -> None:
    with database.transaction() as s:
        row(s, Product, id="prod_b", name="basic")
        row(s, Product, id="prod_a", name="Advanced")
        row(s, Product, id="prod_old", name="Old", active=False)
        monthly = {"interval": "month", "currency": "usd", "product": "prod_b"}
        both = {"usd": {"unit_amount_decimal": "1000"}, "eur": {"unit_amount_decimal": "900"}}
        row(s, Price, id="price_dear", **{**monthly, "unit_amount": 9900, "product": "prod_a"})
        row(s, Price, id="price_cheap", **monthly, unit_amount=1000, currency_options=both)
        row(s, Price, id="price_mid", **monthly, unit_amount=4900)
        row(s, Price, id="price_yen", **{**monthly, "currency": "jpy"}, unit_amount=5000)
        row(s, Price, id="price_once", product="prod_b", currency="usd", unit_amount=100)
        row(s, Price, id="price_archived", **monthly, unit_amount=100, active=False)
        row(s, Price, id="price_deleted", **monthly, unit_amount=100, deleted=True)
        row(s, Price, id="price_old", **{**monthly, "product": "prod_old"}, unit_amount=100)
    with database.session() as s:
        sold = [(plan.price.id, plan.price.unit_amount) for plan in selling.plans(s, "usd")]
        euros = [(plan.price.id, plan.price.unit_amount) for plan in selling.plans(s, "eur")]
    assert sold == [("price_dear", 9900), ("price_cheap", 1000), ("price_mid", 4900)]
    assert euros == [("price_cheap", 900)]


def test_coupons_are_valid_and_in_the_currency(database: ModuleType) -> None:
    with database.transaction() as s:
        row(s, Coupon, id="b", percent_off="20")
        row(s, Coupon, id="z", name="A name", amount_off=500, currency="usd", redeem_by=NOW + 9)
        row(s, Coupon, id="euros", amount_off=500, currency="eur")
        row(s, Coupon, id="used_up", percent_off="20", valid=False)
        row(s, Coupon, id="over", percent_off="20", redeem_by=NOW)
        row(s, Coupon, id="gone", percent_off="20", deleted=True)
    with database.session() as s:
        assert [each.id for each in selling.coupons(s, "usd", NOW)] == ["z", "b"]


def test_a_code_is_for_whoever_may_use_it(database: ModuleType) -> None:
    with database.transaction() as s:
        row(s, PromotionCode, id="promo_all", code="Friend20", coupon="b")
        row(s, PromotionCode, id="promo_ada", code="FRIEND20", coupon="b", customer="cus_ada")
        row(s, PromotionCode, id="promo_over", code="SPRING", coupon="b", expires_at=NOW)
        row(s, PromotionCode, id="promo_off", code="OFF", coupon="b", active=False)
    with database.session() as s:
        found = {
            (typed, whose): getattr(selling.promotion_code(s, typed, whose, NOW), "id", None)
            for typed in ("friend20", "SPRING", "OFF")
            for whose in ("cus_ada", "cus_bo")
        }
    assert {key: id for key, id in found.items() if id} == {
        ("friend20", "cus_ada"): "promo_ada", ("friend20", "cus_bo"): "promo_all",
    }  # fmt: skip
