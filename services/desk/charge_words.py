"""What does an amount that staff add come to with the customer's balance, and how is it asked for?"""

from __future__ import annotations

from services import money
from services.desk import words
from services.desk.command import Quote
from services.desk.subject import Subject


def charged_now(subject: Subject, amount: int, currency: str) -> tuple[str, ...]:
    """An invoice whose amount the card is charged; credit pays first, what is owed is added."""
    balance, method = subject.balance(currency), words.card(subject.card)
    if not balance:
        asked = words.money(amount, currency)
        return (f"An invoice for {asked} is made, and {method} is charged now.",)
    return _with_balance(amount, balance, currency, f"is charged now to {method}", "nothing is charged")


def to_be_paid(subject: Subject, amount: int, currency: str, due_on: int) -> tuple[str, ...]:
    """An invoice that is mailed; `due_on` (UTC seconds) is by when the customer should pay it."""
    balance = subject.balance(currency)
    by = f"is to be paid by {words.day(due_on)}"
    sent = f"{words.mailed('it')} No card is charged."
    if not balance:
        return (f"An invoice for {words.money(amount, currency)} is made, which {by}.", sent)
    told = _with_balance(amount, balance, currency, by, "nothing has to be paid, and nothing is sent")
    return (*told, sent) if money.chargeable(amount + balance, currency) else told


def comes_to(subject: Subject, quote: Quote, amount: int) -> str:
    """What the next invoice asks for with the amount, once credit has paid what it can."""
    due = quote.total + amount + subject.balance(quote.currency)
    if due <= 0:
        return "Credit pays all of that invoice, also this amount."
    said = f"That invoice then comes to {words.money(due, quote.currency)}, before any tax on this amount."
    small = not money.chargeable(due, quote.currency)
    return f"{said} {words.too_small(due, quote.currency)}" if small else said


def _with_balance(amount: int, balance: int, currency: str, asked: str, nothing: str) -> tuple[str, ...]:
    """What credit or a debt makes of an amount; `asked`: how it is asked, `nothing`: where none is due."""
    due = max(0, amount + balance)
    made = f"An invoice for {words.money(amount, currency)} is made."
    moved, rest = words.money(abs(due - amount), currency), words.money(due, currency)
    if balance > 0:
        return (made, f"The customer's balance owes {moved} from before, which is added: {rest} {asked}.")
    used = f"{moved} of it is taken from the customer's credit"
    if not money.chargeable(due, currency):
        return (made, f"{used}; {nothing}.", *((words.too_small(due, currency),) if due else ()))
    return (made, f"{used}, and {rest} {asked}.")
