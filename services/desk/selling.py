"""What does the account sell now: which plans, and with which coupons and promotion codes?"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Coupon, Price, Product, PromotionCode
from services.customers.contents import in_currency


@dataclass(frozen=True, slots=True)
class Plan:
    """A recurring price, as it is in the currency that it was asked for in, and its product."""

    price: Price
    product: Product


def plans(session: Session, currency: str) -> tuple[Plan, ...]:
    """What can be subscribed to in a currency, by name and amount: active prices of active products."""
    wanted = (
        select(Price, Product)
        .join(Product, col(Product.id) == Price.product)
        .where(col(Price.active), col(Product.active), col(Price.interval).is_not(None))
        .where(~col(Price.deleted), ~col(Product.deleted))
    )
    found = [
        Plan(in_currency(price, currency), product)
        for price, product in session.exec(wanted)
        if currency in (price.currency, *price.currency_options)
    ]
    return tuple(sorted(found, key=_order))


def _order(plan: Plan) -> tuple[str, int, str]:
    return plan.product.name.casefold(), plan.price.unit_amount or 0, plan.price.id


def coupons(session: Session, currency: str, now: int) -> tuple[Coupon, ...]:
    """What can be given in a currency, by name: coupons that are valid."""
    wanted = select(Coupon).where(col(Coupon.valid), ~col(Coupon.deleted), *_runs(Coupon.redeem_by, now))
    fitting = [each for each in session.exec(wanted) if each.currency in (None, currency)]
    return tuple(sorted(fitting, key=lambda each: ((each.name or each.id).casefold(), each.id)))


def promotion_code(session: Session, typed: str, customer: str, now: int) -> PromotionCode | None:
    """The code that a customer types, in whatever case, where it is active and for this customer."""
    code, whose = col(PromotionCode.code), col(PromotionCode.customer)
    wanted = (
        select(PromotionCode)
        .where(sa.func.lower(code) == typed.lower(), col(PromotionCode.active), ~col(PromotionCode.deleted))
        .where(sa.or_(whose.is_(None), whose == customer), *_runs(PromotionCode.expires_at, now))
    )
    return session.exec(wanted.order_by(whose.is_(None))).first()


def _runs(end: int | None, now: int) -> tuple[sa.ColumnElement[bool], ...]:
    column = col(end)
    return (sa.or_(column.is_(None), column > now),)
