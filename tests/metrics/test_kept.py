"""Answers are kept while the data has not changed, and slow ones are computed beside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import Session

from models import Workspace
from services.metrics import kept, version
from services.metrics.version import data_version

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no SQL of its own


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    kept.forget()
    kept.gave_old()  # what a test before this one left in this thread
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
    assert [kept.ask("q", at, question) for at in (1, 1, 2, 2, 1)] == [1, 1, 2, 2, 3]


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
    assert kept.ask("q", 2, question) == 1  # the old one: nobody waited for the new one
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


@sqlite_only
def test_who_got_an_old_answer_is_told_once(database) -> None:
    question = Question(kept.QUICK * 1.5)
    kept.ask("q", 1, question)
    assert not kept.gave_old()
    kept.ask("q", 2, question)
    assert kept.gave_old()
    assert not kept.gave_old()
    _until(lambda: kept.ask("q", 2, question) == 2)
    kept.gave_old()
    kept.ask("q", 2, question)
    assert not kept.gave_old()


def test_the_version_is_read_at_most_once_a_second(database, monkeypatch) -> None:
    def seen() -> int:
        with database.session() as session:
            return data_version(session)

    def change(to: int) -> None:
        with database.transaction() as session:
            session.merge(Workspace(account="acct_1", mode="test", changes=to))

    assert seen() == 0
    change(7)
    assert seen() == 0
    monkeypatch.setattr(version, "AT_MOST_EVERY", 0.0)
    assert seen() == 7
    change(8)
    assert seen() == 8
