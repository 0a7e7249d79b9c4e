"""After a refusal a dialog looks again: what would happen now is shown before anything is confirmed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from pages.components import dialog
from services.desk.asking import Unasked
from services.desk.command import Form, Preview
from services.desk.commands import Outcome
from services.errors import Conflict, InvalidInput, TrialdeskError, Unavailable
from services.staff.roles import Person, Role

ANA = Person(1, "Ana", "ana@example.com", Role.SUPPORT)


REFUSED, DONE = Outcome("t", "failed", "It has changed."), Outcome("t", "done", "said")
ENDED = Outcome("t", "failed", "It was half done.", repeatable=False)


class Recorder:
    """A dialogue that writes down what is asked of it, and gives these answers in turn."""

    def __init__(self, *answers: Outcome | TrialdeskError | None) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """The next answer."""
        answer = self._next("submit")
        assert answer is not None
        return answer

    def renew(self, person: Person) -> None:
        """A new token, or the next answer."""
        self._next("renew")

    def _next(self, asked: str) -> Outcome | None:
        self.asked.append(asked)
        answer = self.answers.pop(0)
        if isinstance(answer, TrialdeskError):
            raise answer
        return answer


@pytest.fixture
def click(monkeypatch: pytest.MonkeyPatch) -> Callable[[Recorder, dialog._State], None]:
    """Presses the button that a dialog has."""
    monkeypatch.setattr(dialog.st, "rerun", lambda **_: None)
    monkeypatch.setattr(dialog.st, "spinner", lambda _: nullcontext())

    def press(dialogue: Recorder, state: dialog._State) -> None:
        dialog._begin(state)
        dialog._run(dialog.Prepared(dialogue, ""), ANA, {}, "", state)  # type: ignore[arg-type]
        assert not state.running

    return press


Click = Callable[[Recorder, dialog._State], None]


def test_after_a_refusal_it_looks_again_before_anything_can_be_confirmed(click: Click) -> None:
    dialogue, state = Recorder(REFUSED, None, DONE), dialog._State()
    click(dialogue, state)
    assert dialogue.asked == ["submit", "renew"] and state.refused and not state.blocked
    click(dialogue, state)
    assert dialogue.asked == ["submit", "renew", "submit"] and state.outcome is DONE


def test_what_cannot_be_looked_at_is_not_tried_before_it_is(click: Click) -> None:
    silence = Unavailable("Stripe does not answer.")
    dialogue, state = Recorder(REFUSED, silence, None, DONE), dialog._State()
    click(dialogue, state)
    assert state.blocked is silence and state.outcome is REFUSED
    click(dialogue, state)
    assert dialogue.asked == ["submit", "renew", "renew"] and not state.blocked
    click(dialogue, state)
    assert state.outcome is DONE


@pytest.mark.parametrize("answers", [[REFUSED, Conflict("Paid since.")], [Conflict("Dealt with since.")]])
def test_what_can_no_longer_be_done_has_no_button_that_would_do_it(
    click: Click, answers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    dialogue, state = Recorder(*answers), dialog._State()
    click(dialogue, state)
    drawn: list[str] = []
    monkeypatch.setattr(dialog.st, "button", lambda label, **_: drawn.append(label))
    monkeypatch.setattr(dialog.st, "container", lambda **_: nullcontext())
    monkeypatch.setattr(dialog.problems, "show", lambda problem: drawn.append(problem.message))
    dialog._plan(dialogue, {}, state)  # type: ignore[arg-type]
    dialog._buttons("Extend trial", state)
    assert drawn == [answers[-1].message, "Close"]


@pytest.mark.parametrize(
    ("outcome", "blocked", "label"),
    [
        (None, None, "Cancel subscription"),
        (REFUSED, None, "Try again"),
        (REFUSED, Unavailable("Silence."), "Look again"),
    ],
)
def test_no_two_buttons_of_the_dialog_that_cancels_are_called_cancel(
    outcome: Outcome | None, blocked: TrialdeskError | None, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(dialog.st, "button", lambda label, **_: drawn.append(label))
    monkeypatch.setattr(dialog.st, "container", lambda **_: nullcontext())
    dialog._buttons("Cancel subscription", dialog._State(outcome=outcome, blocked=blocked))
    assert drawn == [label, "Go back"]


def test_what_was_half_done_is_not_looked_at_again(click: Click) -> None:
    dialogue, state = Recorder(ENDED), dialog._State()
    click(dialogue, state)
    assert dialogue.asked == ["submit"] and not state.refused


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


def test_a_click_on_what_is_typed_wrong_does_nothing_and_asks_for_no_second_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(dialog.problems, "show", lambda problem: drawn.append(problem.message))
    monkeypatch.setattr(dialog.st, "warning", lambda text: drawn.append(text))
    state = dialog._State(opened_with={}, told=Preview(("$5.00 is charged.",)), told_anew=True)
    dialog._begin(state)
    dialog._plan(Charge(), {}, state)  # type: ignore[arg-type]
    assert drawn == ["The amount cannot be read."]
    assert not state.running and state.told is None


def test_what_is_still_missing_is_red_only_until_something_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(dialog.st, "caption", lambda _: drawn.append("caption"))
    monkeypatch.setattr(dialog.st, "error", lambda _, **__: drawn.append("error"))
    state = dialog._State(opened_with={"amount": "", "text": ""})
    dialog._begin(state)
    for text in ("", "Set", "Set-up"):
        form = {"amount": "", "text": text}
        state.forget_what_was_corrected(form, "")
        dialog._plan(Charge(), form, state)  # type: ignore[arg-type]
    assert drawn == ["error", "caption", "caption"]


class Priced(Recorder):
    """A dialogue whose preview takes Stripe's answer first, for what is typed."""

    def __init__(self, *answers: Outcome | TrialdeskError | None) -> None:
        super().__init__(*answers)
        self.known: list[Form] = []

    def ask(self, form: Form) -> None:
        """Stripe's answer."""
        self.asked.append("ask")
        self.known.append(form)

    def preview(self, form: Form) -> Preview:
        """What it comes to, once that is known."""
        if form not in self.known:
            raise Unasked
        return Preview((f"$25.00 is charged for {form}.",))


