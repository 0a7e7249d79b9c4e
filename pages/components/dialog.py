"""How does every dialog behave? It says what will happen, asks why, acts once, and tells the end.

`show(dialogue, about=...)` opens it, `show_after` where Stripe is asked first; whatever is done in it is a
`Dialogue`. What was typed stays where something goes wrong. After a refusal it looks again at once: what
would happen now stands there before anything can be confirmed, or why nothing can happen any more and no
button that would do it. The confirm button switches itself off while the work runs, and a second click
finds the same token. The fields do not: Streamlit takes no value from a field that is drawn switched off,
and the last one typed comes with the click.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import streamlit as st

from pages.components import formats, freshness, guard, problems
from services.desk.asking import Unasked
from services.desk.command import Form, Preview
from services.desk.commands import LONGEST_REASON, Outcome
from services.errors import Conflict, InvalidInput, NotAllowed, NotFound, TrialdeskError
from services.staff.roles import Person

Reason = Literal["required", "optional", "none"]
_FINAL = (Conflict, NotFound, NotAllowed)  # no other click will change it
_ASK = "Show what it comes to"
GRAVE = "grave"  # the key of what holds the buttons of such a dialog: see document.py


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
    blocked: TrialdeskError | None = None
    typed: tuple[Form, str] = field(default_factory=lambda: ({}, ""))
    told: Preview | None = None
    told_anew: bool = False
    unasked: bool = False
    opened_with: Form | None = None

    @property
    def refused(self) -> bool:
        """Whether the last attempt did nothing, and another one may."""
        return self.outcome is not None and self.outcome.state == "failed" and self.outcome.repeatable

    def tell(self, preview: Preview) -> None:
        """Notes what the person reads. A click that brought another value with it was meant for what stood
        there before: nothing is done, and the person is asked once more.
        """
        self.unasked = False
        self.told_anew = self.running and preview != self.told
        self.running = self.running and not self.told_anew
        self.told = preview

    def wait_for_stripe(self) -> None:
        """Notes that nothing can be announced yet: a click only lets Stripe say what it comes to."""
        self.unasked, self.told_anew, self.told = True, False, None

    def refuse(self) -> None:
        """Notes that what is typed does not do: nothing is announced, and a click on it does nothing."""
        self.tried = self.tried or self.running
        self.running = self.told_anew = self.unasked = False
        self.told = None

    def forget_what_was_corrected(self, form: Form, reason: str) -> None:
        """What was wrong is not said any longer once something else is typed; what is missing, not in red."""
        if (form, reason) != self.typed:
            self.problem, self.tried, self.typed = None, False, (form, reason)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A dialogue that can begin. `about` names the customer, in their own words; `because` is what stands in
    the reason at first.

    `then` draws what can be done next, below the outcome; `progress` draws how far it is, in the outcome's
    place, where the work goes on without the dialog. `ask` asks Stripe what comes of what is typed,
    where `Dialogue.preview` raises Unasked. `grave`: what it takes away no further click brings back.
    """

    dialogue: Dialogue
    about: str
    then: Callable[[Outcome], None] | None = None
    ask: Callable[[Form], None] | None = None
    progress: Callable[[], None] | None = None
    grave: bool = False
    because: str = ""


def show(
    dialogue: Dialogue,
    *,
    about: str,
    progress: Callable[[], None] | None = None,
    then: Callable[[Outcome], None] | None = None,
    grave: bool = False,
) -> None:
    """Opens the dialog; call it in the run of the click. The rest as in `Prepared`."""
    state = _State()

    @st.dialog(dialogue.title, icon=dialogue.icon, width="medium", on_dismiss=freshness.dialog_closed)
    def body() -> None:
        _body(Prepared(dialogue, about, then=then, progress=progress, grave=grave), state)

    body()


def show_after(title: str, icon: str, prepare: Callable[[], Prepared]) -> None:
    """Opens the dialog at once, and waits inside it for Stripe's answer to what `prepare` asks.

    Where that raises a TrialdeskError, the dialog only says why the thing cannot be done.
    """
    state, known = _State(), list[Prepared | TrialdeskError]()

    @st.dialog(title, icon=icon, width="medium", on_dismiss=freshness.dialog_closed)
    def body() -> None:
        if not known:
            with st.spinner("Asking Stripe…"):
                known.append(_prepared(prepare))
        if isinstance(known[0], TrialdeskError):
            _only_problem(known[0])
        else:
            _body(known[0], state)

    body()


def _prepared(prepare: Callable[[], Prepared]) -> Prepared | TrialdeskError:
    try:
        return prepare()
    except TrialdeskError as problem:
        return problem


def show_problem(title: str, error: TrialdeskError) -> None:
    """Opens a dialog that only says why the thing cannot be done."""

    @st.dialog(title, on_dismiss=freshness.dialog_closed)
    def body() -> None:
        _only_problem(error)

    body()


def _only_problem(error: TrialdeskError) -> None:
    problems.show(error)
    if st.button("Close"):
        st.rerun()


