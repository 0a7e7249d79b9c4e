"""What happened when, that charts should say: a launch, a new price? Written by staff, for everybody.

Reading needs SEE_METRICS, every change ANNOTATE_CHARTS. What is changed or removed stays in Activity.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from models import Annotation
from services import changes, clock
from services.customers import audit
from services.errors import InvalidInput, NotFound
from services.staff.roles import Permission, Person
from services.text import with_usable_links

KINDS: Final[dict[str, str]] = {"launch": "Launch", "price": "Price change", "other": "Something else"}
LONGEST: Final = 80  # characters: it stands in a chart


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person typed: the day (in the workspace's zone), one of KINDS, and a few words."""

    day: date
    kind: str
    text: str


def between(session: Session, person: Person, begins: int, ends: int) -> list[Annotation]:
    """What happened from `begins` to before `ends` (UTC seconds), oldest first. Raises NotAllowed."""
    person.require(Permission.SEE_METRICS)
    inside = (col(Annotation.at) >= begins, col(Annotation.at) < ends)
    oldest_first = (col(Annotation.at), col(Annotation.id))
    return list(session.exec(select(Annotation).where(*inside).order_by(*oldest_first)))


def add(session: Session, person: Person, draft: Draft, zone: ZoneInfo) -> Annotation:
    """Keeps it at the first instant of its day in `zone`. Raises InvalidInput, NotAllowed."""
    person.require(Permission.ANNOTATE_CHARTS)
    row = Annotation(
        at=clock.date_start(draft.day, zone), kind=_kind(draft), text=_text(draft), author=person.id,
        created_at=clock.now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    changes.note(session)
    return row


def edit(session: Session, person: Person, id: int, draft: Draft, zone: ZoneInfo) -> None:
    """Changes it, whoever wrote it. Raises InvalidInput, NotAllowed, NotFound."""
    row = _row(session, person, id)
    before = _fields(row, zone)
    row.at, row.kind, row.text = clock.date_start(draft.day, zone), _kind(draft), _text(draft)
    audit.changed(
        session, person, "annotation_edited", "", object_id=str(id), before=before, after=_fields(row, zone)
    )


def remove(session: Session, person: Person, id: int, zone: ZoneInfo) -> None:
    """Takes it off the charts, whoever wrote it. Raises NotAllowed, NotFound."""
    row = _row(session, person, id)
    session.delete(row)
    audit.record(session, person, "annotation_removed", object_id=str(id), before=_fields(row, zone))


def _row(session: Session, person: Person, id: int) -> Annotation:
    person.require(Permission.ANNOTATE_CHARTS)
    row = session.get(Annotation, id)
    if row is None:
        raise NotFound("annotation", str(id), remedy="Somebody may have removed it; load the page again.")
    return row


def _fields(row: Annotation, zone: ZoneInfo) -> dict[str, str]:
    """It as Activity keeps it."""
    day = clock.local(row.at, zone).date().isoformat()
    return {"annotation": row.text, "day": day, "annotation_kind": KINDS.get(row.kind, row.kind)}


def _kind(draft: Draft) -> str:
    if draft.kind not in KINDS:
        raise InvalidInput("The kind is not known.", field="kind", remedy="Choose one of the list.")
    return draft.kind


def _text(draft: Draft) -> str:
    text = with_usable_links(" ".join(draft.text.split()))
    if not text:
        raise InvalidInput("The annotation is empty.", field="text", remedy="Say what happened.")
    if len(text) > LONGEST:
        raise InvalidInput(
            f"The annotation has {len(text)} characters, of at most {LONGEST}.",
            field="text",
            remedy="Shorten it: it has to fit into a chart.",
        )
    return text
