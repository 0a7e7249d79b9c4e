"""Payments that fail and come back, told in a founder's words."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from models import (
    Action,
    ActionStep,
    Charge,
    CreditNote,
    Dispute,
    FailureFact,
    Invoice,
    InvoicePayment,
    Refund,
    Subscription,
)
from services.clock import DAY
from services.metrics import periods
from services.metrics.recovery import dunning
from services.metrics.recovery.dunning import Asked, Numbers
from tests.metrics import count as counted
from tests.metrics.build import HOUR, Account

UTC = ZoneInfo("UTC")
CARD, OTHER = "pm_visa", "pm_mastercard"


class Failing(Account):
    """An account in which payments fail."""

    def failure(
        self,
        of: Subscription,
        created: int,
        total: int = 4900,
        *,
        code: str = "insufficient_funds",
        card: str = CARD,
        **fields: Any,
    ) -> Invoice:
        """An invoice whose first charge failed an hour after it was made; open unless told otherwise."""
        invoice = self.invoice(of, created, total, **{"paid_at": None, **fields})
        intent = f"pi_{invoice.id}"
        self.add(
            InvoicePayment(
                id=self.id("inpay"), created=created, invoice=invoice.id, payment_intent=intent, status="open"
            )
        )
        self.charge(invoice, created + HOUR, "failed", code=code, card=card)
        return invoice

    def charge(
        self, invoice: Invoice, at: int, status: str, *, code: str | None = None, card: str = CARD
    ) -> Charge:
        """A try to charge the invoice."""
        return self.add(
            Charge(
                id=self.id("ch"), created=at, customer=invoice.customer, payment_intent=f"pi_{invoice.id}",
                status=status, currency=invoice.currency, decline_code=code, payment_method=card,
            )
        )  # fmt: skip

    def retried(self, invoice: Invoice, at: int, *, card: str = CARD, by_hand: bool = False) -> Invoice:
        """A later try paid it: Stripe's own, which it counts, or one by hand, which it does not."""
        self.charge(invoice, at, "succeeded", card=card)
        invoice.status, invoice.paid_at, invoice.amount_remaining = "paid", at, 0
        invoice.amount_paid = invoice.amount_due
        invoice.attempt_count += 0 if by_hand else 1
        return invoice

    def out_of_band(self, invoice: Invoice, at: int) -> Invoice:
        """Somebody said that it was paid elsewhere."""
        invoice.status, invoice.paid_at, invoice.amount_remaining = "paid", at, 0
        return invoice

    def credited(self, invoice: Invoice, at: int) -> Invoice:
        """A credit note took all of it back."""
        self.add(
            CreditNote(
                id=self.id("cn"), created=at, invoice=invoice.id, customer=invoice.customer,
                status="issued", total=invoice.total, currency=invoice.currency,
            )
        )  # fmt: skip
        return self.out_of_band(invoice, at)

    def staff_tried(self, invoice: Invoice, at: int, state: str = "done", *, all: bool = False) -> None:
        """Somebody pressed “Retry payment”, or retried all of the customer's invoices."""
        token = self.id("act")
        command, about = ("retry_all", invoice.customer) if all else ("retry_payment", invoice.id)
        self.add(
            Action(
                token=token, command=command, customer=invoice.customer, object_id=about, opened_at=at,
                state="done" if state == "done" else "failed",
            )
        )  # fmt: skip
        step = f"pay {invoice.id}" if all else "pay"
        self.add(ActionStep(token=token, step=step, idempotency_key=token, state=state, object_id=invoice.id))

    def refund(self, invoice: Invoice, at: int) -> None:
        """All of it was given back."""
        self.add(
            Refund(id=self.id("re"), created=at, payment_intent=f"pi_{invoice.id}", amount=invoice.total)
        )

    def disputed(self, invoice: Invoice, at: int) -> None:
        """The customer's bank took it back."""
        self.add(
            Dispute(
                id=self.id("dp"), created=at, amount=invoice.total, charge="ch_any", status="needs_response",
                payment_intent=f"pi_{invoice.id}",
            )
        )  # fmt: skip


def count(database: ModuleType, account: Account | None = None, zone: ZoneInfo = UTC) -> None:
    """Writes the account's rows and counts everybody."""
    if account is not None:
        account.save(database)
    counted.everybody(database, zone)


def facts(database: ModuleType) -> list[FailureFact]:
    """What was counted of each failed payment, the first failure first."""
    with database.session() as session:
        return list(
            session.exec(select(FailureFact).order_by(col(FailureFact.failed_at), FailureFact.invoice))
        )


def numbers(
    database: ModuleType,
    now: int,
    *,
    currency: str = "usd",
    months: int = 12,
    plan: str | None = None,
    zone: ZoneInfo = UTC,
) -> Numbers:
    """What the page reads of the last months."""
    these = tuple(periods.last("month", months, until=now, zone=zone))
    with database.session() as session:
        return dunning.read(session, Asked(currency, these, plan), as_of=now)


def paying(account: Account, name: str, start: int, status: str = "active", **fields: Any) -> Subscription:
    """A customer who has paid once, a day before the start."""
    row = account.subscription(account.customer(name, start - DAY), start - DAY, status, **fields)
    account.invoice(row, start - DAY, reason="subscription_create", paid_at=start - DAY + HOUR)
    return row
