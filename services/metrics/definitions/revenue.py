"""What do the numbers of Revenue mean?"""

from __future__ import annotations

from services.metrics.definitions.definition import Definition

REVENUE = (
    Definition(
        "arr", "Revenue", "ARR", "MRR times twelve.",
        more="What a year would bring if nothing moved. It is no forecast.",
    ),
    Definition(
        "arpa", "Revenue", "ARPA", "MRR for each active customer, rounded down to the millionth.",
        more="MRR divided by the active customers; of a plan by those who pay that plan.",
    ),
    Definition(
        "committed_mrr", "Revenue", "Committed MRR",
        "The MRR of subscriptions that are not set to cancel.",
        more="It stands beside MRR: what is set to cancel is still paid until it ends, and counts so long.",
    ),
    Definition(
        "net_new_mrr", "Revenue", "Net new MRR",
        "By how much MRR has changed since this month began.",
        more="New, reactivation and expansion less contraction and churn.",
    ),
    Definition(
        "movements", "Revenue", "Movements of MRR",
        "What a customer’s MRR in one currency came to at the end of a day, against the end of the day "
        "before. The movements of a month add up to the change of MRR.",
        more="New: from nothing, for the first time. Reactivation: from nothing, after it had left. "
        "Expansion and contraction: more or less than before. Churn: down to nothing. Canceling one of two "
        "subscriptions is contraction. Another plan at the same price is a switch, which moves only the "
        "parts of plans. What comes and goes within a day is no movement.",
    ),
    Definition(
        "customer_churn_rate", "Revenue", "Customer churn",
        "The share of the active customers at a month’s start whose MRR came to nothing in it.",
        "customers who churned in the month", "active customers at its start",
        "Whatever the cause. Who comes back in the same month has churned all the same, and is reactivated.",
    ),
    Definition(
        "gross_churn_rate", "Revenue", "Gross churn",
        "The share of the MRR at a month’s start that was lost in it, by customers who left or came to less.",
        "churn and contraction of the month", "MRR at its start",
    ),
    Definition(
        "net_churn_rate", "Revenue", "Net churn",
        "Gross churn less what those who were customers before came to on top.",
        "churn and contraction, less expansion and reactivation, of the month", "MRR at its start",
        "Below 0 where they grew by more than was lost.",
    ),
    Definition(
        "churn_causes", "Revenue", "Why customers left",
        "Involuntary: the subscription ended while a payment had failed, or Stripe says so. Voluntary is any "
        "other end. Unpaid, paused, and a price of zero come to nothing without an end.",
        more="Where several subscriptions end on one day, the cause is that of the one that came to most. "
        "When a subscription was canceled is the day of the decision; churn is counted when it ends. "
        "Canceled in the trial or at its end is left out, and a cancellation that was taken back is no "
        "longer known.",
    ),
    Definition(
        "kept_customers_rate", "Revenue", "Customers who stayed",
        "Of the customers who first paid in a month, the share that pays at the end of a later one.",
        "of these, those with MRR above zero at the end of the later month",
        "customers who first paid in the month",
        "Who left and came back counts again. A month that goes on stands as of now.",
    ),
    Definition(
        "kept_revenue_rate", "Revenue", "Revenue that stayed",
        "What the customers who first paid in a month come to later, of what they first came to.",
        "MRR of these customers at the end of the later month", "their MRR on the day they first paid",
        "Above 100 % where they grew by more than was lost.",
    ),
    Definition(
        "reconstructed", "Revenue", "Reconstructed and exact",
        "Since the account was first read as a whole, every change is kept as it happens: a day’s number "
        "stays what it was. What was before is reconstructed.",
        more="Reconstructed from the service periods of invoices, and from when trials and subscriptions "
        "began and ended. Charts shade that time.",
    ),
    Definition(
        "reporting_currency", "Revenue", "Reporting currency",
        "All amounts of a view in one currency, by rates that were entered here, as of the view’s last day.",
        more="One day for all months, so that nothing moves because a rate did and movements still add up. "
        "What has no rate is left out and named. A customer who pays in two currencies counts in each. "
        "Amounts are converted exactly and rounded once, half to even, when they are shown.",
    ),
)  # fmt: skip
