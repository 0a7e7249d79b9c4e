"""Which commands are there, and which of them make sense for a subject?"""

from __future__ import annotations

from dataclasses import dataclass

from services.desk.cancellations import Cancel, UndoCancel
from services.desk.charges import AddCharge
from services.desk.command import Command
from services.desk.contact import ChangeContact
from services.desk.coupons import ApplyCoupon, RemoveCoupon
from services.desk.credit import AccountCredit
from services.desk.extensions import TakeBackExtension
from services.desk.invoices import GiveUpInvoice, SendInvoice, VoidInvoice
from services.desk.pauses import PauseCollection
from services.desk.payments import CardLink, RetryPayment
from services.desk.pending import RemoveCharge
from services.desk.plans import ChangePlan
from services.desk.reactivation import Reactivate
from services.desk.refunds import Refund
from services.desk.retrying import RetryAll
from services.desk.starts import StartTrial
from services.desk.subject import Subject
from services.desk.trials import EndTrial, ExtendTrial
from services.errors import NotFound
from services.staff.roles import Person

COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        ExtendTrial(), EndTrial(), AddCharge(), RetryPayment(), CardLink(), UndoCancel(), Reactivate(),
        Cancel(), PauseCollection(), StartTrial(), AccountCredit(), ChangeContact(), ChangePlan(),
        ApplyCoupon(), RemoveCoupon(), Refund(), SendInvoice(), GiveUpInvoice(), VoidInvoice(),
        RemoveCharge(), RetryAll(), TakeBackExtension(),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """A command for a subject. `reason` says why it is not offered; "" where it is."""

    command: Command
    label: str
    reason: str


def find(name: str) -> Command:
    """The command of a name. Raises NotFound."""
    if name not in COMMANDS:
        raise NotFound("command", name)
    return COMMANDS[name]


def offers(person: Person, subject: Subject) -> list[Offer]:
    """Every command about this kind of subject, each offered or with the reason why not."""
    return [
        Offer(
            command,
            command.label(subject),
            person.why_not(command.permission) or command.offered(subject),
        )
        for command in COMMANDS.values()
        if subject.kind in command.about
    ]
