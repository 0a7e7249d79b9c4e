"""A sandbox account as a process of its own, for tests: the official SDK talks to it over HTTP."""

from __future__ import annotations

import contextlib
import socket
import time
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
import stripe

from tests.support.nursery import Child, nursery

KEY = "sk_test_sandbox"
_START_WITHIN = 60.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ControlError(AssertionError):
    """The sandbox refused a command of a test: `status` and the answer."""

    def __init__(self, status: int, body: Any) -> None:
        self.status, self.body = status, body
        super().__init__(f"{status}: {body}")


class Account:
    """A running sandbox account: `url` and `key` for clients, and methods for its control path."""

    def __init__(self, url: str) -> None:
        self.url, self.key = url, KEY
        self._http = requests.Session()

    def client(self, key: str | None = None, **options: Any) -> stripe.StripeClient:
        """The official SDK's client for this account."""
        if key is None and not options:
            return self._sdk
        return stripe.StripeClient(key or self.key, base_addresses={"api": self.url}, **options)

    @cached_property
    def _sdk(self) -> stripe.StripeClient:
        return self.client(self.key)  # shared: each one reads the machine's certificates

    def control(self, method: str, name: str, /, **given: Any) -> Any:
        """A command of the control path; raises ControlError when it is refused."""
        url = f"{self.url}/_sandbox/{name}"
        answer = self._http.request(method, url, json=given if method == "POST" else None,
                                    params=given if method == "GET" else None, timeout=300)  # fmt: skip
        if answer.status_code >= 400:
            raise ControlError(answer.status_code, answer.json())
        return answer.json()

    def state(self) -> dict[str, Any]:
        """ready, progress, now, offset, account, customers."""
        return dict(self.control("GET", "state"))

    def now(self) -> int:
        """The account's time in seconds UTC."""
        return int(self.state()["now"])

    def advance(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> int:
        """Move the clock forward and let everything due happen; answers the new time."""
        step = round(days * 86_400 + hours * 3600 + seconds)
        return int(self.control("POST", "clock", advance=step)["now"])

    def move_to(self, at: int) -> int:
        """Move the clock forward to a time."""
        return int(self.control("POST", "clock", to=at)["now"])

    def fault(self, kind: str, **options: Any) -> Any:
        """Let something go wrong: see services/sandbox/faults.py for kinds and options."""
        return self.control("POST", "faults", kind=kind, **options)

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self.control("DELETE", "faults")

    def add_card(self, customer: str, card: str = "ok") -> dict[str, Any]:
        """The customer adds a card in the portal: "ok", a decline code, or a test card's name."""
        return dict(self.control("POST", "cards", customer=customer, card=card))

    def behave(self, payment_method: str, behaviour: str = "ok", times: int | None = None) -> None:
        """From now on a card works, or is declined with a code so many times (or for good)."""
        self.control("POST", "behaviour", payment_method=payment_method, behaviour=behaviour, times=times)

    def pay(self, invoice: str) -> dict[str, Any]:
        """The customer pays an invoice on its page."""
        return dict(self.control("POST", "pay", invoice=invoice))

    def dispute(self, charge: str, **options: Any) -> dict[str, Any]:
        """The customer's bank takes a charge back."""
        return dict(self.control("POST", "disputes", charge=charge, **options))

    def restrict(self, key: str, **rights: str) -> None:
        """A restricted key, e.g. restrict("rk_test_1", customers="read")."""
        self.control("POST", "keys", key=key, rights=rights)

    def requests(self, **like: Any) -> list[dict[str, Any]]:
        """The requests of the API since the start whose fields are like these (method, path, status...)."""
        return list(self.control("GET", "requests", **like)["requests"])

    def books(self) -> dict[str, Any]:
        """Counts by kind and status, and totals by currency."""
        return dict(self.control("GET", "books"))


class Sandbox(Account):
    """A sandbox that the test has started: the account, and `stop`, `kill`, `restart` for its process."""

    def __init__(self, data: Path, port: int, arguments: list[str]) -> None:
        super().__init__(f"http://127.0.0.1:{port}")
        self.data, self.port, self._arguments = data, port, arguments
        self.process = self._start()

    def _start(self) -> Child:
        arguments = ["--port", str(self.port), "--data", str(self.data), *self._arguments]
        return nursery().start("services.sandbox.__main__", arguments, self.data.with_suffix(".log"))

    def wait_until_ready(self, within: float = _START_WITHIN) -> None:
        """Return when the history is written; fails with the log when the process ends or takes too long."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"the sandbox ended ({self.process.returncode}): {self.log()}")
            with contextlib.suppress(requests.ConnectionError):
                if self.state()["ready"]:
                    return
            time.sleep(0.03)
        raise AssertionError(f"the sandbox was not ready within {within} s: {self.log()}")

    def log(self) -> str:
        """What the process has written."""
        return self.data.with_suffix(".log").read_text()

    def stop(self) -> None:
        """End the process in good order."""
        self._http.close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        self.process.kill()
        self.process.wait(10)

    def restart(self) -> None:
        """Start again on the same file and port; the process must have ended."""
        self._http = requests.Session()
        self.process = self._start()
        self.wait_until_ready()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_sandbox(
    folder: Path,
    customers: int = 0,
    seed: int = 7,
    *,
    port: int | None = None,
    life: bool = False,
    rate: float = 0,
    burst: float = 1000,
    wait: bool = True,
) -> Sandbox:
    """Start a sandbox whose account lives in the folder: empty unless `customers` are given, without rate
    limits unless `rate` is. `wait=False` returns while the history is still being written.
    """
    arguments = ["--customers", str(customers), "--seed", str(seed), "--life", "on" if life else "off"]
    arguments += ["--rate", str(rate), "--burst", str(burst)]
    sandbox = Sandbox(folder / "account.db", port or free_port(), arguments)
    if wait:
        try:
            sandbox.wait_until_ready(_START_WITHIN + customers / 50)
        except BaseException:
            sandbox.stop()
            raise
    return sandbox
