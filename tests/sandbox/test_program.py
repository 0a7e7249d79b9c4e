"""The program itself: starting, refusing to, its clock, and what survives its death."""

from __future__ import annotations

import json
import random
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.shop import Shop
from tests.support.nursery import ROOT
from tests.support.sandbox import KEY, ControlError, Sandbox, free_port, start_sandbox


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services.sandbox", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = _run("--port", port, "--data", str(tmp_path / "a.db"))
    assert ended.returncode == 2
    assert port in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    ended = _run("--port", str(free_port()), "--data", str(tmp_path / "file" / "a.db"))
    assert ended.returncode == 2
    assert "--data" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_file_that_is_no_account_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear Ann, " * 1000)
    ended = _run("--port", str(free_port()), "--data", str(path))
    assert ended.returncode == 2
    assert path.read_text().startswith("Dear Ann")


@pytest.mark.parametrize("arguments", [["--port", "99999"], ["--customers", "-1"], ["--colour", "red"]])
def test_bad_arguments_are_refused(arguments: list[str]) -> None:
    ended = _run(*arguments)
    assert ended.returncode == 2
    assert arguments[0] in ended.stderr


def test_the_clock_moves_forward_only(sandbox: Sandbox) -> None:
    before = sandbox.now()
    assert sandbox.advance(days=2) >= before + 2 * 86_400
    for given in ({"to": before}, {"advance": -5}, {}, {"to": before, "advance": 5}, {"advance": 10**9}):
        with pytest.raises(ControlError) as caught:
            sandbox.control("POST", "clock", **given)
        assert caught.value.status == 400
    assert sandbox.now() >= before + 2 * 86_400


def test_the_clock_runs_by_itself(shop: Shop) -> None:
    subscription = shop.subscribe(trial_period_days=5)
    shop.sandbox.move_to(int(subscription.trial_end or 0) - 2)
    assert _status(shop.sandbox, subscription.id) == "trialing"
    end = time.monotonic() + 10
    while _status(shop.sandbox, subscription.id) == "trialing" and time.monotonic() < end:
        time.sleep(0.2)
    assert _status(shop.sandbox, subscription.id) == "active"


def _status(sandbox: Sandbox, subscription: str) -> str:
    """Read from the file, so that no request moves the account's time."""
    with sqlite3.connect(f"file:{sandbox.data}?mode=ro", uri=True) as db:
        return str(db.execute("SELECT label FROM objects WHERE id = ?", (subscription,)).fetchone()[0])


def test_commands_that_make_no_sense_are_refused(sandbox: Sandbox) -> None:
    refused: list[tuple[str, dict[str, Any], int]] = [
        ("cards", {}, 400),
        ("cards", {"customer": "cus_none"}, 404),
        ("pay", {"invoice": "in_none"}, 404),
        ("disputes", {"charge": "ch_none"}, 404),
        ("keys", {"key": "sk_test_x", "rights": {}}, 400),
        ("settings", {"when_retries_end": "shrug"}, 400),
        ("unheard_of", {}, 404),
    ]
    for name, given, status in refused:
        with pytest.raises(ControlError) as caught:
            sandbox.control("POST", name, **given)
        assert caught.value.status == status, name
    answer = requests.post(f"{sandbox.url}/_sandbox/clock", data="{not json", timeout=10)
    assert answer.status_code == 400


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    with start_sandbox(tmp_path) as sandbox:
        shop = Shop(sandbox, sandbox.client())
        subscription = shop.subscribe(trial_period_days=14)
        sandbox.advance(days=10)
        sandbox.restrict("rk_test_again", customers="read")
        key = {"idempotency_key": "kept-over-restart"}
        made = shop.v1.customers.create({"name": "Once"}, options=key)  # type: ignore[arg-type]
        before, events = sandbox.now(), [event["id"] for event in shop.events(subscription.id)]
        sandbox.stop()
        sandbox.restart()
        assert sandbox.now() >= before
        assert shop.v1.customers.create({"name": "Once"}, options=key).id == made.id  # type: ignore[arg-type]
        assert [event["id"] for event in shop.events(subscription.id)] == events
        assert sandbox.client("rk_test_again").v1.customers.retrieve(made.id).id == made.id
        sandbox.advance(days=4, hours=2)
        assert shop.again(subscription).status == "active"
        assert shop.latest(subscription).status == "paid"


