"""The contenders of benchmarks/sync.py, each a process: `python -m benchmarks.contenders NAME URL DATABASE`.

Each prints one line of JSON at its end: seconds, CPU seconds, peak memory.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
import sqlalchemy as sa
import stripe
from sqlalchemy.dialects import postgresql, sqlite

from benchmarks.account import RESOURCES
from models import Event, Workspace
from services import database, memory
from services.mirror import events, poll, pull, shapes
from services.mirror.batch import Batch
from services.mirror.tables import table
from services.stripe_api import client, pacing
from tests.support.sandbox import KEY

_AT_ONCE = 16
_WINDOWS = 8  # of each list in the bare loop, of equal length
_EVENTS = "/v1/events"
_SHARE = 0.01  # of the account's objects that change before the second sync
Rows = dict[type[Any], list[dict[str, Any]]]


def run_pull(url: str, account_rate: float, endpoint_rate: float) -> None:
    """The desk's pull."""
    limits = pacing.Limits(account=account_rate or 2_000, endpoint=endpoint_rate or 2_000)
    client.configure(client.StripeAccount(KEY, url, limits=limits))
    with database.transaction() as session:
        session.add(Workspace(account="acct_bench", mode="test"))
    pull.whole_account()


def run_second(url: str, account_rate: float, endpoint_rate: float) -> dict[str, float]:
    """The desk's next look, after a pull and after others have changed a hundredth of the account.

    Prices, products and coupons stay as they are.
    """
    began = time.perf_counter()
    run_pull(url, account_rate, endpoint_rate)
    first, asked = time.perf_counter() - began, _asked(url)
    time.sleep(2)  # in the second of its last read a row is read again
    changed = requests.get(f"{url}/_bench/change", {"share": _SHARE}, timeout=600).json()["changed"]
    time.sleep(2)
    began = time.perf_counter()
    looked = poll.once()
    assert looked.drained.applied == looked.received == changed, looked
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "first_s": round(first, 2),
        "first_requests": asked,
        "changed": changed,
        "second_requests": _asked(url) - asked,
    }


def _asked(url: str) -> int:
    return sum(requests.get(f"{url}/_bench", timeout=60).json()["asked"].values())


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
            rows = _rows(path, page["data"])
            with lock:
                _write(rows)
            if not page["has_more"]:
                return
            params = {**params, "starting_after": page["data"][-1]["id"]}

    told = requests.get(f"{url}/_bench", timeout=60).json()
    begin, end = told["span"]
    step = (end - begin) // _WINDOWS + 1
    paths = {kind.path for kind in shapes.KINDS.values() if kind.path} | {_EVENTS}
    longest_first = sorted(paths, key=lambda path: -told["objects"].get(path.removeprefix("/v1/"), 0))
    common = {"limit": 100, "status": "all"}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        wanted = [
            pool.submit(window, path, {**common, "created[gte]": low, "created[lt]": low + step})
            for path in longest_first
            for low in range(begin, end + 1, step)
        ]
        for one in wanted:
            one.result()


def _rows(path: str, found: list[dict[str, Any]]) -> Rows:
    """A page's rows by table: the objects, what is inside them, and their children."""
    if path == _EVENTS:
        return {Event: [dict(_event(one)) for one in found]}
    batch = Batch()
    for source in found:
        batch.add(source, 1)
    rows: Rows = {model: list(rows.values()) for model, rows in batch.rows.items()}
    for name, families in batch.families.items():
        children = shapes.KINDS[name].children
        assert children is not None
        rows[children.model] = [row for family in families.values() for row in family.rows]
    return rows


def _event(source: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in events.row(source).items() if name != "charge")


def _write(rows: Rows) -> None:
    make: Any = sqlite.insert if database.is_sqlite() else postgresql.insert
    with database.engine().execution_options(writes=True).begin() as connection:
        for model in sorted(rows, key=lambda one: table(one).name):
            _upsert(connection, make, model, rows[model])


def _upsert(connection: sa.Connection, make: Any, model: type[Any], rows: list[dict[str, Any]]) -> None:
    if rows:
        insert = make(table(model))
        changed = {name: insert.excluded[name] for name in rows[0] if name != "id"}
        connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=changed), rows)


def main() -> None:
    """Runs one contender and says what it took."""
    name, url, into, *rates = sys.argv[1:]
    memory.share_one_arena()
    if into:
        database.configure(into)
        database.create_schema()
    began = time.perf_counter()
    runs: dict[str, Callable[..., dict[str, float] | None]]
    runs = {"pull": run_pull, "second": run_second, "sdk": run_sdk, "bare": run_bare}
    more = runs[name](url, *map(float, rates)) or {}
    took = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_s": round(took.ru_utime + took.ru_stime, 1),
        "peak_mb": round(took.ru_maxrss / 1024, 1),
    }
    print(json.dumps(told | more))


if __name__ == "__main__":
    main()