def test_the_button_asks_stripe_what_it_comes_to_before_it_does_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(dialog.st, "rerun", lambda **_: None)
    monkeypatch.setattr(dialog.st, "spinner", lambda _: nullcontext())
    monkeypatch.setattr(dialog.st, "container", lambda **_: nullcontext())
    monkeypatch.setattr(dialog.st, "caption", lambda _: None)
    monkeypatch.setattr(dialog.st, "markdown", lambda _: None)
    monkeypatch.setattr(dialog.st, "button", lambda label, **_: drawn.append(label))
    dialogue = Priced(DONE)
    prepared, state = dialog.Prepared(dialogue, "", ask=dialogue.ask), dialog._State(opened_with={})  # type: ignore[arg-type]

    def run(form: Form) -> None:
        dialog._plan(dialogue, form, state)  # type: ignore[arg-type]
        dialog._buttons("Change plan", state)
        if state.running:
            dialog._run(prepared, ANA, form, "", state)

    three, four = {"quantity": "3"}, {"quantity": "4"}
    run(three)
    for form in (three, four, three):  # the second click brings another quantity along
        dialog._begin(state)
        run(form)
        assert state.running is False
    assert dialogue.asked == ["ask", "ask"] and state.told_anew, "what stands there is another plan by now"
    dialog._begin(state)
    run(three)
    assert dialogue.asked == ["ask", "ask", "submit"] and state.outcome is DONE
    assert drawn[::2] == [*["Show what it comes to"] * 3, "Change plan", "Change plan"]


class Charge:
    """A dialogue that wants an amount first."""

    def preview(self, _form: Form) -> Preview:
        """Always finds fault with the amount."""
        raise InvalidInput("The amount cannot be read.", field="amount")