def test_what_fell_due_while_it_was_stopped_is_done_at_its_time(tmp_path: Path) -> None:
    with start_sandbox(tmp_path) as sandbox:
        shop = Shop(sandbox, sandbox.client())
        subscription = shop.subscribe(trial_period_days=14)
        sandbox.stop()
        with sqlite3.connect(sandbox.data) as db:
            db.execute("INSERT OR REPLACE INTO facts VALUES ('offset', ?)", (json.dumps(20 * 86_400),))
        sandbox.restart()
        invoice = shop.latest(subscription)
        assert invoice.created == subscription.trial_end
        assert invoice.status_transitions.paid_at == int(subscription.trial_end or 0) + 3600


def test_killed_while_it_writes_nothing_is_half_done(tmp_path: Path) -> None:
    draws = random.Random(5)
    with start_sandbox(tmp_path) as sandbox:
        shop = Shop(sandbox, sandbox.client(max_network_retries=0))
        customer, price = shop.customer(), shop.price()
        acknowledged: list[str] = []

        def buy() -> None:
            while True:
                try:
                    acknowledged.append(shop.subscribe(customer, price).id)
                except stripe.StripeError:
                    return

        for _ in range(2):
            buyer = threading.Thread(target=buy)
            buyer.start()
            time.sleep(draws.uniform(0.2, 0.6))
            sandbox.kill()
            buyer.join()
            sandbox.restart()
        found = {
            one.id: one
            for one in shop.v1.subscriptions.list({"customer": customer, "limit": 100}).auto_paging_iter()
        }
        assert acknowledged
        assert set(acknowledged) <= set(found)
        for subscription in found.values():
            invoice = shop.v1.invoices.retrieve(str(subscription.latest_invoice), {"expand": ["payments"]})
            assert (subscription.status, invoice.status) == ("active", "paid")
            assert invoice.payments is not None
            assert [payment.status for payment in invoice.payments.data] == ["paid"]
        charges = list(shop.v1.charges.list({"customer": customer, "limit": 100}).auto_paging_iter())
        assert len(charges) == len(found)


def test_history_is_written_while_the_port_answers_and_only_once(tmp_path: Path) -> None:
    with start_sandbox(tmp_path, customers=300, wait=False) as sandbox:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                state = sandbox.state()
                break
            except requests.ConnectionError:
                time.sleep(0.02)
        assert state["customers"] == 300
        early = requests.get(
            f"{sandbox.url}/v1/customers", headers={"Authorization": f"Bearer {KEY}"}, timeout=10
        )
        assert early.status_code == 503
        assert early.elapsed.total_seconds() < 2
        sandbox.wait_until_ready()
        assert sandbox.state()["progress"] == 1
        counts = sandbox.books()["counts"]
        assert counts["customer"] >= 250
        sandbox.stop()
        sandbox.restart()
        assert sandbox.books()["counts"]["customer"] == counts["customer"]


def test_a_history_that_was_cut_short_is_written_anew(tmp_path: Path) -> None:
    with start_sandbox(tmp_path, customers=150, wait=False) as sandbox:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if sandbox.state()["progress"] > 0.1:
                    break
            except requests.ConnectionError:
                time.sleep(0.01)
        sandbox.kill()
        sandbox.restart()
        state = sandbox.state()
        assert (state["ready"], state["progress"]) == (True, 1)
        accounts = sandbox.books()["counts"]["account"]
        assert accounts == 1


def test_stopping_over_the_control_path(tmp_path: Path) -> None:
    with start_sandbox(tmp_path) as sandbox:
        sandbox.control("POST", "stop")
        assert sandbox.process.wait(10) == 0


def test_it_stops_at_once_while_it_writes_its_history(tmp_path: Path) -> None:
    with start_sandbox(tmp_path, customers=3000, wait=False) as sandbox:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                if sandbox.state()["progress"] > 0:
                    break
            except requests.ConnectionError:
                time.sleep(0.02)
        sandbox.stop()
        assert sandbox.log() == ""
