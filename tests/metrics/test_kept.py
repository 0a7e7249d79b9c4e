"""Answers are kept while the data has not changed, and slow ones are computed beside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import Session

from models import Action, Event, SyncCursor
from services.metrics import kept
from services.metrics.version import data_version

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no SQL of its own


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    kept.forget()
    yield
    kept.forget()


class Question:
    """Counts how often it is asked; takes as long as it is told."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.asked, self.seconds, self.running, self.most = 0, seconds, 0, 0

    def __call__(self, _session: Session) -> int:
        self.running += 1
        self.most = max(self.most, self.running)
        time.sleep(self.seconds)
        self.asked += 1
        self.running -= 1
        return self.asked


@sqlite_only
def test_the_same_data_is_asked_once(database) -> None:
    question = Question()
    assert [kept.ask("q", version, question) for version in (1, 1, 2, 2, 1)] == [1, 1, 2, 2, 3]


@sqlite_only
def test_questions_do_not_share_answers(database) -> None:
    assert kept.ask("one", 1, lambda _: "one") == "one"
    assert kept.ask("two", 1, lambda _: "two") == "two"


@sqlite_only
def test_many_people_who_ask_at_once_cost_one_computation(database) -> None:
    question = Question(0.05)
    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(lambda _: kept.ask("q", 1, question), range(8)))
    assert (answers, question.most) == ([1] * 8, 1)


@sqlite_only
def test_a_slow_answer_is_shown_once_more_while_it_is_computed_beside(database) -> None:
    question = Question(kept.QUICK * 1.5)
    assert kept.ask("q", 1, question) == 1
    begun = time.monotonic()
    assert kept.ask("q", 2, question) == 1
    assert time.monotonic() - begun < kept.QUICK
    _until(lambda: question.asked == 2)
    _until(lambda: kept.ask("q", 2, question) == 2)
    assert question.asked == 2


@sqlite_only
def test_an_old_answer_is_not_shown_when_the_data_has_changed(database, monkeypatch) -> None:
    question = Question(kept.QUICK * 1.5)
    kept.ask("q", 1, question)
    monkeypatch.setattr(kept, "OLDEST", 0.0)
    assert kept.ask("q", 2, question) == 2


@sqlite_only
def test_a_question_that_fails_is_asked_again(database) -> None:
    def broken(_session: Session) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        kept.ask("q", 1, broken)
    assert kept.ask("q", 1, Question()) == 1


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_pulls_events_and_actions_change_the_version_and_nothing_else_does(database) -> None:
    def changed(*rows: object) -> bool:
        with database.session() as session:
            before = data_version(session)
            assert data_version(session) == before
        with database.transaction() as session:
            session.add_all(rows)
        with database.session() as session:
            return data_version(session) != before

    assert changed(SyncCursor(resource="customers", fetched=100))
    assert changed(Event(id="evt_1", created=1_000_000, type="invoice.paid"))
    assert changed(Event(id="evt_late", created=999_000, type="invoice.paid"))
    assert changed(Action(token="t", command="cancel", opened_at=1_000_001, finished_at=1_000_002))
    assert not changed()
