"""Exchange rates as staff enter them: by hand or from files, whole or not at all, and never by others."""

from __future__ import annotations

from datetime import date, timedelta
from types import ModuleType

import pytest
import sqlalchemy as sa
from sqlmodel import select

from models import AuditEntry
from services.customers import audit
from services.desk import exchange as desk
from services.errors import InvalidInput, NotAllowed, NotFound
from services.metrics.revenue import exchange
from services.metrics.revenue.exchange import Rate
from services.staff.roles import Person, Role
from tests.customers.builders import person

TODAY = date(2026, 6, 15)
FOUNDER = person(Role.FOUNDER, id=3)
EURO = Rate("eur", "usd", "2026-05-31", "1.0842", "ECB")


def enter(database: ModuleType, *rates: Rate, by: Person = FOUNDER) -> None:
    with database.transaction() as session:
        for rate in rates:
            desk.put(session, by, rate, today=TODAY)


def entered(database: ModuleType, into: str = "usd") -> list[Rate]:
    with database.session() as session:
        return exchange.entered(session, into)


def take_in(database: ModuleType, text: str) -> desk.Imported:
    with database.transaction() as session:
        return desk.take_in(session, FOUNDER, text.encode(), today=TODAY)


def told(database: ModuleType) -> list[str]:
    with database.session() as session:
        return [
            audit.sentence(audit.differences(entry, {}, str)) for entry in session.exec(select(AuditEntry))
        ]


def test_a_rate_is_kept_as_it_was_typed(database: ModuleType) -> None:
    enter(database, Rate(" EUR", "usd ", "2026-05-31", " 1.0842", " ECB  daily "))
    assert entered(database) == [Rate("eur", "usd", "2026-05-31", "1.0842", "ECB daily")]


def test_another_rate_of_the_same_day_takes_its_place_and_activity_says_so(database: ModuleType) -> None:
    enter(database, EURO, Rate("eur", "usd", "2026-05-31", "1.09", "ECB"))
    assert [rate.rate for rate in entered(database)] == ["1.09"]
    assert "rate 1.0842 → 1.09" in told(database)[-1]
    assert "EUR into USD" in told(database)[-1]


def test_the_rate_in_force_is_the_last_one_until_the_day(database: ModuleType) -> None:
    enter(database, EURO, Rate("eur", "usd", "2026-06-10", "1.1"), Rate("jpy", "usd", "2026-06-01", "0.0066"))
    with database.session() as session:
        days = ("2026-05-30", "2026-05-31", "2026-06-09", "2026-06-10")
        held = [[rate.rate for rate in exchange.in_force(session, "usd", day)] for day in days]
        assert exchange.in_force(session, "eur", "2026-06-10") == []
    assert held == [[], ["1.0842"], ["1.0842", "0.0066"], ["1.1", "0.0066"]]


def test_a_rate_that_is_removed_is_gone_but_for_activity(database: ModuleType) -> None:
    enter(database, EURO)
    with database.transaction() as session:
        desk.remove(session, FOUNDER, EURO)
    with database.transaction() as session, pytest.raises(NotFound):
        desk.remove(session, FOUNDER, EURO)
    assert entered(database) == []
    assert "1.0842" in told(database)[-1]


