"""How does every dialog behave? It says what will happen, asks why, acts once, and tells the end.

`show(dialogue, about=...)` opens it; whatever is done in it is a `Dialogue`. What was typed stays where
something goes wrong. The confirm button switches itself off while the work runs, and a second click finds
the same token. The fields do not: Streamlit takes no value from a field that is drawn switched off, and the
last one typed comes with the click.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import streamlit as st

from pages.components import formats, freshness, guard, problems
from services.desk.command import Form, Preview
from services.desk.commands import LONGEST_REASON, Outcome
from services.errors import InvalidInput, TrialdeskError
from services.staff.roles import Person

Reason = Literal["required", "optional", "none"]


class Dialogue(Protocol):
    """One thing to be done, from the opening of its dialog to its end."""

    title: str
    icon: str
    confirm: str
    reason: Reason
    warning: str

    def fields(self, key: str) -> Form:
        """Draws the inputs (widget keys begin with `key`) and returns what is typed in them."""

    def preview(self, form: Form) -> Preview:
        """What will happen with what is typed. Raises InvalidInput."""

    def submit(self, person: Person, form: Form, reason: str) -> Outcome:
        """Does it, once for the dialogue's token. Raises TrialdeskError where nothing was done."""

    def renew(self, person: Person) -> None:
        """Looks again after a final refusal and takes a new token; does nothing. Raises TrialdeskError."""


@dataclass
class _State:
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    running: bool = False
    tried: bool = False
    outcome: Outcome | None = None
    problem: TrialdeskError | None = None
    typed: tuple[Form, str] = field(default_factory=lambda: ({}, ""))
    told: Preview | None = None
    told_anew: bool = False
    opened_with: Form | None = None

    def tell(self, preview: Preview) -> None:
        """Notes what the person reads. A click that brought another value with it was meant for what stood
        there before: nothing is done, and the person is asked once more.
        """
        self.told_anew = self.running and preview != self.told
        self.running = self.running and not self.told_anew
        self.told = preview

    def forget_what_was_corrected(self, form: Form, reason: str) -> None:
        """What was wrong is not said any longer once something else is typed."""
        if (form, reason) != self.typed:
            self.problem, self.typed = None, (form, reason)


def show(dialogue: Dialogue, *, about: str, then: Callable[[Outcome], None] | None = None) -> None:
    """Opens the dialog; call it in the run of the click. `about` names the customer, in their own words.

    `then` draws what can be done next, below the outcome.
    """
    state = _State()

    @st.dialog(dialogue.title, icon=dialogue.icon, width="medium", on_dismiss=freshness.dialog_closed)
    def body() -> None:
        _body(dialogue, about, state, then)

    body()


def show_problem(title: str, error: TrialdeskError) -> None:
    """Opens a dialog that only says why the thing cannot be done."""

    @st.dialog(title, on_dismiss=freshness.dialog_closed)
    def body() -> None:
        problems.show(error)
        if st.button("Close"):
            st.rerun()

    body()


def _body(
    dialogue: Dialogue, about: str, state: _State, then: Callable[[Outcome], None] | None = None
) -> None:
    person = guard.current()
    st.text(about)
    if state.outcome and not (state.outcome.state == "failed" and state.outcome.repeatable):
        _over(state.outcome, then)
        return
    if state.outcome:
        _say(state.outcome)
    if dialogue.warning:
        st.warning(formats.plain(dialogue.warning), icon=":material/cloud_off:")
    form = dialogue.fields(state.key)
    state.opened_with = form if state.opened_with is None else state.opened_with
    preview = st.container()
    reason = _reason(dialogue, state)
    state.forget_what_was_corrected(form, reason)
    with preview:
        fits = _preview(dialogue, form, state)
    if state.problem and fits:
        problems.show(state.problem)
    if state.told_anew:
        st.warning(
            "What you typed last changes what will happen. Read it above, then press the button again."
        )
    _buttons("Try again" if state.outcome else dialogue.confirm, state)
    if state.running:
        _run(dialogue, person, form, reason, state)


def _buttons(confirm: str, state: _State) -> None:
    """The one that does it, and the one that closes the dialog with nothing done."""
    leave = "Go back" if "cancel" in confirm.lower() else "Cancel"
    with st.container(horizontal=True):
        st.button(confirm, key=f"{state.key}:confirm", type="primary", disabled=state.running,
                  on_click=_begin, args=(state,))  # fmt: skip
        if st.button(leave, key=f"{state.key}:leave", disabled=state.running):
            st.rerun()


def _begin(state: _State) -> None:
    state.running = True


def _run(dialogue: Dialogue, person: Person, form: Form, reason: str, state: _State) -> None:
    """Does it; after a refusal it only looks again: what will happen now is drawn before it is confirmed."""
    with st.spinner("Working…"):
        try:
            if state.outcome:
                dialogue.renew(person)
                state.outcome = state.problem = None
            else:
                state.problem = None
                state.outcome = dialogue.submit(person, form, reason)
        except TrialdeskError as problem:
            state.problem = problem
        finally:
            state.running, state.tried = False, True
    st.rerun(scope="fragment")


def _preview(dialogue: Dialogue, form: Form, state: _State) -> bool:
    """Says what will happen, or what is still wrong with what is typed; whether it fits."""
    try:
        told = dialogue.preview(form)
        state.tell(told)
    except InvalidInput as problem:
        if state.tried or _is_typed(problem.field, form, state.opened_with or {}):
            problems.show(problem)
        else:  # it is not wrong, only not filled in yet
            st.caption(formats.plain(f"{problem.message} {problem.remedy}"))
        return False
    lines = [formats.plain(sentence) for sentence in told.happens]
    lines += [f":orange[:material/warning:] {formats.plain(sentence)}" for sentence in told.warnings]
    with st.container(border=True):
        st.markdown("  \n".join(lines))
    return True


def _is_typed(field: str | None, form: Form, opened_with: Form) -> bool:
    """Whether a field (any, for what is wrong with none of them alone) is no longer as the dialog opened."""
    if field in form:
        return form[field] != opened_with.get(field)
    return form != opened_with


def _reason(dialogue: Dialogue, state: _State) -> str:
    if dialogue.reason == "none":
        return ""
    text = st.text_area(
        "Reason" if dialogue.reason == "required" else "Reason (optional)",
        key=f"{state.key}:reason",
        max_chars=LONGEST_REASON,
        height=68,
        placeholder="Why? Kept with the action; the customer does not see it.",
    )
    return text or ""


def _over(outcome: Outcome, then: Callable[[Outcome], None] | None) -> None:
    """The end, with what goes on from it."""
    _say(outcome)
    if outcome.link:
        st.code(outcome.link, language=None, wrap_lines=True)
    with st.container(horizontal=True):
        if then:
            then(outcome)
        close = "Close" if outcome.state == "failed" else "Done"
        if st.button(close, type="secondary" if outcome.next_step else "primary"):
            st.rerun()


def _say(outcome: Outcome) -> None:
    text = formats.plain(f"{outcome.message} {outcome.remedy}".strip())
    match outcome.state:
        case "done":
            st.success(text, icon=":material/check_circle:")
        case "failed":
            st.error(text, icon=":material/error:")
        case "unknown":
            st.warning(text, icon=":material/help:")
        case _:
            st.info(text, icon=":material/hourglass_top:")
    if outcome.request_id:
        st.caption(f"Stripe request {formats.plain(outcome.request_id)}")
