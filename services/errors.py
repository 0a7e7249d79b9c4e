"""What can go wrong, as one tree.

TrialdeskError                     .message what is wrong · .remedy what to do
├── ConfigurationError             refused at start: a setting is missing, unsafe or contradictory
│   └── WrongAccount               the database holds another account or mode
├── InvalidInput                   what a person typed cannot be used; .field names the input
├── NotFound                       .kind and .id of what is not there
├── NotAllowed                     .permission that the person lacks
├── Conflict                       the object has changed, or another person has acted already
├── Unavailable                    a service that we need does not answer now (retry later)
│   └── DatabaseAway               our own database does not
├── Refused                        the other side said no: .code and .request_id
└── Unforeseen                     a mistake of ours: the log has the details under .reference

Rooms add their own leaves below these; nobody raises a bare Exception.
"""

from __future__ import annotations

import uuid


class TrialdeskError(Exception):
    """Base of all our errors: a sentence for people, and what to do about it."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ConfigurationError(TrialdeskError):
    """A setting is missing, unsafe or contradictory; the desk does not start."""


class WrongAccount(ConfigurationError):
    """The database holds another account or mode than the key's."""

    def __init__(self, *, held: str, given: str) -> None:
        super().__init__(
            f"This database holds {held}, but the key belongs to {given}.",
            remedy="Set DATABASE_URL to an empty database, or unset it to let each account have its own.",
        )
        self.held = held
        self.given = given


class InvalidInput(TrialdeskError):
    """What a person typed cannot be used."""

    def __init__(self, message: str, *, field: str = "", remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.field = field


class NotFound(TrialdeskError):
    """There is no such thing in the tables."""

    def __init__(self, kind: str, id: str, *, remedy: str = "") -> None:
        super().__init__(f"There is no {kind} with the id “{id}”.", remedy=remedy)
        self.kind = kind
        self.id = id


class NotAllowed(TrialdeskError):
    """The person's role does not carry the permission, or nobody's does on this account."""

    def __init__(self, permission: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.permission = permission


class Conflict(TrialdeskError):
    """The object has changed since it was shown, or another person has acted already."""


class Unavailable(TrialdeskError):
    """Something that we need does not answer at the moment; the same request may work later."""


class DatabaseAway(Unavailable):
    """The database's server cannot be reached, or has ended under our hands."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The database cannot be reached: {why}.",
            remedy="Start it, or correct DATABASE_URL. The desk tries again by itself.",
        )


class Refused(TrialdeskError):
    """The other side answered and said no."""

    def __init__(self, message: str, *, code: str = "", request_id: str = "", remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.code = code
        self.request_id = request_id


class Unforeseen(TrialdeskError):
    """Something went wrong that nobody thought of; whoever makes it logs the error under `reference`."""

    def __init__(self, what: str, error: Exception) -> None:
        self.reference = uuid.uuid4().hex[:8]
        super().__init__(
            f"{what} ({type(error).__name__}).", remedy=f"The log has the details under {self.reference}."
        )
