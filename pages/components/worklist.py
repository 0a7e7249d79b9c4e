"""What the work lists share: the filters by contact and owner, the words for a last contact, the ticks.

Each filter is bound to the address under its own key; changing one goes back to the first page.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeVar, get_args

import streamlit as st

from pages.components import address, formats
from services.customers.worklists import NO_OWNER, Contact
from services.staff.roles import Person

Option = TypeVar("Option", bound=str)
_CONTACT: tuple[Contact, ...] = get_args(Contact)
_KINDS = {"email": "Email", "call": "Call"}
ANYBODY = ""
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


def contact_filter(key: str, page_key: str) -> Contact:
    """Draws the choice between contacted, not contacted, and all."""
    return choice(
        "Contact", _CONTACT, key, page_key, lambda contact: contact.capitalize() or "All", width=150
    )


def person_filter(
    label: str, key: str, page_key: str, people: Sequence[Person], *, nobody: str = "Nobody"
) -> int | None:
    """Draws the choice of a staff member; NO_OWNER for `nobody` ("" offers no such choice), None for all."""
    names = {str(NO_OWNER): nobody} if nobody else {}
    names |= distinct({str(one.id): one.name for one in people})
    wanted = choice(label, [ANYBODY, *names], key, page_key, lambda id: names.get(id, "Everybody"), width=160)
    return int(wanted) if wanted else None


def distinct(names: dict[str, str]) -> dict[str, str]:
    """The names, each with its key where two are the same: a choice stands in the address by its name."""
    times = Counter(names.values())
    return {key: f"{name} ({key})" if times[name] > 1 else name for key, name in names.items()}


def last_contact(at: int | None, kind: str) -> str:
    """`Email, 2 days ago`, or that there was none."""
    if at is None:
        return "Not contacted yet"
    return f"{_KINDS.get(kind, kind.capitalize() or 'Contact')}, {formats.relative(at)}"


def called(name: str, email: str, id: str) -> str:
    """How a list calls a customer."""
    return name or email or id


def table_key(name: str, ids: Iterable[str]) -> str:
    """A key that changes with the rows: ticks are kept by position, and must not move to other rows."""
    return f"{name}-{zlib.crc32(' '.join(ids).encode()):08x}"
