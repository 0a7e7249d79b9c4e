"""Books of any size, straight into the tables: the same customers on SQLite, PostgreSQL and in DuckDB.

Written as SQL over a list of numbers, so that a million customers take minutes, not hours. Each customer has
1.2 subscriptions and about 10 invoices: three years of sign-ups, a trial of 14 days each; of ten, six convert
and pay monthly, two of those leave after a while; the rest cancel in the trial, expire or miss the payment.
"""

from __future__ import annotations

import time
from collections.abc import Callable

NOW = int(time.time())
DAY = 86_400
YEARS = 3 * 365 * DAY
MONTH = 30 * DAY
TRIAL = 14 * DAY
PLANS = (1_900, 4_900, 9_900, 19_900)
COUNTRIES = ("US", "DE", "GB", "FR", "JP", "NL", "SE", "CA")
SOURCES = ("ads", "search", "friend", "", "blog")
_MONTHLY = "2629746"  # seconds of a twelfth of a year
PLAIN = {
    "cohorts": f"""
        SELECT CAST((s.trial_start - {NOW - YEARS}) / {_MONTHLY} AS BIGINT) AS cohort, count(*),
          count(i.subscription)
        FROM subscriptions s LEFT JOIN (
          SELECT DISTINCT subscription FROM invoices WHERE total > 0 AND status = 'paid'
        ) AS i ON i.subscription = s.id GROUP BY 1""",
    "funnel": f"""
        SELECT CAST((c.created - {NOW - YEARS}) / {_MONTHLY} AS BIGINT) AS cohort, count(*),
          count(t.customer), count(p.customer)
        FROM customers c
        LEFT JOIN (SELECT customer, min(trial_start) AS begun FROM subscriptions GROUP BY customer) AS t
          ON t.customer = c.id
        LEFT JOIN (SELECT customer, min(paid_at) AS paid FROM invoices WHERE total > 0 AND status = 'paid'
          GROUP BY customer) AS p ON p.customer = c.id
        GROUP BY 1""",
    "MRR by month": f"""
        SELECT CAST((trial_end - {NOW - YEARS}) / {_MONTHLY} AS BIGINT) AS month, count(*), sum(plan_micros)
        FROM subscriptions WHERE status IN ('active', 'canceled') GROUP BY 1""",
}  # fmt: skip
Numbers = Callable[[str], str]  # SQL that lists i from 0 to before a number


def statements(customers: int, numbers: Numbers) -> list[tuple[str, str]]:
    """What to run, in order: a table's name and its SQL. What they add has the `as_of` NOW, and is beside
    anything else that the tables hold."""
    subscriptions = customers + customers // 5
    return [
        *_catalog(numbers),
        ("customers", _customers(customers, numbers)),
        ("customer_facts", _facts(customers, numbers)),
        ("subscriptions", _subscriptions(subscriptions, customers, numbers)),
        ("subscription_items", _items(subscriptions, customers, numbers)),
        ("subscription_states", _states()),
        ("invoices", _invoices(numbers)),
        ("invoice_lines", _lines()),
    ]


def _catalog(numbers: Numbers) -> list[tuple[str, str]]:
    few = numbers(str(len(PLANS)))
    price = _pick("i", [str(amount) for amount in PLANS])
    return [
        ("products", f"""
            INSERT INTO products (id, as_of, created, deleted, name, active, metadata)
            SELECT 'prod_' || i, {NOW}, 0, false, 'Plan ' || i, true, '{{}}' FROM ({few}) AS n"""),
        ("prices", f"""
            INSERT INTO prices (id, as_of, created, deleted, product, active, currency, unit_amount,
              unit_amount_decimal, type, billing_scheme, tiers, currency_options, "interval", interval_count,
              usage_type, metadata)
            SELECT 'price_' || i, {NOW}, 0, false, 'prod_' || i, true, 'usd', {price},
              CAST({price} AS VARCHAR), 'recurring', 'per_unit', '[]', '{{}}', 'month', 1, 'licensed', '{{}}'
            FROM ({few}) AS n"""),
    ]  # fmt: skip


def _pick(index: str, values: list[str]) -> str:
    cases = " ".join(f"WHEN {place} THEN {value}" for place, value in enumerate(values))
    return f"CASE CAST({index} AS BIGINT) % {len(values)} {cases} END"


def _words(index: str, values: tuple[str, ...]) -> str:
    return _pick(index, [f"'{value}'" for value in values])


def _born(number: str, customers: int) -> str:
    """When a customer signed up: evenly over the years."""
    return f"({NOW - YEARS} + CAST({number} AS BIGINT) * {YEARS} / {customers} / 60 * 60)"


def _luck(number: str) -> str:
    """A number from 0 to 99 that looks random and is the same everywhere."""
    return f"((CAST({number} AS BIGINT) * 7919 + 104729) % 9973 % 100)"


def _customers(customers: int, numbers: Numbers) -> str:
    return f"""
        INSERT INTO customers (id, as_of, created, deleted, name, email, balance, delinquent, country,
          preferred_locales, metadata)
        SELECT 'cus_' || i, {NOW}, {_born("i", customers)}, false, 'Customer ' || i,
          'c' || i || '@example.com', 0, false, {_words("i", COUNTRIES)}, '[]', '{{}}'
        FROM ({numbers(str(customers))}) AS n"""


def _facts(customers: int, numbers: Numbers) -> str:
    return f"""
        INSERT INTO customer_facts (customer, created, deleted, name_key, search_key, email_key,
          email_domain, phone_key, country, source, currency, status, subscriptions, product, plan,
          mrr_micros, plan_micros, payment_method_on_file, card_last4, failed_invoices, open_amount,
          open_currency, attempts, failure_code, open_disputes, last_contact_kind)
        SELECT 'cus_' || i, {_born("i", customers)}, false, 'customer ' || i, '', 'c' || i || '@example.com',
          'example.com', '', {_words("i", COUNTRIES)}, {_words("i / 3", SOURCES)}, 'usd', 'active', 1,
          'prod_' || (i % {len(PLANS)}), '', 0, 0, {_luck("i")} < 65, '', 0, 0, '', 0, '', 0, ''
        FROM ({numbers(str(customers))}) AS n"""


