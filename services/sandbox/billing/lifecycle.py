"""What does the account do by itself when time passes?

One handler for each kind of object that `agenda` gives a due time. A handler is called when the clock has
reached it, and leaves the object with another due time or none.
"""

from __future__ import annotations

from pathlib import Path

from services.sandbox.billing import (
    agenda,
    cycles,
    disputes,
    invoices,
    payments,
    previews,
    sessions,
    standing,
    subscriptions,
)
from services.sandbox.billing.account import Account, Handler, run_intent
from services.sandbox.billing.agenda import BILLED, period_end
from services.sandbox.billing.ending import end
from services.sandbox.store import Body, Store


def open_account(path: Path | str, now: int) -> Account:
    """The account that lives in a file (`":memory:"` for none), with its work planned."""
    return Account(Store(path, agenda.due_time), HANDLERS, now)


def subscription_due(account: Account, subscription: Body) -> None:
    """A subscription's trial, period, pause or life comes to its end, or its warning is due."""
    now, status = account.now, subscription["status"]
    pause = subscription["pause_collection"]
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= now:
        subscriptions.run_out(account, subscription)
    elif status == "incomplete":
        _expire(account, subscription)
    elif pause and pause["resumes_at"] and pause["resumes_at"] <= now:
        account.change(subscription, "customer.subscription.updated", pause_collection=None)
    elif status == "trialing":
        _trial_due(account, subscription)
    elif status in BILLED:
        _period_due(account, subscription)


def _expire(account: Account, subscription: Body) -> None:
    invoice = account.get("invoice", subscription["latest_invoice"])
    end(account, subscription, status="incomplete_expired")
    if invoice["status"] == "open":
        invoices.void(account, invoice)


def _trial_due(account: Account, subscription: Body) -> None:
    if subscription["trial_end"] <= account.now:
        cycles.end_trial(account, subscription)
    else:
        account.note(subscription, warned_of=subscription["trial_end"])
        account.emit("customer.subscription.trial_will_end", subscription)


def _period_due(account: Account, subscription: Body) -> None:
    ends = period_end(subscription)
    if ends <= account.now:
        cycles.bill(account, subscription, "subscription_cycle", cycles.span_from(subscription, ends))
        return
    account.note(subscription, announced=ends)
    if account.recording and not subscription["cancel_at_period_end"]:
        account.store.commit()
        account.emit("invoice.upcoming", previews.upcoming(account, subscription["id"]))


def invoice_due(account: Account, invoice: Body) -> None:
    """A draft is finalized and collected, a failed charge is tried again, a sent invoice is overdue, or
    nobody tried to pay what the subscription needs to resume."""
    if invoice["status"] == "draft":
        cycles.complete(account, invoice)
    elif invoice["collection_method"] == "send_invoice":
        standing.overdue(account, invoice)
    elif invoice["next_payment_attempt"] is None:
        invoices.void(account, invoice)
    else:
        payments.collect(account, invoice)


HANDLERS: dict[str, Handler] = {
    "subscription": subscription_due,
    "invoice": invoice_due,
    "dispute": disputes.overdue,
    "checkout.session": sessions.expire,
    "intent": run_intent,
}
