"""Every number a second time: slow, obvious programs over raw objects, sharing no code with the desk.

reading    what a desk that connected on some day can see: lists as they stood then, and all events after
money      what a subscription comes to a month
trials     six states, cohorts and windows, days to convert, the curve by day, the rate of 30 days
funnel     how far each customer came
revenue    MRR on any day, movements with their causes, churn, retention
people     where they are from, how their trials began: what numbers are sliced by
failures   failed payments, when they first failed, and what became of them; disputes
goals      where they stand, and which trials a forecast speaks of
recovery   why a payment failed, and what paid it

The definitions are those of facts/metrics.md.
"""
