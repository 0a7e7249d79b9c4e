"""Several processes of one installation ask one account: together they stay within what it allows."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable
from types import ModuleType

import pytest
import sqlalchemy as sa
from sqlmodel import select

from models import Asker
from services.stripe_api import sharing
from services.stripe_api.pacing import Limits, Pacer
from services.stripe_api.sharing import Sharing
from tests.support.desk import ROOT

_ANOTHER = """
import sys
from services import database
from services.stripe_api.pacing import Limits, Pacer
from services.stripe_api.sharing import Sharing
database.configure(sys.argv[1])
pacer = Pacer(Limits(20, 10))
with Sharing(lambda: pacer) as one:
    print("asks", flush=True)
    for line in sys.stdin:
        pacer.wait("/v1/invoices")
        one.look()
print(pacer.rate(), flush=True)
"""


def asking() -> tuple[Pacer, Sharing]:
    pacer = Pacer(Limits(account=20, endpoint=10))
    return pacer, Sharing(lambda: pacer)


def until(found: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not found() and time.monotonic() < end:
        time.sleep(0.05)
    return found()


def grow_old(database: ModuleType, seconds: int) -> None:
    """All that was said until now was said so much earlier."""
    with database.transaction() as session:
        session.execute(sa.update(Asker).values(asked_at=Asker.asked_at - seconds))  # type: ignore[arg-type]


def test_two_that_ask_have_half_each_and_one_alone_has_all(database: ModuleType) -> None:
    (first, one), (second, other) = asking(), asking()
    one.look()
    assert first.rate() == 20
    other.look()
    first.wait("/v1/invoices")
    one.look()
    assert (first.rate(), first.rate("/v1/invoices"), second.rate("/v1/charges")) == (10, 5, 5)
    grow_old(database, sharing.SILENT_AFTER + 1)
    first.wait("/v1/invoices")
    one.look()
    assert (first.rate(), first.rate("/v1/invoices"), first.rate("/v1/charges")) == (20, 10, 10)


def test_who_asks_for_nothing_says_nothing(database: ModuleType) -> None:
    pacer, one = asking()
    one.look()
    grow_old(database, 5)
    with database.session() as session:
        before = session.exec(select(Asker.asked_at)).one()
    one.look()
    with database.session() as session:
        assert session.exec(select(Asker.asked_at)).one() == before
    pacer.wait("/v1/invoices")
    one.look()
    with database.session() as session:
        assert session.exec(select(Asker.asked_at)).one() >= before + 5


def test_who_ends_leaves_and_who_was_killed_is_forgotten_a_day_later(database: ModuleType) -> None:
    (pacer, one), (_, killed) = asking(), asking()
    killed.look()
    was = _ids(database)
    grow_old(database, 90_000)
    with one:
        assert until(lambda: len(_ids(database)) == 1 and _ids(database) != was)
    assert (_ids(database), pacer.rate()) == (set(), 20)


def _ids(database: ModuleType) -> set[str]:
    with database.session() as session:
        return set(session.exec(select(Asker.id)))


def test_another_process_takes_its_part(database: ModuleType) -> None:
    url = database.engine().url.render_as_string(hide_password=False)
    pacer, mine = asking()
    mine.look()
    command = [sys.executable, "-c", _ANOTHER, url]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as another:
        assert another.stdin and another.stdout
        assert another.stdout.readline() == "asks\n"
        assert until(lambda: len(_ids(database)) == 2)
        pacer.wait("/v1/invoices")
        mine.look()
        assert pacer.rate() == 10
        another.stdin.write("ask\n")
        another.stdin.close()
        assert another.stdout.readline() == "10.0\n", "it found us, too"
    pacer.wait("/v1/invoices")
    mine.look()
    assert pacer.rate() == 20


@pytest.mark.usefixtures("bare")
def test_a_database_without_the_table_leaves_the_part_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    pacer, one = asking()
    with caplog.at_level(logging.WARNING), one:
        assert until(lambda: "could not be told" in caplog.text)
    assert pacer.rate() == 20
