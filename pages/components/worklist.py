"""What the work lists share: the filters by contact and owner, the words for a last contact, the ticks.

Each filter is bound to the address under its own key; changing one goes back to the first page.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

import streamlit as st

from pages.components import address, formats
from services import clock, config
from services.customers.recognise import CURRENCIES
from services.customers.worklists import NO_OWNER, Contact
from services.staff.roles import Permission, Person
from services.text import isolated

Option = TypeVar("Option", bound=str)
_CONTACT: tuple[Contact, ...] = get_args(Contact)
_KINDS = {"email": "Email", "call": "Call"}
_HINT = 210  # pixels
ANYBODY = ""
ALL, ANYONE = "All", "Everybody"
MINE, EVERYBODY = "Mine", "All"
ANY_TIME, OVERDUE, BY_TODAY = _DUE = ("Any time", "Overdue", "By today")
CURRENCY_BY_CURRENCY = "Amounts of different currencies are not compared: rows stand currency by currency."


def back_to_first(page_key: str) -> None:
    """For a filter's `on_change`: other rows begin at page 1."""
    st.session_state[page_key] = 1


def bound(page_key: str) -> dict[str, Any]:
    """What every filter's widget is told: its value is in the address, a change goes back to page 1."""
    return {"bind": "query-params", "on_change": back_to_first, "args": (page_key,)}


def choice(
    label: str,
    options: Sequence[Option],
    key: str,
    page_key: str,
    words: Callable[[Option], str] = str,
    *,
    width: int | Literal["stretch"] = "stretch",
    help: str | None = None,
    disabled: bool = False,
) -> Option:
    """Draws a choice of one, bound to the address; `words` is how an option is called, there too."""
    address.expect(key, [words(option) for option in options])
    chosen: Option = st.selectbox(
        label, options, key=key, format_func=words, width=width, help=help, disabled=disabled,
        **bound(page_key),
    )  # fmt: skip
    return chosen


def segments(
    label: str,
    options: Sequence[str],
    usual: str,
    key: str,
    page_key: str,
    words: Callable[[str], str] = str,
    *,
    help: str | None = None,
) -> str:
    """Draws a choice of one that shows all options side by side, like `choice`."""
    address.expect(key, [words(option) for option in options])
    chosen = st.segmented_control(
        label, options, default=usual, key=key, format_func=words, help=help, **bound(page_key)
    )
    return chosen or usual


def contact_filter(key: str, page_key: str) -> Contact:
    """Draws the choice between contacted, not contacted, and all."""
    return choice(
        "Contact", _CONTACT, key, page_key, lambda contact: contact.capitalize() or "All", width=150
    )


def due_filter(key: str, page_key: str, now: int) -> int | None:
    """Draws the choice of what is overdue, or due by the end of today; the instant before which it is due."""
    wanted = segments("Due", _DUE, ANY_TIME, key, page_key, help="Of what is still to be done.")
    tomorrow = clock.day_start(now, config.settings().zone, plus_days=1)
    return {OVERDUE: now, BY_TODAY: tomorrow}.get(wanted)


def person_filter(
    label: str, key: str, page_key: str, people: Sequence[Person], *, nobody: str = "Nobody"
) -> int | None:
    """Draws the choice of a staff member; NO_OWNER for `nobody` ("" offers no such choice), None for all."""
    names = {str(NO_OWNER): nobody} if nobody else {}
    names |= distinct({str(one.id): one.name for one in people}, nobody, ANYONE)
    wanted = choice(label, [ANYBODY, *names], key, page_key, lambda id: names.get(id, ANYONE), width=160)
    return int(wanted) if wanted else None


def currencies(codes: Iterable[str], key: str) -> list[str]:
    """What a choice of currency offers: "" for all, these codes, and the one that the address asks for.

    The last because a number that is zero leads to no rows, and not to those of all currencies.
    """
    asked = str(st.session_state.get(key) or st.query_params.get(key, "")).lower()
    return ["", *dict.fromkeys([*codes, *([asked] if asked in CURRENCIES else [])])]


def distinct(names: Mapping[str, str], *others: str) -> dict[str, str]:
    """The names, each with its key where two are the same: a choice stands in the address by its name.

    `others` are what else the choice offers.
    """
    times = Counter([*names.values(), *others])
    return {key: f"{name} ({key})" if times[name] > 1 else name for key, name in names.items()}


def last_contact(at: int | None, kind: str) -> str:
    """`Email, 2 days ago`, or that there was none."""
    if at is None:
        return "Not contacted yet"
    return f"{_KINDS.get(kind, kind.capitalize() or 'Contact')}, {formats.relative(at)}"


def called(name: str, email: str, id: str) -> str:
    """How a list or a sentence calls a customer."""
    return isolated(name or email or id)


def hint(person: Person, permissions: Sequence[Permission], text: str) -> None:
    """Says how many rows are chosen, or why this person may do nothing with them; whatever it says of the
    former takes the same room: the table must not move under the mouse."""
    why_not = person.why_none(*permissions)
    st.caption(formats.plain(why_not) or text, width="content" if why_not else _HINT)


def table_key(name: str, ids: Iterable[str]) -> str:
    """A key that changes with the rows: ticks are kept by position, and must not move to other rows."""
    return f"{name}-{zlib.crc32(' '.join(ids).encode()):08x}"
