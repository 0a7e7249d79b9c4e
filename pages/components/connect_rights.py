"""The rights of the key on the page Connect: asked for at a click, and told one by one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components import clicks, formats, guard, tables
from pages.components.tables import Column
from services.desk import rights
from services.desk.rights import Checked, Finding

_PLACE, _CHECKED = "rights", "rights_checked"
_COLUMNS = (
    Column("right", "Right in Stripe", width="medium", pinned=True),
    Column("state", "This key", "status", width=100),
    Column("lost", "Lost without it", width="large"),
)
_HOW = (
    "Rights to write are told from how Stripe answers a change of what does not exist. "
    "It is known to look at the right first, but does not promise to."
)
_SAID = Column("said", "Stripe’s answer", width="medium")


def draw() -> None:
    """The button, and what it found last in this session."""
    st.subheader("Rights of the key", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Check the key", icon=":material/key:", on_click=clicks.attempt, args=(_PLACE, _check))
        checked: Checked | None = st.session_state.get(_CHECKED)
        st.caption(
            f"Checked {formats.moment(checked.at)}."
            if checked
            else "Asks Stripe for each right that the desk uses; changes nothing."
        )
    clicks.show_problem(_PLACE)
    if checked:
        _verdict(checked)
        if amiss := [*checked.having("missing"), *checked.having("unclear")]:
            _table(
                amiss, [*_COLUMNS, _SAID], "rights-amiss", "Rights that the key lacks, or that are not known"
            )
        with st.expander("Rights that the key has"):
            _table(checked.having("there"), _COLUMNS, "rights-there", "Rights that the key has")


def _check() -> None:
    st.session_state.pop(_CHECKED, None)
    st.session_state[_CHECKED] = rights.check(guard.current())


def _verdict(checked: Checked) -> None:
    """What the key lacks, and beside it how sure that is."""
    missing, unclear = (_names(checked.having(state)) for state in ("missing", "unclear"))
    if missing:
        many = formats.plural(len(missing), "right")
        remedy = "Give it what is missing in Stripe’s dashboard, under API keys."
        st.warning(f"The key lacks {many} that the desk uses. {remedy}", icon=":material/key_off:")
    if unclear:
        many = formats.plural(len(unclear), "right")
        st.warning(f"Stripe did not tell about {many}. Check again later.", icon=":material/help:")
    if not missing and not unclear:
        st.success("The key has every right that the desk uses.", icon=":material/check_circle:")
    if any(one.need.level == "write" for one in checked.having("there")):
        st.caption(_HOW)


def _names(found: Sequence[Finding]) -> set[str]:
    return {_name(one) for one in found}


def _name(one: Finding) -> str:
    """The right as one finds it in Stripe's dashboard."""
    return f"{one.need.right}, {one.need.level}"


def _table(found: Sequence[Finding], columns: Sequence[Column], key: str, alt: str) -> None:
    tables.show([_cells(one) for one in found], columns, key=key, alt=alt, empty="None.")


def _cells(one: Finding) -> dict[str, object]:
    return {"right": _name(one), "state": one.state, "lost": one.need.lost, "said": one.said}
