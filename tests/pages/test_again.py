"""“Try again” looks again: what will happen now is shown before anything is confirmed."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from pages.components import dialog, several
from services.desk.command import Form, Preview
from services.desk.commands import Outcome
from services.errors import Conflict, InvalidInput
from services.staff.roles import Person, Role

ANA = Person(1, "Ana", "ana@example.com", Role.SUPPORT)
WEEK = {"mode": "days", "days": "7"}


class Recorder:
    """A dialogue that writes down what is asked of it; its first attempt is refused."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Refused once, done afterwards."""
        self.asked.append("submit")
        return Outcome("t", "failed" if self.asked == ["submit"] else "done", "said")

    def renew(self, person: Person) -> None:
        """A new token."""
        self.asked.append("renew")


def test_after_a_refusal_the_first_click_only_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog.st, "rerun", lambda **_: None)
    monkeypatch.setattr(dialog.st, "spinner", lambda _: nullcontext())
    dialogue, state = Recorder(), dialog._State()

    def click() -> str:
        dialog._begin(state)
        dialog._run(dialogue, ANA, {}, "", state)  # type: ignore[arg-type]
        assert not state.running
        return state.outcome.state if state.outcome else ""

    assert (click(), dialogue.asked) == ("failed", ["submit"])
    assert (click(), dialogue.asked) == ("", ["submit", "renew"])
    assert (click(), dialogue.asked) == ("done", ["submit", "renew", "submit"])


@pytest.mark.parametrize(
    ("typed", "looks"),
    [
        ({}, "caption"),
        ({"text": "Setup"}, "caption"),
        ({"amount": "1,2,3"}, "error"),
        ({"day": "x"}, "caption"),
    ],
)
def test_what_is_typed_wrong_is_an_error_and_what_is_not_filled_in_yet_is_not(
    typed: Form, looks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(dialog.st, "caption", lambda _: drawn.append("caption"))
    monkeypatch.setattr(dialog.st, "error", lambda _, **__: drawn.append("error"))
    blank = {"amount": "", "text": ""}
    state = dialog._State(opened_with=blank)
    assert not dialog._preview(Charge(), {**blank, **typed}, state)  # type: ignore[arg-type]
    assert drawn == [looks]


class Charge:
    """A dialogue that wants an amount first."""

    def preview(self, _form: Form) -> Preview:
        """Always finds fault with the amount."""
        raise InvalidInput("The amount cannot be read.", field="amount")


class Desk:
    """The desk's commands on two trials: Bo's changes once while his row waits."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.done: list[str] = []

    def open(self, _person: Person, _command: str, _customer: str, subscription: str) -> Any:
        """A token for each opening."""
        self.opened.append(subscription)
        return f"{subscription}:{self.opened.count(subscription)}"

    def preview(self, token: str, _form: Form) -> Preview:
        """The row's own end."""
        return Preview((f"{token} ends a week later.",))

    def submit(self, token: str, *_: object) -> Outcome:
        """Bo's first token is refused."""
        if token == "sub_bo:1":
            raise Conflict("The trial has changed.")
        self.done.append(token)
        return Outcome(token, "done", "extended")


def test_of_several_only_those_left_are_shown_and_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    for name in ("open", "preview", "submit"):
        monkeypatch.setattr(several.commands, name, getattr(desk, name))
    rows = {"sub_al": ("cus_al", "Al"), "sub_bo": ("cus_bo", "Bo")}
    dialogue = several._ExtendTrials(rows)
    assert dialogue.preview(WEEK).happens[0] == "Each of the 2 trials ends 7 days later than it does now."
    first = dialogue.submit(ANA, WEEK, "")
    assert first.state == "failed" and "Bo: The trial has changed." in first.remedy
    dialogue.renew(ANA)
    assert sorted(desk.opened) == ["sub_al", "sub_bo", "sub_bo"] and desk.done == ["sub_al:1"]
    left = dialogue.preview(WEEK).happens
    assert left[0].startswith("The trial ends 7 days later") and "Bo: sub_bo:2 ends a week later." in left
    assert not any("Al" in sentence for sentence in left)
    assert dialogue.submit(ANA, WEEK, "").state == "done" and "sub_bo:2" in desk.done
