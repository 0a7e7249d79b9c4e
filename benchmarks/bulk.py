"""How much of what Stripe allows does a bulk run use?

`python -m benchmarks.bulk --customers 1000 --rate 25`: a sandbox account that takes so many requests a
second, and a desk in this process that extends so many trials in one run. Each line says how many requests a
second were answered, which share of the rate that is, and how many customers a second it comes to.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from models import Staff
from services import database, durable
from services.desk import bulk, bulk_progress, commands
from services.mirror import answers, complete
from services.staff.roles import Person, Role
from services.stripe_api import client, pacing
from tests.support.sandbox import KEY, Sandbox, start_sandbox

_WHO = Person(1, "Ana", "ana@example.com", Role.SUPPORT)
_AT_ONCE = 8  # threads that fill the account
_LOOK_EVERY = 0.2  # seconds
_LINE = (
    "{customers:>6,} customers  {requests:,} requests in {seconds} s: {requests_per_s} a second, {share:.0%} "
    "of {rate:g}; {customers_per_s} customers a second, {refused} requests refused"
)
Figures = dict[str, Any]


def main() -> None:
    """Prints a line for each size, and all of them as one line of JSON at the end."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--customers", type=int, nargs="+", default=[1000])
    options.add_argument("--rate", type=float, default=25, help="requests a second that the account takes")
    given = options.parse_args()
    print(json.dumps([measure(customers, given.rate) for customers in given.customers]))


def measure(customers: int, rate: float) -> Figures:
    """The figures of one size: requests and customers a second (s), and the share of the rate."""
    with tempfile.TemporaryDirectory(prefix="trialdesk-bulk-") as name:
        folder = Path(name)
        database.configure(f"sqlite:///{folder / 'desk.db'}")
        database.create_schema()
        with start_sandbox(folder) as sandbox:
            trials = _fill(sandbox, customers)
            figures = _run(sandbox, trials, rate)
        database.engine().dispose()
    print(_LINE.format(**figures), flush=True)
    return figures


def _fill(sandbox: Sandbox, customers: int) -> list[str]:
    """Customers on trials with a card, in the account and in the desk's tables; the trials' ids."""
    client.configure(client.connect(KEY, sandbox.url))
    sdk = sandbox.client().v1
    product = sdk.products.create({"name": "Team"}).id
    price = sdk.prices.create(
        {"product": product, "unit_amount": 4900, "currency": "usd", "recurring": {"interval": "month"}}
    ).id
    for kind, id in (("product", product), ("price", price)):
        answers.apply(complete.read(kind, id))

    def begin(number: int) -> str:
        customer = sdk.customers.create({"name": f"Customer {number}", "email": f"c{number}@example.com"}).id
        sandbox.control("POST", "cards", customer=customer, card="ok")
        plan: Any = {"customer": customer, "items": [{"price": price}], "trial_period_days": 14}
        trial = sdk.subscriptions.create(plan).id
        for kind, id in (("customer", customer), ("subscription", trial)):
            answers.apply(complete.read(kind, id))
        return trial

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(begin, range(customers)))


def _run(sandbox: Sandbox, trials: Sequence[str], rate: float) -> Figures:
    """One run over all of them, under the account's limit."""
    with database.transaction() as session:
        session.add(Staff(id=_WHO.id, email=_WHO.email, name=_WHO.name, role=_WHO.role, created_at=1))
    limits = pacing.Limits(account=rate, endpoint=rate)
    client.configure(client.StripeAccount(KEY, sandbox.url, limits=limits))
    sandbox.control("POST", "limits", rate=rate, burst=rate)
    durable.launch()
    token, began = commands.new_token(), time.perf_counter()
    bulk.start(token, _WHO, "extend_trial", trials, {"mode": "days", "days": "7"}, "")
    counts = _ended(token)
    seconds = time.perf_counter() - began
    durable.shutdown()
    assert counts == {"done": len(trials)}, counts
    refused = len(sandbox.requests(status=429))
    answered = client.account().pacer.sent - refused
    return {
        "customers": len(trials),
        "rate": rate,
        "seconds": round(seconds, 1),
        "requests": answered,
        "refused": refused,
        "requests_per_s": round(answered / seconds, 1),
        "customers_per_s": round(len(trials) / seconds, 2),
        "share": round(answered / seconds / rate, 3),
    }


def _ended(run: str) -> dict[str, int]:
    """How its rows stand once it is over."""
    while True:
        with database.session() as session:
            found = bulk_progress.find(session, _WHO, run)
        if found.state not in ("running", "stopping"):
            return found.counts
        time.sleep(_LOOK_EVERY)


if __name__ == "__main__":
    main()
