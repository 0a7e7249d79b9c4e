"""The contenders of benchmarks/sync.py, each a process: `python -m benchmarks.contenders NAME URL DATABASE`.

Each prints one line of JSON at its end: seconds, CPU seconds, peak memory.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
import sqlalchemy as sa
import stripe
from sqlalchemy.dialects import postgresql, sqlite

from benchmarks.account import RESOURCES
from models import Base, Workspace
from services import database
from services.mirror import pull, shapes
from services.mirror.batch import Batch
from services.mirror.tables import table
from services.stripe_api import client, pacing
from tests.support.sandbox import KEY

_AT_ONCE = 16
_WINDOWS = 4  # of each list in the bare loop, of equal length


def run_pull(url: str, account_rate: float, endpoint_rate: float) -> None:
    """The desk's pull."""
    limits = pacing.Limits(account=account_rate or 2_000, endpoint=endpoint_rate or 2_000)
    client.configure(client.StripeAccount(KEY, url, limits=limits))
    with database.transaction() as session:
        session.add(Workspace(account="acct_bench", mode="test"))
    pull.whole_account()


def run_sdk(url: str, *_: float) -> None:
    """Every list to its end with the SDK's own iterator."""
    services = stripe.StripeClient(KEY, base_addresses={"api": url}).v1
    named = {"invoiceitems": "invoice_items"}
    for name in RESOURCES:
        params = {"limit": 100} | ({"status": "all"} if name == "subscriptions" else {})
        for _one in getattr(services, named.get(name, name)).list(params).auto_paging_iter():
            pass


def run_bare(url: str, *_: float) -> None:
    """Lists in equal windows, many at once; one writer writes what has come."""
    local, lock = threading.local(), threading.Lock()

    def ask(path: str, params: dict[str, Any]) -> dict[str, Any]:
        if not hasattr(local, "http"):
            local.http = requests.Session()
            local.http.headers["Authorization"] = f"Bearer {KEY}"
        return dict(local.http.get(f"{url}{path}", params=params, timeout=60).json())

    def window(path: str, params: dict[str, Any]) -> None:
        while True:
            page = ask(path, params)
            batch = Batch()
            for source in page["data"]:
                batch.add(source, 1)
            with lock:
                _write(batch)
            if not page["has_more"]:
                return
            params = {**params, "starting_after": page["data"][-1]["id"]}

    begin, end = _span(ask)
    step = (end - begin) // _WINDOWS + 1
    paths = {kind.path for kind in shapes.KINDS.values() if kind.path}
    common = {"limit": 100, "status": "all"}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        wanted = [
            pool.submit(window, path, {**common, "created[gte]": low, "created[lt]": low + step})
            for path in sorted(paths)
            for low in range(begin, end + 1, step)
        ]
        for one in wanted:
            one.result()


def _span(ask: Callable[[str, dict[str, Any]], dict[str, Any]]) -> tuple[int, int]:
    newest = ask("/v1/invoices", {"limit": 1})["data"][0]["created"]
    return newest - 3 * 365 * 86_400, newest + 365 * 86_400


def _write(batch: Batch) -> None:
    make: Any = sqlite.insert if database.is_sqlite() else postgresql.insert
    children = {kind.children.model for kind in shapes.KINDS.values() if kind.children}
    with database.engine().execution_options(writes=True).begin() as connection:
        for model, rows in batch.rows.items():
            _upsert(connection, make, model, list(rows.values()))
        for model in children:
            members = [
                row
                for name, families in batch.families.items()
                if (kind := shapes.KINDS[name]).children and kind.children.model is model
                for family in families.values()
                for row in family.rows
            ]
            _upsert(connection, make, model, members)


def _upsert(connection: sa.Connection, make: Any, model: type[Base], rows: list[dict[str, Any]]) -> None:
    if rows:
        insert = make(table(model))
        changed = {name: insert.excluded[name] for name in rows[0] if name != "id"}
        connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=changed), rows)


def main() -> None:
    """Runs one contender and says what it took."""
    name, url, into, *rates = sys.argv[1:]
    if into:
        database.configure(into)
        database.create_schema()
    began = time.perf_counter()
    {"pull": run_pull, "sdk": run_sdk, "bare": run_bare}[name](url, *map(float, rates))
    took = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_s": round(took.ru_utime + took.ru_stime, 1),
        "peak_mb": round(took.ru_maxrss / 1024, 1),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