def _body(prepared: Prepared, state: _State) -> None:
    person, dialogue = guard.current(), prepared.dialogue
    st.text(prepared.about)
    if state.outcome and not state.refused:
        _over(state.outcome, prepared)
        return
    if state.outcome:
        say(state.outcome)
    if dialogue.warning:
        st.warning(formats.plain(dialogue.warning), icon=":material/cloud_off:")
    form = dialogue.fields(state.key)
    state.opened_with = form if state.opened_with is None else state.opened_with
    preview = st.container()
    reason = _reason(dialogue, state, prepared.because)
    state.forget_what_was_corrected(form, reason)
    with preview:
        _plan(dialogue, form, state)
    with st.container(key=GRAVE if prepared.grave else None):
        _buttons(dialogue.confirm, state)
    if state.running:
        _run(prepared, person, form, reason, state)


def _plan(dialogue: Dialogue, form: Form, state: _State) -> None:
    """What will happen, and what stands against it."""
    if state.blocked:
        if not (state.outcome and state.blocked.message in state.outcome.message):
            problems.show(state.blocked)
        return
    if state.outcome:
        st.caption("What would happen now:")
    if _preview(dialogue, form, state) and state.problem:
        problems.show(state.problem)
    if state.told_anew:
        st.warning(
            "What you typed last changes what will happen. Read it above, then press the button again."
        )


def _buttons(confirm: str, state: _State) -> None:
    """The one that does it, where it can be done, and the one that closes the dialog with nothing done."""
    over = isinstance(state.blocked, _FINAL)
    label = "Look again" if state.blocked else "Try again" if state.outcome else confirm
    if not state.blocked and (state.unasked or (state.told and state.told.waits)):
        label = _ASK if state.unasked else "Ask for approval"
    leave = "Close" if over else "Go back" if "cancel" in confirm.lower() else "Cancel"
    with st.container(horizontal=True):
        if not over:
            st.button(label, key=f"{state.key}:confirm", type="primary",
                      disabled=state.running, on_click=_begin, args=(state,))  # fmt: skip
        if st.button(leave, key=f"{state.key}:leave", disabled=state.running):
            st.rerun()


def _begin(state: _State) -> None:
    state.running = True


def _run(prepared: Prepared, person: Person, form: Form, reason: str, state: _State) -> None:
    """Does it, or asks what it would come to; what it did not do, and may, is looked at again: what would
    happen now is drawn next."""
    dialogue = prepared.dialogue
    with st.spinner("Working…"):
        try:
            if state.unasked and prepared.ask and not state.blocked:
                state.problem = None
                prepared.ask(form)
            elif not state.blocked:
                state.outcome = state.problem = None
                state.outcome = dialogue.submit(person, form, reason)
            if state.blocked or state.refused:
                _look_again(dialogue, person, state)
        except _FINAL as problem:
            state.blocked = problem
        except TrialdeskError as problem:
            state.problem = problem
        finally:
            state.running, state.tried = False, True
    st.rerun(scope="fragment")


def _look_again(dialogue: Dialogue, person: Person, state: _State) -> None:
    try:
        dialogue.renew(person)
        state.blocked = None
    except TrialdeskError as problem:
        state.blocked = problem


def _preview(dialogue: Dialogue, form: Form, state: _State) -> bool:
    """Says what will happen, or what is still wrong with what is typed; whether it fits."""
    try:
        told = dialogue.preview(form)
        state.tell(told)
    except Unasked as question:
        state.wait_for_stripe()
        st.caption(formats.plain(question.message))
        return True
    except InvalidInput as problem:
        state.refuse()
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


def _reason(dialogue: Dialogue, state: _State, first: str) -> str:
    if dialogue.reason == "none":
        return ""
    text = st.text_area(
        "Reason" if dialogue.reason == "required" else "Reason (optional)",
        value=first,
        key=f"{state.key}:reason",
        max_chars=LONGEST_REASON,
        height=68,
        placeholder="Why? Kept with the action; the customer does not see it.",
    )
    return text or ""


def _over(outcome: Outcome, prepared: Prepared) -> None:
    """The end, with what goes on from it."""
    if prepared.progress:
        prepared.progress()
    else:
        say(outcome)
    if outcome.link:
        st.code(outcome.link, language=None, wrap_lines=True)
    with st.container(horizontal=True):
        if prepared.then:
            prepared.then(outcome)
        close = "Close" if outcome.state == "failed" else "Done"
        if st.button(close, type="secondary" if outcome.next_step else "primary"):
            st.rerun()


def say(outcome: Outcome) -> None:
    text = formats.plain(f"{outcome.message} {outcome.remedy}".strip())
    match outcome.state:
        case "done":
            st.success(text, icon=":material/check_circle:")
        case "failed" if outcome.overtaken:
            st.warning(text, icon=":material/sync_problem:")
        case "failed":
            st.error(text, icon=":material/error:")
        case "unknown":
            st.warning(text, icon=":material/help:")
        case _:
            st.info(text, icon=":material/hourglass_top:")
    if outcome.request_id:
        st.caption(f"Stripe request {formats.plain(outcome.request_id)}")
