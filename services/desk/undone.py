"""Which actions were taken back, and by which others?

An action that takes another one back names it in its parameters (`UNDOES`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlmodel import Session, col, select

from models import Action
from services.customers import names
from services.desk import words

UNDOES: Final = "undoes"
OVER: Final = ("unknown", "done")
BEGUN: Final = ("waiting", "running", *OVER)


def by(
    session: Session, rows: Collection[Action], states: Collection[str], *, but: str = ""
) -> dict[str, Action]:
    """What takes each of these actions back and is in one of the states, without the action `but`, by the
    token of what is taken back. Of several that which is done, else the latest."""
    undoes = col(Action.params)[UNDOES].as_string()
    found = session.exec(
        select(Action)
        .where(col(Action.customer).in_({row.customer for row in rows}), col(Action.state).in_(states))
        .where(undoes.in_([row.token for row in rows]), Action.token != but)
        .order_by(col(Action.state) == "done", col(Action.opened_at))
    )
    return {row.params[UNDOES]: row for row in found}


def by_whom(session: Session, rows: Collection[Action]) -> dict[str, str]:
    """Who took actions back, and when, by the tokens of those that were."""
    return {
        token: f"Undone by {undo.staff_name}, {words.moment(undo.finished_at or undo.opened_at)}"
        for token, undo in by(session, rows, ("done",)).items()
    }


def taken_back(session: Session, rows: Collection[Action]) -> dict[str, str]:
    """Which actions others take back, by the tokens of those that do."""
    undoes = {row.token: row.params[UNDOES] for row in rows if UNDOES in row.params}
    known = session.exec(select(Action).where(col(Action.token).in_(undoes.values())))
    called = {row.token: said(row) for row in known}
    return {token: f"Takes back {called[of]}" for token, of in undoes.items() if of in called}


def said(row: Action) -> str:
    """An action as others are told which one is meant, e.g. `“Cancel” by Ana, Mar 3, 2026, 2:05 PM (UTC)`."""
    title = names.of_action(row.command, row.params)
    return f"“{title}” by {row.staff_name}, {words.moment(row.finished_at or row.opened_at)}"
