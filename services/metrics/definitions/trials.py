"""What do the numbers of trials and of conversion mean?"""

from __future__ import annotations

from services.metrics.definitions.definition import Definition

TRIALS = (
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
        "invoice, or has paid. Trial over: of these, who is no longer in the trial, be it ended early or "
        "by its time. Still paying: 30 and 90 days after the first payment an invoice "
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
)  # fmt: skip
