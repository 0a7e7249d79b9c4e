"""The button that reads a customer from Stripe now, and what came of it. A click asks, a rerun does not."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial

import streamlit as st

from pages.components import formats, guard
from services.errors import TrialdeskError
from services.mirror import one_customer
from services.mirror.drift import Found
from services.mirror.one_customer import Synced

_LAST = "customer_sync"  # the customer that was asked for last in this session, and the answer to come
_LOOK_EVERY = 0.5  # seconds, while it is on its way
_NAMED = 4  # differences that are told one by one
_HELP = "Reads this customer with all subscriptions, invoices, payments and cards from Stripe, now."
_WHAT = {"missing": "was missing here", "gone": "is gone in Stripe"}


def draw(customer: str) -> None:
    """The button, which waits while the customer is read, and beside it what was different."""
    answer = _answer(customer)
    on_its_way = answer is not None and not answer.done()
    st.fragment(partial(_draw, customer), run_every=_LOOK_EVERY if on_its_way else None)()


def _answer(customer: str) -> Future[Synced] | None:
    asked, answer = st.session_state.get(_LAST, ("", None))
    return answer if asked == customer else None


def _draw(customer: str) -> None:
    answer = _answer(customer)
    on_its_way = answer is not None and not answer.done()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Asking Stripe…" if on_its_way else "Sync now", icon=":material/sync:", type="tertiary",
            key=f"sync:{customer}", disabled=on_its_way, help=_HELP, on_click=_begin, args=(customer,),
        )  # fmt: skip
        if answer is not None and answer.done():
            _tell(answer)


def _begin(customer: str) -> None:
    try:
        answer = one_customer.begin(guard.current(), customer)
    except TrialdeskError as problem:
        answer = Future()
        answer.set_exception(problem)
    st.session_state[_LAST] = (customer, answer)


def _tell(answer: Future[Synced]) -> None:
    try:
        synced = answer.result()
    except TrialdeskError as problem:
        st.caption(f":red[{formats.plain(str(problem))}]", width="content")
        return
    st.caption(_changes(synced.changes), width="content")
    if synced.left_out:
        reasons = "\n\n".join(formats.plain(one) for one in dict.fromkeys(synced.left_out))
        st.caption(":orange[Not all could be read]", help=reasons, width="content")


def _changes(found: tuple[Found, ...]) -> str:
    if not found:
        return "Read from Stripe: nothing was different."
    named = [_named(one) for one in found[:_NAMED]]
    if more := len(found) - len(named):
        named.append(f"and {more} more")
    many = formats.plural(len(found), "difference")
    return formats.plain(f"Read from Stripe: {many}, up to date now: {'; '.join(named)}.")


def _named(one: Found) -> str:
    kind = formats.resource(one.resource).lower().removesuffix("s")
    fields = ", ".join(name.replace("_", " ") for name in one.fields)
    return f"{kind} {one.object_id} {_WHAT.get(one.what) or f'({fields})'}"
