"""What do the numbers of failed payments, of recovery and of goals mean?"""

from __future__ import annotations

from services.metrics.definitions.definition import Definition

PAYMENTS = (
    Definition(
        "failing", "Failed payments", "Failed payments",
        "Invoices above zero whose payment failed and that still ask for money, of subscriptions that have "
        "not ended.",
        more="The first invoice after a trial is among them, as somebody has to see to it. So are invoices "
        "that belong to no subscription.",
    ),
    Definition(
        "at_stake", "Failed payments", "Money at stake",
        "What open failed payments of subscriptions that have not ended still ask for.",
        more="Invoices that belong to no subscription are among them. What subscriptions that have ended "
        "left open stands beside it and is no part of it.",
    ),
    Definition(
        "failing_ended", "Failed payments", "Failed payments of ended subscriptions",
        "Invoices whose payment failed and that are still open although their subscription has ended.",
        more="Stripe no longer tries them by itself. The customer can still pay, or somebody voids them.",
    ),
    Definition(
        "at_stake_ended", "Failed payments", "Left open by ended subscriptions",
        "What failed payments still ask for although their subscription has ended.",
        more="It is no part of the money at stake: Stripe no longer tries by itself, and little of it comes "
        "back.",
    ),
    Definition(
        "recovery_rate", "Failed payments", "Recovered",
        "Of the payments that first failed in the last 30 days, the share that is paid by now, by any means.",
        "of these, the invoices that are paid", "invoices whose payment first failed in the last 30 days",
        "The first invoice after a trial is left out here: it is a missed payment of the trial. The "
        "rest is either in recovery, or lost (void, uncollectible, or the subscription is over). A payment "
        "failed where a charge for it failed, where Stripe said so or tried again by itself, or where it was "
        "tried and is not paid. Who pays by hand after the first failure is recovered too. A try that came "
        "to no charge, and was paid before the desk first read the account, is known only where Stripe had "
        "tried again or its event was not yet 30 days old.",
    ),
    Definition(
        "disputes", "Failed payments", "Open disputes",
        "Disputes that are not decided: they need a response, or are under review.",
    ),
    Definition(
        "disputed", "Failed payments", "Disputed",
        "The amount of the disputes that are not decided.",
    ),
    Definition(
        "failure_rate", "Recovery", "Failed at the first try",
        "Of the money that was tried to be charged in a month, the share whose first try failed.",
        "of these, the totals of the invoices whose first try failed",
        "totals of the invoices above zero whose payment was first tried in the month",
        "By count it is the same of invoices. What Stripe charges by itself is tried when the invoice is "
        "finalized; an invoice that was sent, when its customer pays. Left out: the first invoice after a "
        "trial, which is reported as a missed payment of the trial, and what no payment was tried for "
        "(covered by credit, or said to be paid elsewhere). The plan is the product of the subscription's "
        "dearest item today.",
    ),
    Definition(
        "month_recovery_rate", "Recovery", "Recovered, by volume",
        "Of the money whose payment first failed in a month, the share that is paid by now, by any means.",
        "of these, the totals of the invoices that are paid",
        "totals of the invoices whose payment first failed in the month",
        "By count it is the same of invoices. A month is open while one of its payments is still in "
        "recovery, or the month is not over: then the share lies between what is recovered and what still "
        "can be, and it is left out of the numbers on top. A refund or a dispute after recovery does not "
        "turn it back. The first invoice after a trial is left out.",
    ),
    Definition(
        "days_to_recover", "Recovery", "Days to recovery",
        "Days from the first failure to the payment: half of the recovered payments took no longer than the "
        "median, nine of ten no longer than the other number.",
        more="Of the payments that first failed in the months shown and are recovered. Those still in "
        "recovery are not among them, so that young months look quicker than they are; the curve by day "
        "takes account of that.",
    ),
    Definition(
        "recovery_curve", "Recovery", "Recovered by day",
        "The share of failed payments, by count, that is recovered by the end of each day since the first "
        "failure.",
        more="Kaplan and Meier's estimate: a payment that is not recovered counts for as many whole days as "
        "have passed since it failed, whatever became of it, so that young ones neither lower the share nor "
        "are left out. The band is its 95 % interval.",
    ),
    Definition(
        "lost", "Recovery", "Lost",
        "What first failed in the months shown and is not asked for any more.",
        more="The invoice is void or uncollectible, or its subscription is over or no longer in the account. "
        "An uncollectible invoice that is paid after all is recovered.",
    ),
    Definition(
        "recovered_by", "Recovery", "What brought it back",
        "What paid each payment that had failed.",
        more="Retry from this desk: a try that somebody made here is on record. Stripe's own retry: with a "
        "card that had failed before; retry of another card: with one that had not. Customer, by hand: "
        "outside the desk, on the invoice's page or in Stripe's Dashboard, which cannot be told apart; of "
        "an invoice that was sent, any charge. Stripe counts its own tries and not those by hand: a try "
        "was Stripe's where it counts more tries than failed without the desk's doing. Credit note: no "
        "charge, and a credit note after the failure. Paid elsewhere: no charge at all. Cannot be told: no "
        "charge had failed, as where there was no card or the bank wanted a confirmation.",
    ),
    Definition(
        "failure_code", "Recovery", "Reason",
        "Why the first try failed: the bank's decline code, else Stripe's.",
        more="Later tries of the same invoice can fail for other reasons.",
    ),
    Definition(
        "goal", "Goals", "On track or behind",
        "A straight line leads from where the number stood when the goal was set to the target on its day. "
        "On track: the number stands on the line or above.",
        more="MRR is what stands now. A share is that of the youngest month that is no longer open: of trial "
        "conversion the month whose trials are all as old as the usual window, of recovery the month of "
        "whose failed payments none is in recovery any more, by count and of all currencies. What is needed "
        "a week is what is missing, divided by the weeks that are left.",
    ),
)  # fmt: skip
