"""What do the numbers of money mean that all pages share?"""

from __future__ import annotations

from services.metrics.definitions.definition import Definition

MONEY = (
    Definition(
        "mrr", "Money", "MRR",
        "What paying subscriptions come to in a month, after discounts that last forever.",
        more="What each item costs in the subscription's currency, brought to a month: a year counts a "
        "twelfth, a week 52 twelfths, a day 365 twelfths. Packages and tiers count as they are billed for "
        "the item's quantity, with flat amounts. Subscriptions that are active or past due. Left out: "
        "trials, paused and unpaid subscriptions, those whose collection is paused, free and metered "
        "items, tax. Percentages are deducted first, then amounts off each invoice, only on the "
        "products they apply to, never below zero. What is shown is rounded to the currency's "
        "smallest unit, half to even; a total is the sum of the exact parts, rounded once, so it can "
        "differ a little from the sum of what the rows show. Prices whose amount is not known beforehand "
        "cannot be in it: the Overview says how many "
        "subscriptions have one.",
    ),
    Definition(
        "unvalued", "Money", "Subscriptions without a known price",
        "Active or past due, with an item whose price is not known beforehand: MRR is without that item.",
        more="The customer chooses the amount, or Stripe has not told the price's tiers or its amount in "
        "the subscription's currency. What else they hold is in MRR. A subscription that comes to more than "
        "can be counted (nine trillion of the smallest unit a month) is left out as a whole. Items that are "
        "paid by use are left out of MRR by definition and are not counted here.",
    ),
    Definition(
        "active_customers", "Money", "Active customers",
        "Customers with a subscription that is active or past due and comes to more than zero a month.",
        more="A customer with two subscriptions counts once. One whose only price is not known beforehand "
        "does not count.",
    ),
    Definition(
        "trial_mrr", "Money", "Trial MRR",
        "What the running trials would come to in a month if all of them converted; of a yearly plan a "
        "twelfth.",
        more="It stands beside MRR and is never part of it.",
    ),
    Definition(
        "currencies", "Money", "Currencies",
        "Each amount is shown in its own currency. Currencies are never added.",
        more="Where a number covers all currencies, it counts customers, trials or payments, not money.",
    ),
    Definition(
        "before", "Money", "Against the period before",
        "The change since the time that is named beside it.",
        more="Numbers of the past are reconstructed from what the account says today: from the service "
        "periods of invoices, and from when trials and subscriptions began and ended. A price, a "
        "discount or a pause that changed since can make them differ a little from what was shown on "
        "that day.",
    ),
)  # fmt: skip
