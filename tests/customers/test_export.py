"""The CSV: all rows of the filter, harmless to spreadsheets, only for those who may."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from models import Invoice, Subscription
from services.customers import conditions, export, notes, worklists
from services.customers.filters import CustomerFilter
from services.customers.worklists import FailureFilter, TrialFilter
from services.errors import NotAllowed
from services.metrics.recovery.recovery import Failed
from services.staff.roles import Role
from tests.customers.builders import NOW, customer, person, row, staff


def exported(session: Session, wanted: CustomerFilter, role: Role = Role.SUPPORT) -> list[dict[str, str]]:
    where = conditions.conditions(wanted, now=NOW, zone=ZoneInfo("UTC"))
    lines = export.customers_csv(session, person(role), where, sort=wanted.sort, label=str.upper)
    return list(csv.DictReader(io.StringIO("".join(lines), newline="")))


def test_a_row_says_everything_in_plain_numbers_and_times(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(
            s, "cus_1", created=1_767_225_600, name="Ann, “the” First", email="ann@x.com", status="past_due",
            plan="Pro", currency="usd", mrr_micros=4_900_500_000, trial_end=1_767_312_000, country="DE",
            owner=staff(s, "Bob"), failed_invoices=1, open_amount=4900, open_currency="jpy",
            failure_code="expired_card", phone="+49 30 1",
        )  # fmt: skip
        notes.set_tags(s, person(), "cus_1", ["vip, beta"], seen=[])
        (row,) = exported(s, CustomerFilter())
    assert row == {
        "id": "cus_1", "name": "Ann, “the” First", "email": "ann@x.com", "phone": "+49 30 1",
        "status": "PAST_DUE", "plan": "Pro", "currency": "USD", "mrr": "49.005",
        "created": "2026-01-01T00:00:00Z", "trial_end": "2026-01-02T00:00:00Z", "cancel_at": "",
        "country": "DE", "source": "", "owner": "Bob", "tags": "beta, vip", "failed_invoices": "1",
        "open_amount": "4900", "open_currency": "JPY", "failure_code": "expired_card",
        "open_disputes": "0", "last_contact": "", "deleted": "",
    }  # fmt: skip


def test_all_rows_of_the_filter_leave_in_the_lists_order(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_BATCH", 4)
    with database.transaction() as s:
        for n in range(11):
            customer(s, f"cus_{n:02d}", name=f"n{n % 3}", status="active", created=NOW - n)
        customer(s, "cus_other", status="canceled")
    with database.session() as s:
        rows = exported(s, CustomerFilter(status=("active",), sort="Oldest"))
    assert [row["id"] for row in rows] == [f"cus_{n:02d}" for n in reversed(range(11))]


def test_no_customer_text_is_a_formula(database: ModuleType) -> None:
    starts = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")
    name = 'HYPERLINK("http://evil.example","click")'
    with database.transaction() as s:
        for n, start in enumerate(starts):
            risky = {"name": start + name, "email": f"{start}a@x.com", "plan": f"{start}1", "source": start}
            customer(s, f"cus_{n}", created=NOW - n, **risky)
        rows = exported(s, CustomerFilter())
    assert [row["name"] for row in rows] == [f"'{start}{name}" for start in starts]
    assert {row[field][0] for row in rows for field in ("email", "plan", "source")} == {"'"}


@given(st.text())
def test_harmless_text_stays_as_it_is_and_no_other_begins_a_formula(text: str) -> None:
    written = export.harmless(text)
    assert written in (text, f"'{text}")
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_the_permission_is_asked_before_the_first_line(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1")
        for role in Role:
            if role is Role.VIEWER:
                with pytest.raises(NotAllowed):
                    export.customers_csv(s, person(role), [], sort="Newest", label=str)
            else:
                assert len(exported(s, CustomerFilter(), role)) == 1


def rows_of(lines: Iterable[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(lines), newline="")))


@pytest.fixture
def work(database: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Five trials and five failed payments of customers whose names begin like formulas, two in a batch."""
    monkeypatch.setattr(export, "_BATCH", 2)
    with database.transaction() as s:
        for n in range(5):
            customer(s, f"cus_{n}", name=f"=name {n}", email=f"n{n}@x.com", payment_method_on_file=n == 0)
            row(s, Subscription, id=f"sub_{n}", customer=f"cus_{n}", status="trialing", trial_end=NOW + n,
                currency="usd", plan_micros=4_900_000_000, cancel_at_period_end=n == 1)  # fmt: skip
            row(s, Invoice, id=f"in_{n}", number=f"+{n}", customer=f"cus_{n}", status="open", attempted=True,
                attempt_count=2, amount_remaining=500 - n, currency="jpy", created=NOW)  # fmt: skip
    return database


def test_all_trials_of_the_filter_leave_in_the_lists_order(work: ModuleType) -> None:
    where = worklists.trial_conditions(TrialFilter(), NOW)
    with work.session() as s:
        rows = rows_of(export.trials_csv(s, person(), where, sort="Days left"))
        with pytest.raises(NotAllowed):
            export.trials_csv(s, person(Role.VIEWER), where, sort="Days left")
    assert [row["subscription"] for row in rows] == [f"sub_{n}" for n in range(5)]
    first = rows[0]
    assert (first["name"], first["plan_value_per_month"], first["currency"]) == ("'=name 0", "49.00", "USD")
    assert (first["trial_end"], first["card"], first["set_to_cancel"]) == ("2027-01-15T08:00:00Z", "yes", "")
    assert (rows[1]["card"], rows[1]["set_to_cancel"]) == ("", "yes")


def test_all_failed_payments_of_the_filter_leave_in_the_lists_order(work: ModuleType) -> None:
    where = worklists.failure_conditions(FailureFilter())
    with work.session() as s:
        rows = rows_of(export.failures_csv(s, person(), where))
        with pytest.raises(NotAllowed):
            export.failures_csv(s, person(Role.VIEWER), where)
    assert [row["invoice"] for row in rows] == [f"in_{n}" for n in range(5)]
    first = rows[0]
    assert (first["name"], first["number"], first["at_stake"]) == ("'=name 0", "'+0", "500")
    assert (first["currency"], first["attempts"], first["next_attempt"]) == ("JPY", "2", "")


def test_what_became_of_failed_payments_leaves_for_who_may_export() -> None:
    payment = Failed("in_1", "A-1", "cus_1", "@Ann", "a@x.com", "usd", 4900, "recovered", NOW, NOW + 1)
    (line,) = rows_of(export.failed_csv(person(), [payment]))
    assert (line["name"], line["total"], line["came_to"]) == ("'@Ann", "49.00", "recovered")
    assert (line["first_failed"], line["paid"]) == ("2027-01-15T08:00:00Z", "2027-01-15T08:00:01Z")
    with pytest.raises(NotAllowed):
        export.failed_csv(person(Role.VIEWER), [payment])
