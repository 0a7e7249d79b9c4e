"""The tables: Stripe's resources under their own names, and the desk's own. No I/O in here."""

from models.annotations import Annotation
from models.base import Base
from models.billing import (
    CreditNote,
    Invoice,
    InvoiceItem,
    InvoiceLine,
    InvoicePayment,
)
from models.bulk import BulkRow, BulkRun
from models.catalog import Coupon, Price, Product, PromotionCode
from models.crm import (
    AuditEntry,
    CallRequest,
    CustomerProfile,
    CustomerTag,
    FormSent,
    Message,
    Note,
    SavedFilter,
    Task,
)
from models.customers import Customer, CustomerFacts
from models.exchange import ExchangeRate, ReportingCurrency
from models.goals import Goal
from models.ledger import Action, ActionStep
from models.metrics import (
    MetricsState,
    RetentionCell,
    RevenueCell,
    RevenueDay,
    RevenueMonth,
    RevenueMove,
    SubscriptionState,
    Uncounted,
)
from models.payments import Charge, Dispute, PaymentIntent, PaymentMethod, Refund
from models.policy import PolicyDocument
from models.recovery import FailureCell, FailureFact, PassedCell, PassedFact
from models.reports import ReportMailing
from models.requests import CancellationRequest
from models.staff import Staff
from models.subscriptions import Discount, Subscription, SubscriptionItem
from models.sync import (
    Asker,
    Drift,
    Event,
    InboxItem,
    Reconciliation,
    StripeReads,
    SyncCursor,
    SyncWindow,
    Underived,
    Workspace,
)
from models.trials import JourneyCell, JourneyFact, TrialCell, TrialFact, TrialRun

__all__ = [
    "Action",
    "ActionStep",
    "Annotation",
    "Asker",
    "AuditEntry",
    "Base",
    "BulkRow",
    "BulkRun",
    "CallRequest",
    "CancellationRequest",
    "Charge",
    "Coupon",
    "CreditNote",
    "Customer",
    "CustomerFacts",
    "CustomerProfile",
    "CustomerTag",
    "Discount",
    "Dispute",
    "Drift",
    "Event",
    "ExchangeRate",
    "FailureCell",
    "FailureFact",
    "FormSent",
    "Goal",
    "InboxItem",
    "Invoice",
    "InvoiceItem",
    "InvoiceLine",
    "InvoicePayment",
    "JourneyCell",
    "JourneyFact",
    "Message",
    "MetricsState",
    "Note",
    "PassedCell",
    "PassedFact",
    "PaymentIntent",
    "PaymentMethod",
    "PolicyDocument",
    "Price",
    "Product",
    "PromotionCode",
    "Reconciliation",
    "Refund",
    "ReportMailing",
    "ReportingCurrency",
    "RetentionCell",
    "RevenueCell",
    "RevenueDay",
    "RevenueMonth",
    "RevenueMove",
    "SavedFilter",
    "Staff",
    "StripeReads",
    "Subscription",
    "SubscriptionItem",
    "SubscriptionState",
    "SyncCursor",
    "SyncWindow",
    "Task",
    "TrialCell",
    "TrialFact",
    "TrialRun",
    "Uncounted",
    "Underived",
    "Workspace",
]
