"""In which currency is reported, and by which rates? Everybody sees them, founders and admins enter them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import streamlit as st

from pages.components import blank, clicks, formats, guard
from pages.components.revenue_view import Look
from services import clock, config, database
from services.customers import once
from services.customers.recognise import CURRENCIES
from services.desk import exchange as desk
from services.metrics.revenue import exchange
from services.metrics.revenue.exchange import Rate
from services.staff.roles import Permission

_PLACE, _NEW, _TOLD = "rates", "new_rate", "rates_told"
_SHOWN, _HIGH = 12, 150  # rates, and pixels of their box
_COLUMNS, _LINE = "currency,into,day,rate,source", "eur,usd,2026-11-01,1.0842,ECB"
_HOW = (
    "Choose a currency, and enter what others are worth in it: the filter “Currency” then offers all in one."
)


def caption(look: Look) -> None:
    """By which rates the page's amounts are converted, and what they leave out."""
    if look.converts:
        named = "; ".join(_said(rate) for rate in look.of.rates) or "there are none"
        st.caption(formats.plain(f"All months in {look.of.currency.upper()} by the last rates: {named}."))
    if not look.elsewhere:
        return
    each = [
        f"{code.upper()} ({formats.plural(level.customers, 'customer')}, {formats.micros(level.mrr, code)})"
        for code, level in look.elsewhere.items()
    ]
    why = "Left out, as there is no rate" if look.converts else "Not in it, as currencies are never added"
    st.caption(formats.plain(f"{why}: MRR in {', '.join(each)}."))


def _said(rate: Rate) -> str:
    source = f", {rate.source}" if rate.source else ""
    day = formats.day(clock.date_start(date.fromisoformat(rate.day), config.settings().zone))
    return f"1 {rate.currency.upper()} = {rate.rate} {rate.into.upper()} ({day}{source})"


def draw(look: Look) -> None:
    """The menu: which currency is reported, the rates into it, and the forms to enter more."""
    why_not = look.person.why_not(Permission.SET_RATES)
    with st.popover("Exchange rates", icon=":material/currency_exchange:"):
        into = look.reporting
        with database.session() as session:
            known = exchange.entered(session, into) if into else []
        _reporting(look, into, bool(why_not))
        if not into:
            st.caption(_HOW)
        if why_not:
            st.caption(formats.plain(why_not))
        elif into:
            _form(look, into)
        if into:
            _list(known, bool(why_not))
            if not why_not:
                _file()
        clicks.show_problem(_PLACE)
        if told := st.session_state.pop(_TOLD, ""):
            st.success(told, icon=":material/check_circle:")


def _reporting(look: Look, into: str, locked: bool) -> None:
    codes = ["", *_codes(look)]
    st.selectbox(
        "Reporting currency", codes, codes.index(into), key=f"reporting:{into}", disabled=locked,
        format_func=lambda code: code.upper() or "None", on_change=clicks.attempt,
        args=(_PLACE, _choose, f"reporting:{into}"),
        help="Into it the choice “All in …” converts every amount of this page.",
    )  # fmt: skip


def _codes(look: Look) -> list[str]:
    """All currencies, those of the account first."""
    mine = [look.of.currency, *look.elsewhere]
    return [*dict.fromkeys(mine), *sorted(CURRENCIES.difference(mine))]


def _list(known: Sequence[Rate], locked: bool) -> None:
    """The rates, in a box of one height: a menu that grows would move under the mouse."""
    with st.container(height=_HIGH):
        if not known:
            st.caption("No rate is entered yet.")
        for rate in known[:_SHOWN]:
            _rate(rate, locked)
        if len(known) > _SHOWN:
            st.caption(f"The latest {_SHOWN} of {formats.plural(len(known), 'rate')}.")


def _rate(rate: Rate, locked: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(formats.plain(_said(rate)), width="content")
        if not locked:
            st.button(
                "Remove", icon=":material/delete:", type="tertiary", on_click=clicks.attempt,
                key=f"drop:{rate.currency}:{rate.into}:{rate.day}", args=(_PLACE, _remove, rate),
            )  # fmt: skip


def _form(look: Look, into: str) -> None:
    key = blank.key(_NEW)
    today = clock.local(clock.now(), config.settings().zone).date()
    with st.form(key, border=False):
        st.selectbox(
            "One unit of", [code for code in _codes(look) if code != into], None,
            key=f"{key}:currency", format_func=str.upper,
        )  # fmt: skip
        st.text_input(f"Is in {into.upper()}", key=f"{key}:rate", placeholder="1.0842")
        st.date_input("From this day on", value=today, max_value=today, key=f"{key}:day")
        st.text_input("Source", key=f"{key}:source", placeholder="ECB")
        st.form_submit_button("Add", on_click=clicks.attempt, args=(_PLACE, _add, key, into))


def _file() -> None:
    key = blank.key(f"{_NEW}_file")
    st.caption(f"Or many at once. A CSV file begins with the line `{_COLUMNS}`, such as `{_LINE}`.")
    given = st.file_uploader("A CSV file of rates", "csv", key=key)
    if given is not None:
        st.button("Import", on_click=clicks.attempt, args=(_PLACE, _take_in, given.getvalue()))


def _choose(key: str) -> None:
    with database.transaction() as session:
        desk.choose(session, guard.current(), st.session_state[key])


def _add(key: str, into: str) -> None:
    day: date = st.session_state[f"{key}:day"]
    rate = Rate(
        st.session_state[f"{key}:currency"] or "", into, day.isoformat(), st.session_state[f"{key}:rate"],
        st.session_state[f"{key}:source"],
    )  # fmt: skip
    with database.transaction() as session:
        if once.first(session, key, rate):
            desk.put(session, guard.current(), rate, today=_today())
    blank.clear(_NEW)


def _remove(rate: Rate) -> None:
    with database.transaction() as session:
        desk.remove(session, guard.current(), rate)


def _take_in(content: bytes) -> None:
    with database.transaction() as session:
        done = desk.take_in(session, guard.current(), content, today=_today())
    blank.clear(f"{_NEW}_file")
    st.session_state[_TOLD] = (
        f"{formats.plural(done.added, 'rate')} added, {done.changed} changed, {done.same} were there already."
    )


def _today() -> date:
    return clock.local(clock.now(), config.settings().zone).date()
