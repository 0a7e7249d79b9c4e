"""How many deliveries a second does the desk take, beside a bare route that only verifies them?

`python -m benchmarks.webhooks --deliveries 4000 --at-once 8`: a desk on the sandbox account and a bare
server, each a process of its own, get the same signed events one after the other over as many connections.
Then, one at a time, how long until what was delivered stands in the tables.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import sqlalchemy as sa
import stripe
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.desk import ROOT, Desk, free_port, start_desk

SECRET = "whsec_benchmark"
_LOOKS = 50
_LOOK_EVERY = 0.01  # seconds
_PAUSE = 1.1  # of one second's events none is the last: the object is read then, which is another measure
_GIVE_UP = 60
Event = dict[str, Any]


def main() -> None:
    """Prints a line for each server and one for freshness, and all as one line of JSON at the end."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--deliveries", type=int, default=4000)
    options.add_argument("--at-once", type=int, default=8)
    options.add_argument("--serve-bare", type=int, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve_bare:
        _serve_bare(given.serve_bare)
        return
    with tempfile.TemporaryDirectory(prefix="trialdesk-webhooks-") as name, _desk(Path(name)) as desk:
        customer = _some_customer(desk)
        with _bare() as bare:
            figures = {"bare": _deliver(bare, customer, given.deliveries, given.at_once)}
        address = f"{desk.url}/webhooks/stripe"
        figures["desk"] = _deliver(address, customer, given.deliveries, given.at_once)
        figures["drained"] = {"seconds": _until_drained(desk)}
        figures["fresh"] = _freshness(address, desk, customer)
    for contender, found in figures.items():
        print(f"{contender:<8}", found)
    print(json.dumps(figures))


@contextmanager
def _desk(folder: Path) -> Iterator[Desk]:
    desk = start_desk(folder, STRIPE_WEBHOOK_SECRET=SECRET, SANDBOX_LIFE="false", SANDBOX_CUSTOMERS="200")
    try:
        desk.wait_until_pulled()
        yield desk
    finally:
        desk.stop()


@contextmanager
def _bare() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.webhooks", "--serve-bare", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    url = f"http://127.0.0.1:{port}/"
    try:
        while True:
            try:
                requests.get(url, timeout=1)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait()


def _serve_bare(port: int) -> None:
    async def verify(request: Request) -> Response:
        body = (await request.body()).decode()
        stripe.WebhookSignature.verify_header(body, request.headers["stripe-signature"], SECRET, 300)
        return Response(str(json.loads(body)["id"]))

    uvicorn.run(Starlette(routes=[Route("/", verify, methods=["POST"])]), port=port, log_level="error")


def _ask(desk: Desk, method: str, path: str, **given: str | int) -> Event:
    key = {"Authorization": "Bearer sk_test_sandbox"}
    where = {"data": given} if method == "POST" else {"params": given}
    answer = requests.request(method, f"{desk.sandbox_url}/v1/{path}", headers=key, timeout=10, **where)
    answer.raise_for_status()
    return dict(answer.json())


def _some_customer(desk: Desk) -> Event:
    return dict(_ask(desk, "GET", "customers", limit=1)["data"][0])


def _event(number: str, customer: Event, at: int) -> str:
    """Each is about a customer of its own, whom the tables do not know yet."""
    event = {"id": f"evt_{number}", "object": "event", "created": at, "type": "customer.updated"}
    return json.dumps(event | {"livemode": False, "data": {"object": customer | {"id": f"cus_{number}"}}})


def _signed(body: str) -> dict[str, str]:
    return {"Stripe-Signature": stripe.WebhookSignature.generate_signature_header(body, SECRET)}


def _deliver(url: str, customer: Event, deliveries: int, at_once: int) -> dict[str, float]:
    """Deliveries a second, and how long the answers took in ms."""
    now = int(time.time())
    bodies = [_event(f"{urlsplit(url).port}_{n}", customer, now - deliveries + n) for n in range(deliveries)]
    ready = [(body.encode(), _signed(body)) for body in bodies]
    taken: list[float] = []
    senders = [
        threading.Thread(target=_send, args=(url, ready[part::at_once], taken)) for part in range(at_once)
    ]
    started = time.perf_counter()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    seconds = time.perf_counter() - started
    assert len(taken) == deliveries, "not every delivery was taken"
    centiles = statistics.quantiles(taken, n=100)
    return {
        "per_second": round(deliveries / seconds),
        "p50_ms": round(1000 * centiles[49], 1),
        "p99_ms": round(1000 * centiles[98], 1),
    }


def _send(url: str, ready: list[tuple[bytes, dict[str, str]]], taken: list[float]) -> None:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port)
    for body, headers in ready:
        started = time.perf_counter()
        connection.request("POST", where.path, body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            taken.append(time.perf_counter() - started)
    connection.close()


@contextmanager
def _tables(desk: Desk) -> Iterator[sa.Engine]:
    engine = sa.create_engine(f"sqlite:///{desk.folder / 'sandbox.db'}")
    yield engine
    engine.dispose()


def _until_drained(desk: Desk) -> float:
    started = time.perf_counter()
    with _tables(desk) as engine:
        while _value(engine, "SELECT count(*) FROM inbox WHERE state = 'pending'"):
            time.sleep(0.1)
    return round(time.perf_counter() - started, 1)


def _freshness(url: str, desk: Desk, customer: Event) -> dict[str, float]:
    """Seconds from a delivery until what was changed in the account is in the tables, one after the
    other."""
    took = []
    with _tables(desk) as engine:
        for number in range(_LOOKS):
            name = f"fresh_{number}"
            _ask(desk, "POST", f"customers/{customer['id']}", name=name)
            body = json.dumps(_ask(desk, "GET", "events", limit=1)["data"][0])
            started = time.perf_counter()
            requests.post(url, body, headers=_signed(body), timeout=30).raise_for_status()
            while _value(engine, "SELECT name FROM customers WHERE id = :id", id=customer["id"]) != name:
                if time.perf_counter() - started > _GIVE_UP:
                    raise SystemExit(f"A change was not in the tables after {_GIVE_UP} seconds.")
                time.sleep(_LOOK_EVERY)
            took.append(time.perf_counter() - started)
            time.sleep(_PAUSE)
    return {
        "median_s": round(statistics.median(took), 3),
        "p95_s": round(sorted(took)[int(0.95 * _LOOKS)], 3),
    }


def _value(engine: sa.Engine, query: str, **values: object) -> object:
    with engine.connect() as connection:
        return connection.execute(sa.text(query), values).scalar()


if __name__ == "__main__":
    main()
