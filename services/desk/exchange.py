"""Who enters what currencies are worth, and which currency is reported in? Kept with who did it.

Every change needs SET_RATES. Rates come one by one, or as a CSV file with the columns currency, into, day,
rate and, if wanted, source: all of it is taken, or nothing, with every line named that is wrong.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col

from models import ExchangeRate, ReportingCurrency
from services import changes, clock, database
from services.customers import audit
from services.customers.recognise import CURRENCIES
from services.errors import InvalidInput, NotFound
from services.metrics.revenue import exchange
from services.metrics.revenue.exchange import Rate
from services.staff.roles import Permission, Person
from services.text import with_usable_links

COLUMNS: Final = ("currency", "into", "day", "rate")
LARGEST: Final = 1_000_000  # bytes of a file
_FIRST_DAY: Final = date(2000, 1, 1)
_RATE: Final = re.compile(r"\d{1,9}(\.\d{1,12})?", re.ASCII)
_LONGEST: Final = 80  # characters of a source
_NAMED: Final = 10  # lines that a sentence names
_BEYOND: Final = "beyond"  # cells of a line for which there is no column
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rates a file added, and how many it changed; the rest were there already."""

    added: int
    changed: int
    same: int


def put(session: Session, person: Person, rate: Rate, *, today: date) -> None:
    """Enters a rate, or replaces that of the same day. Raises NotAllowed, and InvalidInput."""
    person.require(Permission.SET_RATES)
    checked = _checked(rate, today)
    held = session.get(ExchangeRate, _key(checked), populate_existing=True)
    before = _fields(held) if held else {}
    _enter(session, person, [checked])
    always = ("pair", "day")
    audit.changed(session, person, "rate_set", "", before=before, after=_fields(checked), always=always)


def remove(session: Session, person: Person, rate: Rate) -> None:
    """Takes a rate away. Raises NotAllowed, and NotFound."""
    person.require(Permission.SET_RATES)
    held = session.get(ExchangeRate, _key(rate))
    if held is None:
        raise NotFound("exchange rate", " ".join(_key(rate)), remedy="Somebody may have removed it.")
    session.delete(held)
    audit.record(session, person, "rate_removed", before=_fields(held))


def choose(session: Session, person: Person, currency: str) -> None:
    """Decides which currency is reported in; "" for none. Raises NotAllowed, and InvalidInput."""
    person.require(Permission.SET_RATES)
    before, after = exchange.reporting(session), currency.lower()
    if after:
        _code(after, "reporting currency")
    session.merge(ReportingCurrency(id=1, currency=after))
    told = ({"reporting": one.upper() or "none"} for one in (before, after))
    audit.changed(session, person, "reporting_currency", "", before=next(told), after=next(told))


def take_in(session: Session, person: Person, content: bytes, *, today: date) -> Imported:
    """Enters all rates of a CSV file. Raises NotAllowed; InvalidInput that names what is wrong in which line,
    and then nothing is entered."""
    person.require(Permission.SET_RATES)
    rates = _read(content, today)
    held = _held(session)
    differ = [rate for key, rate in rates.items() if held.get(key) != rate]
    if differ:
        _enter(session, person, differ)
    audit.record(session, person, "rates_imported", after={"rows": len(rates)})
    changed = sum(_key(rate) in held for rate in differ)
    return Imported(len(differ) - changed, changed, len(rates) - len(differ))


def _held(session: Session) -> dict[Key, Rate]:
    """All rates that are entered."""
    r = ExchangeRate
    asked = sa.select(col(r.currency), col(r.into), col(r.day), col(r.rate), col(r.source))
    return {_key(rate): rate for rate in (Rate(*row) for row in session.execute(asked))}


def _enter(session: Session, person: Person, rates: Iterable[Rate]) -> None:
    """Writes the rates, each in the place of one that is there."""
    said = {"author": person.id, "created_at": clock.now()}
    rows = [asdict(rate) | said for rate in rates]
    connection = session.connection()
    insert = database.insert(ExchangeRate, connection.dialect.name)
    anew = {name: insert.excluded[name] for name in ("rate", "source", *said)}
    connection.execute(
        insert.on_conflict_do_update(index_elements=["currency", "into", "day"], set_=anew), rows
    )
    changes.note(session)


