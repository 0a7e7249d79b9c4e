"""A form that is sent twice is taken once, whatever the two clicks do meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import ModuleType

import pytest
from sqlmodel import select

from models import FormSent
from services import clock
from services.customers import once


def test_of_many_clicks_at_once_one_is_the_first(database: ModuleType) -> None:
    together = Barrier(4)

    def click(form: str) -> bool:
        together.wait()
        with database.transaction() as s:
            return once.first(s, form)

    with ThreadPoolExecutor(4) as clicks:
        assert sorted(clicks.map(click, ["form:1"] * 4)) == [False, False, False, True]
        assert sorted(clicks.map(click, ["form:2", "form:2", "form:3", "form:3"])) == [
            False,
            False,
            True,
            True,
        ]


def test_a_form_whose_work_failed_may_be_sent_again(database: ModuleType) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as s:
        assert once.first(s, "form:1")
        raise ZeroDivisionError
    with database.transaction() as s:
        assert once.first(s, "form:1")


def test_forms_of_yesterday_are_forgotten(database: ModuleType) -> None:
    with database.transaction() as s:
        s.add(FormSent(form="form:old", at=clock.now() - 25 * 3600))
        s.add(FormSent(form="form:new", at=clock.now() - 23 * 3600))
        s.flush()
        assert once.first(s, "form:1")
        kept = sorted(s.exec(select(FormSent.form)))
    assert len(kept) == 2
    assert kept[0].startswith("form:1:")
    assert kept[1] == "form:new"


def test_another_content_of_the_same_form_is_taken_too(database: ModuleType) -> None:
    with database.transaction() as s:
        sent = [once.first(s, "form:1", *typed) for typed in (("a", 1), ("b", 1), ("a", 1), ("a", None))]
    assert sent == [True, True, False, True]
