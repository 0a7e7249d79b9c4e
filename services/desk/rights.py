"""Which rights does the desk need of its key, which of them has it, and what is lost without each?

Reading is asked for by the same lists that the pull reads, with one object; writing by changes that no
account can carry out (services/stripe_api/writes.RIGHTS). Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from services import clock, database
from services.customers.names import ACTIONS, RESUME_COLLECTION
from services.errors import Refused, Unavailable
from services.mirror import cursors, shapes
from services.staff.roles import Permission, Person
from services.stripe_api import client, errands, writes
from services.stripe_api.failures import ObjectMissing, RightMissing, readable

Level = Literal["read", "write"]
State = Literal["there", "missing", "unclear"]
_AT_ONCE = 4
CARDS = "payment_methods"  # in no list: read one by one, and inside others
# By what is read: the right's name in Stripe's dashboard, and what is lost without it.
READING: dict[str, tuple[str, str]] = {
    "customers": ("Customers", "Everything: no page works without them"),
    "subscriptions": ("Subscriptions", "Trials, Conversion, MRR, and every action on a subscription"),
    "invoices": ("Invoices", "Failed payments, past MRR, and what a customer was asked for"),
    "invoice_items": ("Invoices", "Charges that wait for the next invoice"),
    "invoice_payments": ("Invoices", "Which payment paid an invoice, and why one failed"),
    "products": ("Products", "The names of plans"),
    "prices": ("Prices", "MRR, and what trials are worth"),
    "coupons": ("Coupons", "Discounts in MRR and on customers"),
    "promotion_codes": ("Promotion codes", "Applying a promotion code to a subscription"),
    "payment_intents": ("PaymentIntents", "Why a payment failed"),
    "charges": ("Charges", "Payments, failed attempts, and the card in Search"),
    "refunds": ("Charges", "Refunds in timelines"),
    "disputes": ("Disputes", "Disputes on the Overview and on customers"),
    "credit_notes": ("Credit notes", "Finding a customer by a credit note"),
    "events": ("Events", "What happens after the first pull, and timelines"),
    CARDS: ("PaymentMethods", "The card on file, and with it who can be charged"),
}
_OF_SUBSCRIPTIONS = (
    "extend_trial", "take_back_extension", "end_trial", "cancel", "undo_cancel", "reactivate",
    "pause_collection", "start_trial", "change_plan", "apply_coupon", "remove_coupon",
)  # fmt: skip
_OF_INVOICES = ("retry_payment", "retry_all", "send_invoice", "mark_uncollectible", "void_invoice")
WRITING: dict[str, str] = {
    "Subscriptions": ", ".join([*(ACTIONS[name] for name in _OF_SUBSCRIPTIONS), RESUME_COLLECTION]),
    "Customers": f"{ACTIONS['account_credit']}, {ACTIONS['change_contact']}",
    "Invoices": f"{', '.join(ACTIONS[name] for name in _OF_INVOICES)}, and {ACTIONS['add_charge']} at once",
    "Invoice items": f"{ACTIONS['add_charge']}, {ACTIONS['remove_charge']}",
    "Charges": ACTIONS["refund"],
    "Customer portal": ACTIONS["card_link"],
    "Webhook endpoints": "Making the endpoint on this page",
}


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that the desk asks of its key. `right` as Stripe's dashboard names it, `what` the table of
    what is read with it ("" for writing), `lost` what the desk cannot do without it."""

    right: str
    level: Level
    what: str
    lost: str
    ask: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of asking. `said`: how Stripe calls what is missing, or why it is not known."""

    need: Need
    state: State
    said: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a key may do, as of an instant (s)."""

    at: int
    findings: tuple[Finding, ...]

    def having(self, state: State) -> tuple[Finding, ...]:
        """Those of one state."""
        return tuple(one for one in self.findings if one.state == state)


def needs() -> list[Need]:
    """All of them: what the pull lists, cards, and what actions write."""
    reads = [Need(*_named(name), partial(_list, name)) for name in cursors.RESOURCES]
    cards = Need(*_named(CARDS), _read_card)
    changes = [Need(name, "write", "", lost, partial(writes.ask_for, name)) for name, lost in WRITING.items()]
    return [*reads, cards, *changes]


@errands.on(errands.CONNECT)
def check(person: Person) -> Checked:
    """Asks Stripe for each. A resource that the key may read by now is pulled from here on.

    Raises NotAllowed, and KeyRejected where Stripe does not know the key at all.
    """
    person.require(Permission.SEE_SYSTEM)
    with errands.pool(_AT_ONCE) as pool:
        findings = tuple(pool.map(_find, needs()))
    _pull_what_was_denied(findings)
    return Checked(clock.now(), findings)


def _named(name: str) -> tuple[str, Level, str, str]:
    right, lost = READING[name]
    return right, "read", name, lost


def _list(resource: str) -> None:
    path, params = cursors.listing(resource)
    client.account().read(path, {**params, "limit": 1})


def _read_card() -> None:
    client.account().read(shapes.KINDS["payment_method"].path_of("pm_trialdesk_asks_for_a_right"))


def _find(need: Need) -> Finding:
    try:
        need.ask()
    except RightMissing as error:
        if not error.right:
            return Finding(need, "unclear", f"Stripe refused without naming a right: {error.said}")
        return Finding(need, "missing", f"Lacks “{readable(error.right)}”")
    except ObjectMissing:
        return Finding(need, "there")
    except (Refused, Unavailable) as error:
        return Finding(need, "unclear", str(error))
    return Finding(need, "there")


def _pull_what_was_denied(findings: Iterable[Finding]) -> None:
    """Has lists pulled that the key may read and could not read before."""
    there = [one.need.what for one in findings if one.state == "there" and one.need.level == "read"]
    with database.transaction() as session:
        cursors.reopen_denied(session, there)
