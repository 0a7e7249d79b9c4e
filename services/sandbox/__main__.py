"""Start the sandbox account: `python -m services.sandbox --port 12111 --data var/account.db`."""

from __future__ import annotations

import argparse
import logging
import socket
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn

from services.sandbox.server import make_app
from services.sandbox.service import Options, Service

_UNUSABLE = 2


class Unusable(Exception):
    """The sandbox cannot start; the sentence says why and what to do."""


def _parse(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m services.sandbox", description="A Stripe-shaped account on this machine."
    )
    parser.add_argument("--port", type=_number(1, 65535), default=12111, help="loopback port")
    parser.add_argument(
        "--data", type=Path, default=Path("var/account.db"), help="SQLite file of the account"
    )
    parser.add_argument(
        "--customers", type=_number(0, 1_000_000), default=1500, help="history to make at first start"
    )
    parser.add_argument("--seed", type=int, default=7, help="the same seed makes the same history")
    parser.add_argument(
        "--life", choices=("on", "off"), default="on", help="whether people go on doing things"
    )
    parser.add_argument("--rate", type=float, default=25, help="requests a second, 0 for no limit")
    parser.add_argument(
        "--burst", type=float, default=1000, help="requests that may come before the rate holds"
    )
    given = parser.parse_args(arguments)
    return Options(
        given.data, given.port, given.customers, given.seed, given.life == "on", given.rate, given.burst
    )


def _number(low: int, high: int) -> Callable[[str], int]:
    def check(text: str) -> int:
        number = int(text) if text.isdigit() else -1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{text} is not a whole number from {low} to {high}")
        return number

    return check


def _listen(port: int) -> socket.socket:
    # asyncio sends small answers at once only for sockets that name their protocol: else 40 ms are lost.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise Unusable(
            f"Port {port} cannot be used ({error.strerror}): choose another one with --port."
        ) from error
    return listener


def _open(options: Options) -> Service:
    try:
        options.path.parent.mkdir(parents=True, exist_ok=True)
        if Service.was_left_unfinished(options.path):
            Service.discard(options.path)
        return Service(options)
    except (OSError, sqlite3.Error) as error:
        raise Unusable(
            f"The account cannot be kept in {options.path} ({error}): choose another place with --data."
        ) from error


def main(arguments: list[str]) -> int:
    """Run until stopped; 2 with a sentence on stderr when that is impossible."""
    logging.basicConfig(level=logging.WARNING, format="sandbox: %(levelname)s %(name)s: %(message)s")
    options = _parse(arguments)
    try:
        listener = _listen(options.port)
        service = _open(options)
    except Unusable as problem:
        print(problem, file=sys.stderr)
        return _UNUSABLE
    config = uvicorn.Config(
        "unused",
        log_level="warning",
        access_log=False,
        date_header=False,  # the API sends the account's time
        server_header=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=75,  # a client that reuses a connection after a pause must find it open
    )
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    config.app = make_app(service, stop)
    server.run(sockets=[listener])
    if service.problem:
        print(service.problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