@pytest.mark.parametrize(
    ("rate", "wrong"),
    [
        (Rate("euro", "usd", "2026-05-31", "1"), "euro"),
        (Rate("usd", "usd", "2026-05-31", "1"), "the same"),
        (Rate("eur", "usd", "31.05.2026", "1"), "no day"),
        (Rate("eur", "usd", "2026-06-16", "1"), "today"),
        (Rate("eur", "usd", "2026-05-31", "0.000"), "above zero"),
        (Rate("eur", "usd", "2026-05-31", "-1"), "above zero"),
        (Rate("eur", "usd", "2026-05-31", "1,08"), "above zero"),
        (Rate("eur", "usd", "2026-05-31", "1e3"), "above zero"),
        (Rate("eur", "usd", "2026-05-31", "1", "x" * 81), "80 characters"),
    ],
)
def test_what_is_no_rate_is_refused(database: ModuleType, rate: Rate, wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        enter(database, rate)
    assert entered(database) == []


def test_a_file_is_taken_in_and_says_what_it_brought(database: ModuleType) -> None:
    enter(database, EURO, Rate("gbp", "usd", "2026-05-31", "1.2"))
    done = take_in(
        database,
        "\ufeffDay,Currency,Into,Rate,Source\r\n2026-05-31,EUR,USD,1.0842,ECB\r\n\r\n"
        "2026-05-31,GBP,USD,1.25,ECB\r\n2026-05-31,JPY,USD,0.0066\r\n",
    )
    assert done == desk.Imported(added=1, changed=1, same=1)
    assert {rate.currency: rate.rate for rate in entered(database)} == {
        "eur": "1.0842",
        "gbp": "1.25",
        "jpy": "0.0066",
    }


def test_a_file_of_any_length_takes_as_many_statements(database: ModuleType) -> None:
    """Others wait for their turn to write while it is taken in."""

    def sent(days: int) -> int:
        lines = [f"eur,usd,{date(2024, 1, 1) + timedelta(after)},1.1" for after in range(days)]
        with database.transaction() as session:
            found = []
            sa.event.listen(session.connection(), "before_cursor_execute", lambda *told: found.append(told))
            text = "\n".join(["currency,into,day,rate", *lines])
            done = desk.take_in(session, FOUNDER, text.encode(), today=TODAY)
        assert done.added + done.same == days
        return len(found)

    assert sent(400) == sent(800) < 10


def test_a_file_with_one_wrong_line_brings_nothing_and_names_the_line(database: ModuleType) -> None:
    with pytest.raises(InvalidInput, match=r"Nothing was imported. Line 3: .*“eurr”.* Line 4: It has more"):
        take_in(database, "currency,into,day,rate\neur,usd,2026-05-31,1\neurr,usd,2026-05-31,1\n"
                          "gbp,usd,2026-05-31,1,25\n")  # fmt: skip
    assert entered(database) == []


def test_a_file_that_contradicts_itself_brings_nothing(database: ModuleType) -> None:
    with pytest.raises(InvalidInput, match="earlier line"):
        take_in(database, "currency;into;day;rate\neur;usd;2026-05-31;1\nEUR;USD;2026-05-31;2\n")
    assert entered(database) == []


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"", "no column"),
        (b"currency,into,day,rate\n", "no rates"),
        (b"currency,day\n", "into, rate"),
        (b"\xff\xfe", "UTF-8"),
        (b"x" * 1_000_001, "1 MB"),
        (b'currency,into,day,rate\n"' + b"x" * 200_000, "CSV"),
    ],
)
def test_what_is_no_file_of_rates_is_refused(database: ModuleType, content: bytes, wrong: str) -> None:
    with database.transaction() as session, pytest.raises(InvalidInput, match=wrong):
        desk.take_in(session, FOUNDER, content, today=TODAY)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SALES, Role.SUPPORT])
def test_who_may_not_enter_rates_is_refused(database: ModuleType, role: Role) -> None:
    other = person(role)
    with database.transaction() as session:
        with pytest.raises(NotAllowed, match="enter exchange rates"):
            desk.put(session, other, EURO, today=TODAY)
        with pytest.raises(NotAllowed):
            desk.take_in(session, other, b"", today=TODAY)
        with pytest.raises(NotAllowed):
            desk.remove(session, other, EURO)
        with pytest.raises(NotAllowed):
            desk.choose(session, other, "eur")


def test_the_reporting_currency_is_chosen_and_given_up(database: ModuleType) -> None:
    found = []
    for wanted in ("EUR", ""):
        with database.transaction() as session:
            desk.choose(session, FOUNDER, wanted)
        with database.session() as session:
            found.append(exchange.reporting(session))
    assert found == ["eur", ""]
    assert "none → EUR" in told(database)[0]
    with database.transaction() as session, pytest.raises(InvalidInput):
        desk.choose(session, FOUNDER, "xyz")
