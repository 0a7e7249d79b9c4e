"""How fast is an account pulled, beside the SDK's own reading and beside a bare loop, in the same run?

`python -m benchmarks.sync --objects 20000 100000 --latency-ms 0 100 --database sqlite postgresql`
Each contender is a process of its own against a fresh bare page server (benchmarks/page_server.py):
pull  the desk's pull, into the desk's tables
bare  many pages at once, the same columns and child rows, written in bulk; no order in time, no resuming,
      no facts
second  the desk's next look after a pull, once 1 % of the objects have changed
sdk   the official SDK's `auto_paging_iter` over every list, writing nothing
Where rates are given, each line also says how long the lists were read, and which share of what the limits
allow that is: all pages at the account's rate, or the longest list's at the endpoint's if that takes longer.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from benchmarks import account
from tests.support import postgres

CONTENDERS = ("pull", "bare", "sdk", "second")
_REFERENCES_TO = 100_000  # objects: beyond it references are not run
_SECOND = (
    "{objects:>9,} objects {latency_ms:>5g} ms  second {database}: {changed:,} changed, {second_requests} "
    "requests, {seconds} s, after a first of {first_requests:,} requests, {first_s} s"
)
_LISTED = ", listed in {listing_s} s: {share_of_limits:.0%} of what the limits allow"
Figures = dict[str, Any]


def main() -> None:
    """Prints a line for each run, and all of them as one line of JSON at the end."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--objects", type=int, nargs="+", default=[20_000])
    options.add_argument("--latency-ms", type=float, nargs="+", default=[0, 100])
    options.add_argument("--database", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite"])
    options.add_argument("--contender", nargs="+", choices=CONTENDERS, default=list(CONTENDERS[:3]))
    options.add_argument("--endpoint-rate", type=float, default=0, help="requests a second for each list")
    options.add_argument("--account-rate", type=float, default=0, help="requests a second in all")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="trialdesk-sync-") as name:
        folder = Path(name)
        templates = folder / "templates.json"
        templates.write_text(json.dumps(account.read_templates(folder)))
        print(json.dumps(list(_runs(given, templates, folder))))


def _runs(given: argparse.Namespace, templates: Path, folder: Path) -> Iterator[Figures]:
    for objects in given.objects:
        for latency in given.latency_ms:
            for contender in given.contender:
                if contender in ("bare", "sdk") and objects > _REFERENCES_TO:
                    continue
                for database in given.database if contender != "sdk" else ["nothing"]:
                    with served(templates, objects, latency, given) as url:
                        found = _run(contender, database, url, folder, given)
                    figures = {"contender": contender, "database": database, "latency_ms": latency} | found
                    _print(figures)
                    yield figures


@contextmanager
def served(templates: Path, objects: int, latency_ms: float, given: argparse.Namespace) -> Iterator[str]:
    """The address of a page server with so many objects."""
    command = [
        sys.executable, "-m", "benchmarks.page_server", "--templates", str(templates),
        "--objects", str(objects), "--latency-ms", str(latency_ms),
        "--endpoint-rate", str(given.endpoint_rate), "--account-rate", str(given.account_rate),
    ]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
    finally:
        server.kill()
        server.wait()


def _run(contender: str, database: str, url: str, folder: Path, given: argparse.Namespace) -> Figures:
    target = folder / "sync.db"
    for old in folder.glob("sync.db*"):
        old.unlink()
    into = f"sqlite:///{target}" if database == "sqlite" else ""
    into = postgres.create_database() if database == "postgresql" else into
    rates = [str(given.account_rate), str(given.endpoint_rate)]
    command = [sys.executable, "-m", "benchmarks.contenders", contender, url, into, *rates]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{contender} into {database} failed:\n{done.stderr[-3000:]}")
    if database == "postgresql":
        postgres.drop_database(into)
    return json.loads(done.stdout.splitlines()[-1]) | _asked(url, given)


def _asked(url: str, given: argparse.Namespace) -> Figures:
    """Requests, by what was ideal and what was refused, and how long they took by what the limits allow."""
    told = requests.get(f"{url}/_bench", timeout=60).json()
    pages = [max(1, -(-count // 100)) for count in told["objects"].values()]
    ideal = sum(pages)
    least_s = max(
        ideal / (given.account_rate or math.inf),
        max(pages) / (given.endpoint_rate or math.inf),
    )
    asked, refused = sum(told["asked"].values()), sum(told["refused"].values())
    return {
        "objects": sum(told["objects"].values()),
        "requests": asked,
        "requests_per_ideal": round((asked - refused) / ideal, 2),
        "refused": refused,
        "listing_s": round(told["listing_s"], 1),
        "share_of_limits": round(least_s / told["listing_s"], 3),
    }


def _print(figures: Figures) -> None:
    if figures["contender"] == "second":
        print(_SECOND.format(**figures), flush=True)
        return
    rate = round(figures["objects"] / figures["seconds"])
    figures["objects_per_s"] = rate
    print(
        f"{figures['objects']:>9,} objects {figures['latency_ms']:>5g} ms  {figures['contender']:<5}"
        f"{figures['database']:<11}{rate:>8,} objects/s  {figures['seconds']:>7.1f} s  "
        f"{figures['cpu_s']:>6.1f} s CPU  {figures['peak_mb']:>5.0f} MB  {figures['requests']:,} requests "
        f"({figures['requests_per_ideal']} of ideal, {figures['refused']} refused)"
        + (_LISTED.format(**figures) if figures["share_of_limits"] else ""),
        flush=True,
    )


if __name__ == "__main__":
    main()
