"""What does the mail say that a report comes with? The few numbers that everybody wants first."""

from __future__ import annotations

from dataclasses import dataclass

from services.metrics.report.collected import Money
from services.metrics.report.made import Made
from services.metrics.report.writing import Writing

_NAMED = 6  # currencies


@dataclass(frozen=True, slots=True)
class Text:
    """A mail's subject and body."""

    subject: str
    body: str


def text(report: Made) -> Text:
    """The mail of a report, without any customer's name."""
    numbers, write = report.numbers, report.write
    month = write.month(numbers.month.key)
    told = [_money(one, write) for one in numbers.money[:_NAMED]] or ["There was no recurring revenue."]
    closed = numbers.trials.closed
    if closed is not None:
        told.append(
            f"Of the trials of {write.month(closed.period.key)}, {write.share(closed.rate.value)} converted "
            f"within {numbers.trials.window} days."
        )
    body = "\n\n".join(
        (
            f"The report of {month} is attached: one page that opens in any browser and prints well.",
            "\n".join(told),
            f"You get this on the 1st of each month from {report.workspace}. An admin can change that on the "
            "page Monthly report.",
        )
    )
    return Text(f"{report.workspace}: {month}", body)


def _money(money: Money, write: Writing) -> str:
    now, code = money.now, money.currency
    return (
        f"{code.upper()}: MRR {write.micros(now.after.mrr, code)} ({write.change(now.net, code)}), "
        f"{write.plural(now.after.customers, 'active customer')}, gross churn "
        f"{write.share(now.gross_churn.value)}."
    )
