"""Which of Stripe's objects become rows, in which table, and how are they listed and read?

`KINDS` is the one table of it. `kind_of` finds an object's kind; `row_of` turns an object into its row and
raises UnreadableObject where the shape fits no version that we know.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from models import (
    Charge,
    Coupon,
    CreditNote,
    Customer,
    Discount,
    Dispute,
    Invoice,
    InvoiceItem,
    InvoiceLine,
    InvoicePayment,
    PaymentIntent,
    PaymentMethod,
    Price,
    Product,
    PromotionCode,
    Refund,
    Subscription,
    SubscriptionItem,
)
from models.base import Mirrored
from services.errors import TrialdeskError
from services.mirror.shapes import billing, catalog, customers, payments, subscriptions
from services.mirror.shapes.reading import Object, Row

Table = type[Mirrored]
T = TypeVar("T")


class UnreadableObject(TrialdeskError):
    """An object whose shape fits no API version that we know; `problem` says where."""

    def __init__(self, kind: str, id: str, problem: str) -> None:
        super().__init__(
            f"The {kind} “{id}” has a shape that the desk does not know: {problem}.",
            remedy="It is kept in the inbox; a newer version of the desk may read it.",
        )
        self.kind, self.id, self.problem = kind, id, problem


@dataclass(frozen=True, slots=True)
class Children:
    """A list inside an object whose members are rows of their own: gone from the list is gone."""

    field: str
    model: Table
    parent: str
    row: Callable[[Object, Row], Row]
    path: str
    params: Callable[[str], dict[str, Any]]
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object. `path`: where it is listed, "" where it is in no list; one is at `path/id`.

    `expand` names what a single read opens, so that the row is whole; `inside` the fields that may hold
    other objects. `events_lack` is true where an event's snapshot can never be whole; `whole_with` names the
    field without which the object, inside another one, says too little to replace a row.
    """

    model: Table
    row: Callable[[Object], Row]
    path: str
    one: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    expand: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    children: Children | None = None
    events_lack: bool = False
    whole_with: str = ""

    def list_params(self) -> dict[str, Any]:
        """The parameters that list all of them, whole."""
        opened = [f"data.{name}" for name in self.expand if name not in _LISTED_APART]
        return {**self.params, **({"expand": opened} if opened else {})}

    def read_params(self, opened: Collection[str] = ()) -> dict[str, Any]:
        """The parameters that read one of them whole, with what else is to be `opened`."""
        names = [*self.expand, *opened]
        return {"expand": names} if names else {}

    def path_of(self, id: str) -> str:
        """The address of one of them."""
        return f"{self.one or self.path}/{id}"


_OF_PRICES = ("items.data.price.currency_options", "items.data.price.tiers")
# Opening payments on each page would double the work; prices lie too deep to be opened on a page.
_LISTED_APART = frozenset(("payments", *_OF_PRICES))

KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        "product": Kind(Product, catalog.product, "/v1/products"),
        "price": Kind(
            Price,
            catalog.price,
            "/v1/prices",
            expand=("currency_options", "tiers"),
            inside=("product",),
            events_lack=True,
            whole_with="currency_options",
        ),
        "coupon": Kind(Coupon, catalog.coupon, "/v1/coupons", expand=("applies_to",), events_lack=True),
        "promotion_code": Kind(
            PromotionCode, catalog.promotion_code, "/v1/promotion_codes", inside=("customer",)
        ),
        "customer": Kind(
            Customer,
            customers.customer,
            "/v1/customers",
            expand=("invoice_settings.default_payment_method",),
            inside=("invoice_settings.default_payment_method", "discount"),
        ),
        "subscription": Kind(
            Subscription,
            subscriptions.subscription,
            "/v1/subscriptions",
            params={"status": "all"},
            expand=("default_payment_method", "discounts", "items.data.discounts", *_OF_PRICES),
            inside=("customer", "default_payment_method", "discounts", "discount", "latest_invoice"),
            children=Children(
                "items",
                SubscriptionItem,
                "subscription",
                subscriptions.item,
                "/v1/subscription_items",
                lambda id: {"subscription": id},
                inside=("price", "discounts"),
            ),
        ),
        "invoice": Kind(
            Invoice,
            billing.invoice,
            "/v1/invoices",
            expand=("payments",),
            inside=("customer", "subscription", "payments", "default_payment_method", "discounts"),
            children=Children(
                "lines",
                InvoiceLine,
                "invoice",
                billing.line,
                "/v1/invoices/{id}/lines",
                lambda _id: {},
                inside=("discounts",),
            ),
        ),
        "invoiceitem": Kind(InvoiceItem, billing.invoice_item, "/v1/invoiceitems"),
        "invoice_payment": Kind(
            InvoicePayment,
            billing.invoice_payment,
            "/v1/invoice_payments",
            inside=("invoice", "payment.payment_intent", "payment.charge"),
        ),
        "payment_intent": Kind(
            PaymentIntent,
            payments.payment_intent,
            "/v1/payment_intents",
            inside=("customer", "latest_charge", "payment_method"),
        ),
        "charge": Kind(
            Charge,
            payments.charge,
            "/v1/charges",
            inside=("customer", "payment_intent", "refunds"),
        ),
        "refund": Kind(Refund, payments.refund, "/v1/refunds", inside=("charge", "payment_intent")),
        "dispute": Kind(Dispute, payments.dispute, "/v1/disputes", inside=("charge", "payment_intent")),
        "credit_note": Kind(
            CreditNote, billing.credit_note, "/v1/credit_notes", inside=("customer", "invoice", "refunds")
        ),
        "payment_method": Kind(
            PaymentMethod, customers.payment_method, "", one="/v1/payment_methods", inside=("customer",)
        ),
        "discount": Kind(Discount, catalog.discount, ""),
    }
)


def kind_of(source: Object) -> str | None:
    """The object's kind, None where we mirror none such."""
    name = source.get("object")
    return name if name in KINDS else None


def is_whole(source: Object) -> bool:
    """Whether an object inside another one says all that its own row holds."""
    name = kind_of(source)
    needed = KINDS[name].whole_with if name else ""
    return not needed or needed in source or source.get("deleted") is True


def row_of(name: str, source: Object) -> Row:
    """The object as a row of its table. Raises UnreadableObject."""
    return _reading(name, source, KINDS[name].row)


def child_rows(name: str, source: Object, parent: Row) -> list[Row]:
    """The rows of the list inside an object of this kind; [] where the kind has none. Raises
    UnreadableObject."""
    children = KINDS[name].children
    if children is None:
        return []
    from_list = _reading(name, source, lambda whole: _members(whole, children.field))
    return [_reading(children.field, member, lambda m: children.row(m, parent)) for member in from_list]


def _members(source: Object, field: str) -> list[Object]:
    found: list[Object] = source[field]["data"]
    if not all(isinstance(one, dict) for one in found):
        raise TypeError(f"'{field}' lists what is no object")
    return found


def _reading(name: str, source: Object, read: Callable[[Object], T]) -> T:
    try:
        return read(source)
    except KeyError as error:
        raise UnreadableObject(name, str(source.get("id")), f"no {error}") from None
    except (TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise UnreadableObject(name, str(source.get("id")), str(error)) from None
