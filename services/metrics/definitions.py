"""What does each number mean, in words? Shown as help beside the number, and in full on a page of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """One number: `short` is the help beside it; `part` and `whole` are numerator and denominator of a rate.

    `more` is what else one needs to know to agree with it.
    """

    key: str
    section: str
    title: str
    short: str
    part: str = ""
    whole: str = ""
    more: str = ""


_ALL = (
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
    Definition(
        "trials_running", "Trials", "Trials running",
        "Subscriptions that are in their trial now.",
    ),
    Definition(
        "trials_ending", "Trials", "Ending within 7 days",
        "Running trials that end within the next seven days.",
        more="It is not compared with an earlier day: once a trial was extended or ended early, nothing says "
        "any more when it was to end.",
    ),
    Definition(
        "cohort_rate", "Trials", "Trial conversion",
        "Of the trials that started in one month or week, the share that became paying within so many days.",
        "trials of the month or week that converted within the window",
        "trials that started in the month or week",
        "A trial starts at the customer's first trial; extending it moves its end, not its start. A "
        "month is open until its last trial is as old as the window: its share can still rise, so it "
        "is marked as open and left out of comparisons. Months are cut in the workspace's time zone.",
    ),
    Definition(
        "days_to_convert", "Trials", "Days to convert",
        "Days from a trial's start to its first payment: half of the conversions took no longer than the "
        "median, nine of ten no longer than the other number.",
        more="Of the trials that started in the months shown and have converted. Those that still run are "
        "not among them, so that young months look quicker than they are.",
    ),
    Definition(
        "period_rate", "Trials", "30-day rate",
        "Of the trials that ended in the last 30 days, the share that converted, as Stripe shows it.",
        "of these, the trials that converted", "trials that ended in the last 30 days",
        "Use it to match Stripe's own page. It mixes trials that started at different times, and it "
        "moves when trials are extended or end early; the monthly share does not.",
    ),
    Definition(
        "expected", "Trials", "Expected conversions",
        "How many of the trials that run now will probably pay within 60 days.",
        more="Each is as likely to as past trials of its plan that were still running at the same age; where "
        "fewer than 30 such trials are known, those of all plans tell, and where these are fewer too, "
        "nothing is said. The interval should hold four times of five, if the future differs from the past "
        "as its months differ from each other.",
    ),
    Definition(
        "expected_mrr", "Trials", "Expected new MRR",
        "What the trials that run now will probably add to MRR within 60 days: what each would pay a month, "
        "times how likely it is to.",
        more="One large trial makes a wide interval. Currencies are never added.",
    ),
    Definition(
        "expected_held", "Trials", "How often expectations held",
        "What would have been expected on the first day of each past month, by what was known then, beside "
        "what came within 60 days.",
    ),
    Definition(
        "states", "Trials", "What became of a trial",
        "Each trial is in exactly one of six states, so that they add up to all trials.",
        more="Converted: the trial is over and the first invoice above zero is paid, even if the customer "
        "cancels later. Missed payment: over, and that invoice is not paid, or was voided before the "
        "subscription ended without another; it becomes converted when it is paid. Canceled in trial: "
        "canceled before the trial's end. Expired: ended without a card, so that Stripe canceled or "
        "paused it. Free: over, and nothing above zero was ever due. Running: "
        "not over, or the first invoice is still a draft. Invoices of zero and one-off charges by "
        "staff are no conversion.",
    ),
    Definition(
        "heat", "Trials", "Converted by day",
        "Of the trials that started in a month or week, the share that had converted by the end of a day "
        "since their start.",
        more="The share is of all that started. A cell is blank as long as the youngest trial of its month "
        "or week is not that old.",
    ),
    Definition(
        "curve", "Trials", "Share converted by day",
        "The share of trials converted by the end of each day since the start (Kaplan and Meier's estimate).",
        more="A trial that has not converted counts for as long as it has been watched, and no longer, "
        "whatever has become of it. Its 95 % interval is Greenwood's, on the log-log scale.",
    ),
    Definition(
        "groups", "Trials", "Conversion by group",
        "Of the trials of a group that started in the closed months or weeks, the share that converted "
        "within the window.",
        more="Card on file at the start: a payment method was there by the end of the trial's first day. "
        "Extended: staff or Stripe moved the trial's end. Called and messaged: by staff from this desk, in "
        "the trial.",
    ),
    Definition(
        "difference", "Trials", "Difference of two groups",
        "By how many points one share is above the other, with its 95 % interval.",
        more="Where the interval (Newcombe's) holds 0, the difference may be chance. Groups that nobody drew "
        "lots for may differ in more than what names them: a difference is no proof of a cause.",
    ),
    Definition(
        "chance", "Trials", "Could it be chance",
        "How often two curves would lie at least so far apart by chance alone if the groups were alike "
        "(log-rank test).",
        more="Below 5 % of cases is taken for hardly chance.",
    ),
    Definition(
        "why", "Trials", "Why trials brought nothing",
        "Trials that were canceled, that ended without a card, or whose first payment failed.",
        more="A first payment that failed tells the decline code of its first try; a cancellation what the "
        "customer chose as reason, else what Stripe says. MRR not won is what the plans would have come to "
        "in a month, in each currency. Free trials are left out: nothing was asked of them.",
    ),
    Definition(
        "annotations", "Trials", "Annotations",
        "What founders and admins noted about a day, such as a launch or a new price, on the time axis.",
    ),
    Definition(
        "funnel", "Trials", "Funnel",
        "How far the people who signed up in the period came. Each step is a part of the step before it.",
        more="Signed up: the customer was created. Payment method: one is on file, or the customer pays by "
        "invoice, or has paid. Still paying: 30 and 90 days after the first payment an invoice "
        "above zero covered that day, paid or still asked for; what happened later changes nothing, and "
        "a draft that was asked for only later does not count. "
        "Customers who never trialed have a path of their own. “Too early to tell” counts those for "
        "whom the step lies in the future.",
    ),
    Definition(
        "plan", "Trials", "Plan",
        "The product of the subscription's dearest item: price times quantity. Removed items do not count.",
    ),
    Definition(
        "interval", "Trials", "95 % interval",
        "Where the true share lies, with 95 % confidence (Wilson's interval).",
        more="Few trials make a wide interval. The change from one rate to another “may be chance” where the "
        "95 % interval of their difference (Newcombe's) holds 0.",
    ),
    Definition(
        "no_data", "Trials", "No data",
        "There is nothing to divide by: no trial started, or none ended. It is not the same as 0 %.",
    ),
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
DEFINITIONS: dict[str, Definition] = {one.key: one for one in _ALL}


def sections() -> dict[str, list[Definition]]:
    """All definitions by section, in reading order."""
    found: dict[str, list[Definition]] = {}
    for one in _ALL:
        found.setdefault(one.section, []).append(one)
    return found
