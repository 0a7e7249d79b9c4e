"""Who is this person, and may they still come in?

The staff table decides, on every run: an email must be there and active. Without sign-in the desk acts
as one local admin; on the sandbox as any of its seeded people.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Staff
from services import clock, text
from services.config import Mode
from services.errors import InvalidInput, NotFound, TrialdeskError
from services.staff import policy
from services.staff.roles import Person, Policy, Role

_SEEN_EVERY = 300  # seconds between two notes of a person's presence
_LOCAL_EMAIL = "admin@localhost"
_SANDBOX_PEOPLE = (
    ("Ada Berg", Role.ADMIN),
    ("Amir Castell", Role.ADMIN),
    ("Frida Lund", Role.FOUNDER),
    ("Felix Moreau", Role.FOUNDER),
    ("Sam Okafor", Role.SUPPORT),
    ("Sofia Reyes", Role.SUPPORT),
    ("Pia Novak", Role.SALES),
    ("Paul Hanley", Role.SALES),
    ("Vera Lind", Role.VIEWER),
    ("Viktor Ruiz", Role.VIEWER),
)


class NotOnStaff(TrialdeskError):
    """The person has proved who they are, but may not use this desk. `.email` is who asked."""

    def __init__(self, email: str, *, was_here: bool) -> None:
        super().__init__(
            f"{email} {'no longer has' if was_here else 'has no'} access to this desk.",
            remedy="Ask an admin to add you to the staff.",
        )
        self.email = email
        self.was_here = was_here


def admit(session: Session, email: str) -> Person:
    """The active staff member with this email, who has signed in. Raises NotOnStaff for anybody else."""
    wanted = email.strip().lower()
    row = _by_email(session, wanted)
    if row is None or not row.active or wanted == _LOCAL_EMAIL:
        raise NotOnStaff(wanted, was_here=row is not None)
    return _person(row, policy.load(session))


def anew(session: Session, person: Person) -> Person:
    """The person as the staff table knows them by now: for what is clicked on a page drawn a while ago.

    Raises NotOnStaff for one who has been shut out since.
    """
    row = session.get(Staff, person.id)
    if row is None or not row.active:
        raise NotOnStaff(person.email, was_here=row is not None)
    return _person(row, policy.load(session), person.read_only)


def find(session: Session, id: int | None) -> Person | None:
    """The active staff member with this id."""
    row = session.get(Staff, id) if id else None
    return _person(row, policy.load(session)) if row and row.active else None


def active(session: Session) -> list[Person]:
    """Everybody who may come in, by role (admins first) and name."""
    rows = session.exec(select(Staff).where(col(Staff.active)).order_by(_rank(), col(Staff.name)))
    decided = policy.load(session)
    return [_person(row, decided) for row in rows]


def everyone(session: Session) -> list[Staff]:
    """All staff rows, those who left too, by email."""
    return list(session.exec(select(Staff).order_by(col(Staff.email))))


def names(session: Session) -> dict[int, str]:
    """Name by id, of all who ever worked here: for lists that say who did something."""
    return {row.id: row.name or row.email for row in session.exec(select(Staff)) if row.id is not None}


def seen(session: Session, person: Person) -> None:
    """Notes that the person is here, at most every five minutes."""
    row = session.get(Staff, person.id)
    if row is not None and (row.last_seen_at or 0) < clock.now() - _SEEN_EVERY:
        row.last_seen_at = clock.now()


def put(session: Session, email: str, *, role: Role, name: str = "") -> Staff:
    """Adds a person, or changes the role (and name) of one, and lets them in again if they had left."""
    wanted = text.seen(email).strip().lower()
    if wanted.count("@") != 1 or wanted.startswith("@") or wanted.endswith("@"):
        raise InvalidInput(f"“{email}” is not an email address.", field="email", remedy="Type name@company.")
    row = _by_email(session, wanted)
    if row is None:
        row = Staff(email=wanted, created_at=clock.now())
        session.add(row)
    row.role, row.active, row.name = role, True, name or row.name or wanted.partition("@")[0]
    session.flush()
    return row


def deactivate(session: Session, email: str) -> None:
    """Shuts a person out from their next run on. Raises NotFound for an unknown email."""
    row = _by_email(session, email.strip().lower())
    if row is None:
        raise NotFound("staff member", email, remedy="See the list for the emails that there are.")
    row.active = False


def prepare(session: Session, mode: Mode) -> None:
    """Makes the people that the desk needs without sign-in: the sandbox's ten, or the local admin."""
    if mode != "sandbox":
        _add_missing(session, _LOCAL_EMAIL, "Local admin", Role.ADMIN)
        return
    for name, role in _SANDBOX_PEOPLE:
        _add_missing(session, f"{name.partition(' ')[0].lower()}@trialdesk.test", name, role)


def local_admin(session: Session, mode: Mode) -> Person:
    """Who acts on a real account without sign-in: an admin, who may only read where the key is live."""
    row = _by_email(session, _LOCAL_EMAIL)
    if row is None:
        raise NotFound("staff member", _LOCAL_EMAIL, remedy="Start the desk again.")
    return _person(row, policy.load(session), why_read_only(mode))


def why_read_only(mode: Mode) -> str:
    """Why nobody may write without sign-in, as a sentence; "" where they may."""
    if mode != "live":
        return ""
    return (
        "This is a live account and sign-in is not set up, so the desk only reads. "
        "Add an [auth] section to .streamlit/secrets.toml to let people act."
    )


def _add_missing(session: Session, email: str, name: str, role: Role) -> None:
    if _by_email(session, email) is None:
        session.add(Staff(email=email, name=name, role=role, created_at=clock.now()))


def _by_email(session: Session, email: str) -> Staff | None:
    return session.exec(select(Staff).where(col(Staff.email) == email)).first()


def _person(row: Staff, decided: Policy, read_only: str = "") -> Person:
    if row.id is None:
        raise NotFound("staff member", row.email)
    return Person(row.id, row.name or row.email, row.email, Role(row.role), read_only, decided)


def _rank() -> sa.ColumnElement[Any]:
    order = (Role.ADMIN, Role.FOUNDER, Role.SUPPORT, Role.SALES, Role.VIEWER)
    return sa.case({role.value: place for place, role in enumerate(order)}, value=col(Staff.role), else_=9)