def _subscriptions(number: int, customers: int, numbers: Numbers) -> str:
    start = _born(f"i % {customers}", customers)
    return f"""
        INSERT INTO subscriptions (id, as_of, created, deleted, customer, status, currency,
          collection_method, start_date, trial_start, trial_end, first_trial_end, trial_offer,
          cancel_at_period_end, canceled_at, ended_at, discounts, mrr_micros, plan_micros, unvalued_items,
          metadata)
        SELECT 'sub_' || i, {NOW}, begun, false, 'cus_' || (i % {customers}),
          CASE WHEN begun + {TRIAL} > {NOW} THEN 'trialing' WHEN ended < {NOW} THEN 'canceled'
            ELSE 'active' END,
          'usd', 'charge_automatically', begun, begun, begun + {TRIAL}, begun + {TRIAL}, false, false,
          CASE WHEN ended < {NOW} THEN ended END, CASE WHEN ended < {NOW} THEN ended END, '[]',
          CASE WHEN begun + {TRIAL} <= {NOW} AND ended >= {NOW} THEN worth ELSE 0 END, worth, 0, '{{}}'
        FROM (
          SELECT i, begun, CAST({_pick("i", [str(one) for one in PLANS])} AS BIGINT) * 1000000 AS worth,
            CASE WHEN luck < 40 THEN {2 * NOW} WHEN luck < 60 THEN begun + {TRIAL} + (3 + luck % 17) * {MONTH}
              WHEN luck < 80 THEN begun + {TRIAL} WHEN luck < 95 THEN begun + luck % 13 * {DAY}
              ELSE begun + {TRIAL + 21 * DAY} END AS ended
          FROM (SELECT i, {start} AS begun, {_luck("i")} AS luck FROM ({numbers(str(number))}) AS n) AS drawn
        ) AS lives"""


def _items(number: int, customers: int, numbers: Numbers) -> str:
    return f"""
        INSERT INTO subscription_items (id, as_of, created, deleted, subscription, price, product, quantity,
          discounts, metadata)
        SELECT 'si_' || i, {NOW}, {_born(f"i % {customers}", customers)}, false, 'sub_' || i,
          'price_' || (i % {len(PLANS)}), 'prod_' || (i % {len(PLANS)}), 1, '[]', '{{}}'
        FROM ({numbers(str(number))}) AS n"""


def _states() -> str:
    return f"""
        INSERT INTO subscription_states (subscription, at, status, cancels, canceled_at, trial_start,
          trial_end, items, discounts, told)
        SELECT s.id, {NOW - 60}, s.status, false, s.canceled_at, s.trial_start, s.trial_end, ITEMS, '[]',
          '[]'
        FROM subscriptions s JOIN subscription_items i ON i.subscription = s.id WHERE s.as_of = {NOW}"""


def _invoices(numbers: Numbers) -> str:
    """The trial's one of zero, and one a month from its end on."""
    return f"""
        INSERT INTO invoices (id, as_of, created, deleted, customer, subscription, status, billing_reason,
          collection_method, currency, subtotal, total, amount_due, amount_paid, amount_remaining,
          starting_balance, attempted, attempt_count, auto_advance, period_start, period_end, finalized_at,
          paid_at, discounts, metadata)
        SELECT 'in_' || substr(s.id, 5) || '_' || s.i, {NOW}, s.at, false, s.customer, s.id,
          CASE WHEN s.misses THEN 'open' ELSE 'paid' END,
          CASE WHEN s.i = 0 THEN 'subscription_create' ELSE 'subscription_cycle' END,
          'charge_automatically', 'usd', s.asked, s.asked, s.asked,
          CASE WHEN s.misses THEN 0 ELSE s.asked END, CASE WHEN s.misses THEN s.asked ELSE 0 END, 0, true, 1,
          false, s.at, s.at, s.at, CASE WHEN s.misses THEN NULL ELSE s.at + 3600 END, '[]', '{{}}'
        FROM (
          SELECT s.id, s.customer, n.i,
            CASE WHEN n.i = 0 THEN s.trial_start ELSE s.trial_end + (n.i - 1) * {MONTH} END AS at,
            CASE WHEN n.i = 0 THEN 0 ELSE s.plan_micros / 1000000 END AS asked,
            n.i > 0 AND s.ended_at = s.trial_end + {21 * DAY} AS misses
          FROM subscriptions s JOIN ({numbers("40")}) AS n
            ON n.i = 0 OR (s.trial_end + (n.i - 1) * {MONTH} < coalesce(s.ended_at, {NOW})
              AND s.trial_end + (n.i - 1) * {MONTH} < {NOW})
          WHERE s.as_of = {NOW}
        ) AS s"""


def _lines() -> str:
    return f"""
        INSERT INTO invoice_lines (id, as_of, created, deleted, invoice, amount, discount_amount, currency,
          quantity, period_start, period_end, price, product, subscription, subscription_item, proration)
        SELECT 'il_' || substr(v.id, 4), {NOW}, v.created, false, v.id, v.total, 0, 'usd', 1, v.created,
          v.created + CASE WHEN v.total = 0 THEN {TRIAL} ELSE {MONTH} END, i.price, i.product,
          v.subscription, i.id, false
        FROM invoices v JOIN subscription_items i ON i.subscription = v.subscription WHERE v.as_of = {NOW}"""
