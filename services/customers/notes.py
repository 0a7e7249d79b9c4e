"""What do staff write down about a customer: notes, tags, and who looks after it?

Every change asks for the permission ANNOTATE, and that the customer exists; deleted customers keep
taking notes, for their history.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Customer, CustomerProfile, CustomerTag, Note, Staff
from services import changes, clock, database
from services.customers import audit
from services.errors import InvalidInput, NotAllowed, NotFound
from services.mirror import underived
from services.staff.roles import Permission, Person
from services.text import with_usable_links

LONGEST_NOTE: Final = 10_000
LONGEST_TAG: Final = 40
MOST_TAGS: Final = 20


def on(session: Session, customer: str) -> list[Note]:
    """The notes on a customer, newest first."""
    newest_first = (col(Note.created_at).desc(), col(Note.id).desc())
    return list(session.exec(select(Note).where(Note.customer == customer).order_by(*newest_first)))


def add(session: Session, person: Person, customer: str, body: str) -> Note:
    """Writes a note. Raises InvalidInput for an empty or overlong one, NotAllowed, NotFound."""
    person.require(Permission.ANNOTATE)
    must_exist(session, customer)
    note = Note(
        customer=customer,
        author=person.id,
        author_name=person.name,
        body=_body(body),
        created_at=clock.now(),
    )
    session.add(note)
    session.flush()
    changes.note(session)
    return note


def edit(session: Session, person: Person, note: int, body: str) -> Note:
    """Changes one's own note, which then says when. Raises as `add`, and NotAllowed on another's note."""
    row = _own(session, person, note)
    row.body, row.edited_at = _body(body), clock.now()
    audit.record(session, person, "note_edited", row.customer, object_id=str(note))
    return row


def delete(session: Session, person: Person, note: int) -> None:
    """Removes one's own note. Raises NotFound, and NotAllowed on another's note."""
    row = _own(session, person, note)
    session.delete(row)
    audit.record(session, person, "note_removed", row.customer, object_id=str(note))


def _own(session: Session, person: Person, id: int) -> Note:
    person.require(Permission.ANNOTATE)
    row = session.get(Note, id)
    if row is None:
        raise NotFound("note", str(id), remedy="Somebody may have removed it; open the customer again.")
    if row.author != person.id:
        raise NotAllowed(
            Permission.ANNOTATE,
            f"This note is {row.author_name or 'somebody else'}’s.",
            remedy="Write a note of your own beside it.",
        )
    return row


def _body(text: str) -> str:
    body = with_usable_links(text.strip())
    if not body:
        raise InvalidInput("The note is empty.", field="body", remedy="Write something first.")
    if len(body) > LONGEST_NOTE:
        raise InvalidInput(
            f"The note has {len(body):,} characters, of at most {LONGEST_NOTE:,}.",
            field="body",
            remedy="Shorten it, or make two of it.",
        )
    return body


def must_exist(session: Session, customer: str) -> Customer:
    """The customer, deleted or not. Raises NotFound."""
    row = session.get(Customer, customer)
    if row is None:
        raise NotFound("customer", customer, remedy="Search for it on the Customers page.")
    return row


def tags(session: Session, customer: str) -> list[str]:
    """The customer's tags in alphabetical order."""
    wanted = select(CustomerTag.tag).where(CustomerTag.customer == customer).order_by(col(CustomerTag.tag))
    return list(session.exec(wanted))


def tags_of(session: Session, customers: Collection[str]) -> dict[str, list[str]]:
    """The tags of many customers, those without any left out."""
    wanted = select(CustomerTag.customer, CustomerTag.tag).where(col(CustomerTag.customer).in_(customers))
    found: dict[str, list[str]] = {}
    for customer, tag in session.exec(wanted.order_by(col(CustomerTag.tag))):
        found.setdefault(customer, []).append(tag)
    return found


def all_tags(session: Session) -> list[str]:
    """Every tag in use, in alphabetical order."""
    return list(session.exec(select(CustomerTag.tag).distinct().order_by(col(CustomerTag.tag))))


def set_tags(
    session: Session, person: Person, customer: str, wanted: list[str], *, seen: list[str]
) -> list[str]:
    """Adds what is wanted and was not seen, takes away what was seen and is not wanted: others' tags stay.
    A comma separates two tags.

    Returns the customer's tags as kept (lower case, once each, sorted). Raises InvalidInput for an
    unusable tag or too many, NotAllowed, NotFound.
    """
    person.require(Permission.ANNOTATE)
    must_exist(session, customer)
    shown = set(seen)
    chosen = {_tag(each) for tag in wanted for each in ([tag] if tag in shown else _apart(tag))}
    _locked_profile(session, customer)
    before = set(tags(session, customer))
    gone, new = (shown - chosen) & before, (chosen - shown) - before
    kept = sorted(before - gone | new)
    if new and len(kept) > MOST_TAGS:
        raise InvalidInput(f"A customer has at most {MOST_TAGS} tags.", field="tags", remedy="Remove some.")
    mine = (col(CustomerTag.customer) == customer, col(CustomerTag.tag).in_(gone))
    session.execute(sa.delete(CustomerTag).where(*mine))
    now = clock.now()
    session.add_all(
        CustomerTag(customer=customer, tag=tag, added_by=person.id, added_at=now) for tag in sorted(new)
    )
    session.flush()
    audit.changed(session, person, "tags", customer, before={"tags": sorted(before)}, after={"tags": kept})
    return kept


def _apart(typed: str) -> list[str]:
    """The tags between the commas."""
    return [each for each in re.split("[,，،]", typed) if each.strip()] or [""]


def _tag(text: str) -> str:
    tag = re.sub(r"\s+", " ", text.strip().lower())
    if not tag or len(tag) > LONGEST_TAG or not tag.isprintable():
        raise InvalidInput(
            f"“{tag[:LONGEST_TAG]}” cannot be a tag.",
            field="tags",
            remedy=f"Use 1 to {LONGEST_TAG} visible characters.",
        )
    return tag


def owner(session: Session, customer: str) -> int | None:
    """The staff id of whoever looks after the customer; None where nobody does."""
    profile = session.get(CustomerProfile, customer)
    return profile.owner if profile else None


def set_owner(session: Session, person: Person, customer: str, owner: int | None) -> None:
    """Gives the customer to a staff member, or to nobody. Raises NotAllowed, NotFound, InvalidInput."""
    person.require(Permission.ANNOTATE)
    must_exist(session, customer)
    if owner is not None:
        must_work_here(session, owner, field="owner")
    profile = _locked_profile(session, customer)
    audit.changed(session, person, "owner", customer, before={"owner": profile.owner}, after={"owner": owner})
    profile.owner = owner
    underived.refresh_now(session, customer)


def _locked_profile(session: Session, customer: str) -> CustomerProfile:
    """The customer's profile, made where there is none; whoever else changes owner or tags waits."""
    database.insert_once(session, CustomerProfile, {"customer": customer, "owner": None})
    mine = select(CustomerProfile).where(CustomerProfile.customer == customer).with_for_update()
    return session.exec(mine.execution_options(populate_existing=True)).one()


def must_work_here(session: Session, staff: int, *, field: str) -> None:
    """Raises InvalidInput unless the id is that of an active staff member."""
    row = session.get(Staff, staff)
    if row is None or not row.active:
        raise InvalidInput(
            f"{row.name if row else 'This person'} does not work here any more.",
            field=field,
            remedy="Choose somebody else.",
        )
