"""How does the monthly report leave the desk? As one HTML page, for who may export; kept on record."""

from __future__ import annotations

from services import database
from services.customers import audit
from services.metrics.report import made
from services.staff import people
from services.staff.roles import Permission, Person


def html(person: Person, month: str) -> bytes:
    """The report of a month (`2026-10`) as a file. Opens its own transactions.

    Raises NotAllowed and NotOnStaff as of now, whoever the person was when the page was drawn, and what
    `made.make` raises.
    """
    with database.session() as session:
        asking = people.anew(session, person)
    for permission in (Permission.SEE_METRICS, Permission.EXPORT):
        asking.require(permission)
    report = made.make(month)
    with database.transaction() as session:
        audit.record(session, asking, "report", after={"file": report.file_name})
    return report.html.encode()
