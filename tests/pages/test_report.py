"""The page Monthly report: who may read it, keep it as a file, and decide who gets it by mail."""

from __future__ import annotations

from datetime import time
from types import ModuleType

import pytest
from sqlmodel import select

from models import AuditEntry, MetricsState
from services.customers import report_file
from services.errors import InvalidInput, NotAllowed
from services.outreach import monthly
from services.staff import people
from tests.metrics import company
from tests.metrics.company import HOSTILE
from tests.pages.menu import open_in_menu
from tests.pages.work import captions, open_page, whoever

pytestmark = [
    pytest.mark.usefixtures("ready"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # SQL has tests on both
]
ADMIN, FOUNDER, VIEWER = (f"{name}@trialdesk.test" for name in ("ada", "frida", "vera"))


@pytest.fixture
def may(staffed: ModuleType) -> ModuleType:
    """A company whose May is over."""
    company.found(staffed)
    return staffed


def test_the_last_month_is_read_at_once_and_others_are_chosen(may: ModuleType) -> None:
    app = open_page("report", acting_as=FOUNDER)
    chosen = app.selectbox(key="month")
    assert chosen.value == "2026-05"
    assert chosen.options == ["May 2026", "Apr 2026", "Mar 2026", "Feb 2026"]
    assert app.session_state["report_shown"][0] == "2026-05"
    app.selectbox(key="month").select("2026-03").run()
    assert not app.exception
    assert "<h1>March 2026</h1>" in app.session_state["report_shown"][1]
    elsewhere = open_page("report", acting_as=FOUNDER, month="Apr 2026")
    assert elsewhere.session_state["report_shown"][0] == "2026-04"


def test_who_may_not_export_reads_it_but_keeps_no_file(may: ModuleType) -> None:
    viewer = whoever(may, VIEWER)
    app = open_page("report", acting_as=VIEWER)
    assert "report_shown" in app.session_state
    assert app.get("download_button")[0].proto.disabled
    with pytest.raises(NotAllowed, match="export rows"):
        report_file.html(viewer, "2026-05")
    assert not open_page("report", acting_as=FOUNDER).get("download_button")[0].proto.disabled


def test_a_file_that_left_is_kept_on_record(may: ModuleType) -> None:
    frida = whoever(may, FOUNDER)
    html = report_file.html(frida, "2026-05").decode()
    assert "<h1>May 2026</h1>" in html and HOSTILE not in html
    with may.session() as session:
        entry = session.exec(select(AuditEntry)).one()
    assert (entry.kind, entry.staff_name) == ("report", "Frida Lund")
    assert entry.after == {"file": "monthly-report-2026-05.html"}
    with pytest.raises(InvalidInput, match="is not a month"):
        report_file.html(frida, "../../etc")
    with may.transaction() as session:
        people.deactivate(session, FOUNDER)
    with pytest.raises(people.NotOnStaff):
        report_file.html(frida, "2026-05")


def test_an_admin_decides_who_gets_it_by_mail(may: ModuleType) -> None:
    app = open_page("report", acting_as=ADMIN)
    assert "Nobody gets it by mail." in captions(app)
    assert "No mail server is set up" in app.info[-1].value
    app.toggle(key="mail-on-0").set_value(True)
    app.text_area(key="mail-to-0").input("ann@board.example\nbo@board.example")
    app.time_input(key="mail-at-0").set_value(time(7, 30))
    app.button[-1].click().run()
    assert not app.exception and not app.error
    assert app.success[0].value == "Saved."
    with may.session() as session:
        held = monthly.load(session)
    assert (held.active, held.recipients, held.at) == (
        True, ("ann@board.example", "bo@board.example"), time(7, 30)
    )  # fmt: skip
    [told] = [one for one in captions(app) if "people get" in one]
    assert told.replace("\\", "").startswith("2 people get it on the 1st of each month at 07:30 (UTC)")


def test_what_cannot_be_an_address_is_said_and_nothing_is_saved(may: ModuleType) -> None:
    app = open_page("report", acting_as=ADMIN)
    app.toggle(key="mail-on-0").set_value(True)
    app.text_area(key="mail-to-0").input("ann at board")
    app.button[-1].click().run()
    assert "is not an email address" in app.error[0].value
    assert app.text_area(key="mail-to-0").value == "ann at board"
    with may.session() as session:
        assert monthly.load(session).version == 0


def test_others_see_what_is_decided_and_no_form(may: ModuleType) -> None:
    app = open_page("report", acting_as=FOUNDER)
    assert not app.text_area and not app.toggle
    assert "Admins decide who gets it." in captions(app)


def test_what_became_of_the_mails_stands_there(may: ModuleType) -> None:
    with may.transaction() as session:
        decided = monthly.Mailing(True, ("ann@board.example",))
        monthly.save(session, whoever(may, ADMIN), decided, seen=0)
    with may.transaction() as session:
        session.get_one(monthly.ReportMailing, 1).since = 0
    monthly.send_what_is_due()
    app = open_in_menu("report", acting_as=FOUNDER)
    assert "May 2026" in [text.value for text in app.text]
    outbox = open_page("outbox", acting_as=FOUNDER)
    assert list(outbox.dataframe[0].value["template"]) == ["Monthly report"]


def test_before_anything_is_counted_there_is_no_report(staffed: ModuleType) -> None:
    app = open_page("report", acting_as=FOUNDER)
    assert not app.selectbox and not app.get("download_button")


def test_in_its_first_month_an_account_has_none_yet(staffed: ModuleType) -> None:
    with staffed.transaction() as session:
        session.add(MetricsState(id=1, generation=1, terms="x"))
    app = open_page("report", acting_as=FOUNDER)
    assert "as soon as the first month is over" in app.info[0].value
