"""Was this form sent before? Two clicks on one button send the same form twice.

A page cannot tell by its session state: Streamlit drops what a run writes there once the next click is in.
"""

from __future__ import annotations

import hashlib
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col

from models import FormSent
from services import clock, database

_KEPT: Final = 24 * 3600  # seconds; a form is open for less


def first(session: Session, form: str, *typed: object) -> bool:
    """Whether the form is sent for the first time with what was typed: other content is another one.

    Ask in the transaction that does what the form says.
    """
    form = f"{form}:{hashlib.sha256(repr(typed).encode()).hexdigest()[:16]}"
    now = clock.now()
    session.execute(sa.delete(FormSent).where(col(FormSent.at) < now - _KEPT))
    return database.insert_once(session, FormSent, {"form": form, "at": now})