def _read(content: bytes, today: date) -> dict[Key, Rate]:
    found: dict[Key, Rate] = {}
    wrong: list[str] = []
    for number, line in _lines(content):
        try:
            rate = _of_line(line, today)
            if found.setdefault(_key(rate), rate) != rate:
                raise InvalidInput("An earlier line says something else for the same day.")
        except InvalidInput as problem:
            wrong.append(f"Line {number}: {problem.message}")
    if wrong:
        more = f" {len(wrong) - _NAMED} more lines are wrong." if len(wrong) > _NAMED else ""
        raise _unusable(f"{' '.join(wrong[:_NAMED])}{more}", "Put the lines right and try again.")
    if not found:
        raise _unusable("The file holds no rates.", "It needs a line for each rate below the first one.")
    return found


def _of_line(line: dict[Any, Any], today: date) -> Rate:
    if line.get(_BEYOND):
        raise InvalidInput("It has more cells than the first line. Decimals stand behind a point.")
    return _checked(Rate(*(line.get(name) or "" for name in (*COLUMNS, "source"))), today)


def _lines(content: bytes) -> Iterator[tuple[int, dict[Any, Any]]]:
    """The file's lines by column, with their number in it."""
    if len(content) > LARGEST:
        raise _unusable("The file is larger than 1 MB.", "Split it.")
    try:
        text = content.decode("utf-8-sig")
        apart = ";" if ";" in text.partition("\n")[0] else ","
        reader = csv.DictReader(io.StringIO(text, newline=""), restkey=_BEYOND, delimiter=apart)
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        if missing := [name for name in COLUMNS if name not in reader.fieldnames]:
            raise _unusable(
                f"The first line names no column {', '.join(missing)}.",
                "It has to read: currency,into,day,rate,source.",
            )
        for line in reader:
            yield reader.line_num, line
    except (UnicodeDecodeError, csv.Error) as problem:
        raise _unusable("The file is no CSV file in UTF-8.", "Save it as CSV UTF-8.") from problem


def _unusable(why: str, remedy: str) -> InvalidInput:
    return InvalidInput(f"Nothing was imported. {why}", field="file", remedy=remedy)


def _checked(rate: Rate, today: date) -> Rate:
    """The rate as it is kept."""
    currency, into = _code(rate.currency, "currency"), _code(rate.into, "currency to convert into")
    if currency == into:
        raise InvalidInput("The two currencies are the same.", field="into", remedy="Choose another one.")
    source = with_usable_links(" ".join(rate.source.split()))
    if len(source) > _LONGEST:
        raise InvalidInput(f"The source has more than {_LONGEST} characters.", field="source")
    return Rate(currency, into, _day(rate.day, today), _number(rate.rate), source)


def _code(text: str, what: str) -> str:
    code = text.strip().lower()
    if code not in CURRENCIES:
        raise InvalidInput(
            f"“{text.strip()[:20]}” is no {what} that there is.",
            field="currency",
            remedy="Type a code, e.g. EUR.",
        )
    return code


def _day(text: str, today: date) -> str:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as problem:
        raise InvalidInput(
            f"“{text.strip()[:20]}” is no day.", field="day", remedy="Type it as 2026-05-31."
        ) from problem
    if not _FIRST_DAY <= day <= today:
        raise InvalidInput(f"The day {day} is not between {_FIRST_DAY} and today.", field="day")
    return day.isoformat()


def _number(text: str) -> str:
    typed = text.strip()
    if not _RATE.fullmatch(typed) or not Fraction(typed):
        raise InvalidInput(
            f"“{typed[:20]}” is no rate above zero.",
            field="rate",
            remedy="Type digits, with a point before the decimals, e.g. 1.0842.",
        )
    return typed


def _key(rate: Rate) -> Key:
    return rate.currency, rate.into, rate.day


def _fields(row: ExchangeRate | Rate) -> dict[str, str]:
    """It as Activity keeps it."""
    pair = f"{row.currency.upper()} into {row.into.upper()}"
    return {"pair": pair, "day": row.day, "rate": row.rate, "rate_source": row.source}
