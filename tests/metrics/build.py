"""Small accounts told in a founder's words, written straight into the tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from types import ModuleType
from typing import Any

from models import (
    Base,
    Customer,
    CustomerFacts,
    Dispute,
    Invoice,
    InvoiceLine,
    Price,
    Product,
    Subscription,
    SubscriptionItem,
)
from services.clock import DAY

HOUR = 3_600
_YEARLY = 365 * DAY


def at(text: str) -> int:
    """`2026-05-01` or `2026-05-01 14:30` as UTC seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


class Account:
    """Collects rows; `save` writes them. Plans: `pro` 49.00 a month, `team` 490.00 a year."""

    def __init__(self, first: int = 1) -> None:
        self.rows: list[Base] = []
        self._numbers: Iterator[int] = count(first)
        self.plan("pro", 4900, "month")
        self.plan("team", 49000, "year")

    def id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):06d}"

    def add(self, row: Any) -> Any:
        self.rows.append(row)
        return row

    def plan(self, name: str, amount: int, interval: str, currency: str = "usd") -> None:
        self.add(Product(id=f"prod_{name}", created=0, name=name.title()))
        self.add(
            Price(
                id=f"price_{name}",
                created=0,
                product=f"prod_{name}",
                currency=currency,
                unit_amount=amount,
                unit_amount_decimal=str(amount),
                type="recurring",
                billing_scheme="per_unit",
                interval=interval,
                usage_type="licensed",
            )
        )

    def customer(self, name: str, created: int, *, source: str = "", card: bool = False, **facts: Any) -> str:
        id = f"cus_{name}"
        self.add(Customer(id=id, created=created, name=name.title(), email=f"{name}@example.com"))
        self.add(
            CustomerFacts(
                customer=id,
                created=created,
                source=source,
                payment_method_on_file=card,
                **{"currency": "usd", **facts},
            )
        )
        return id

    def subscription(
        self, customer: str, start: int, status: str = "active", *, plan: str = "pro", **fields: Any
    ) -> Subscription:
        monthly = {"pro": 4_900_000_000, "team": 4_083_333_333}.get(plan, 0)
        fields = {"currency": "usd", "created": start, "start_date": start, "plan_micros": monthly, **fields}
        counted = status in ("active", "past_due") and not fields.get("pause_collection")
        row = Subscription(
            id=self.id("sub"),
            customer=customer,
            status=status,
            mrr_micros=fields.pop("mrr_micros", fields["plan_micros"] if counted else 0),
            **fields,
        )
        item = SubscriptionItem(
            id=self.id("si"),
            created=start,
            subscription=row.id,
            price=f"price_{plan}",
            product=f"prod_{plan}",
        )
        self.add(item)
        self.add(row)
        return row

    def trial(
        self, customer: str, start: int, days: int = 14, status: str = "trialing", **fields: Any
    ) -> Subscription:
        """A subscription that begins with a trial of `days`, and its $0 invoice that is paid at once."""
        end = start + days * DAY
        fields = {"trial_start": start, "trial_end": end, "first_trial_end": end, **fields}
        row = self.subscription(customer, start, status, **fields)
        self.invoice(row, start, 0, reason="subscription_create")
        return row

    def invoice(
        self,
        of: Subscription,
        created: int,
        total: int = 4900,
        *,
        paid_at: int | None = -1,
        status: str | None = None,
        reason: str = "subscription_cycle",
        **fields: Any,
    ) -> Invoice:
        """An invoice, paid an hour after it was made unless told otherwise (`paid_at=None`: open)."""
        when = created + HOUR if paid_at == -1 else paid_at
        left = 0 if when else total
        row = Invoice(
            id=self.id("in"),
            created=created,
            customer=of.customer,
            subscription=of.id,
            currency=of.currency,
            status=status or ("paid" if when else "open"),
            billing_reason=reason,
            **{
                "total": total,
                "amount_due": total,
                "amount_remaining": left,
                "amount_paid": total - left,
                "finalized_at": None if status == "draft" else created + HOUR,
                "paid_at": when,
                "attempted": status != "draft",
                "attempt_count": 0 if status == "draft" or not total else 1,
                **fields,
            },
        )
        return self.add(row)

    def line(self, invoice: Invoice, begins: int, ends: int, plan: str = "pro", **fields: Any) -> InvoiceLine:
        """The invoice's line for the plan, with its service period."""
        return self.add(
            InvoiceLine(
                id=self.id("il"),
                created=invoice.created,
                invoice=invoice.id,
                amount=fields.pop("amount", invoice.total),
                currency=invoice.currency,
                quantity=fields.pop("quantity", 1),
                period_start=begins,
                period_end=ends,
                price=f"price_{plan}",
                product=f"prod_{plan}",
                subscription=invoice.subscription,
                **fields,
            )
        )

    def dispute(
        self, created: int, amount: int, status: str = "needs_response", currency: str = "usd"
    ) -> Dispute:
        row = Dispute(
            id=self.id("dp"), created=created, amount=amount, status=status, currency=currency, charge="ch_1"
        )
        return self.add(row)

    def save(self, database: ModuleType) -> None:
        with database.transaction() as session:
            session.add_all(self.rows)
        self.rows = []
