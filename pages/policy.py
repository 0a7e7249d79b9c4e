"""Policy: who may do what, how much, and whether a second person may allow more. For admins."""

from __future__ import annotations

import streamlit as st

from pages.components import clicks, formats, guard, policy_limits
from services import database
from services.desk import policies
from services.staff import policy
from services.staff.policy import DECIDED, POLICED
from services.staff.roles import Permission, Policy, Role

_PLACE, _SAVED = "policy", "policy_saved"
_WIDTHS = [3, *[1] * len(DECIDED)]


def main() -> None:
    """One run of the page."""
    guard.enter("policy")
    st.title("Policy")
    st.caption("An admin may do everything. What is decided here holds from each person's next click on.")
    with database.session() as session:
        seen, held = policy.version(session), policy.load(session)
        currencies = policy.currencies(session, held)
    with st.form(f"policy-{seen}", border=False):
        grants = _grants(held, seen)
        limits = policy_limits.draw(held, currencies, seen)
        st.subheader("Above a limit", anchor=False)
        approvals = st.toggle(
            "A colleague who may do so much can approve it",
            value=held.approvals,
            key=f"approvals-{seen}",
            help="Off: what is above a limit is refused. On: it waits on the page Approvals.",
        )
        sent = st.form_submit_button("Save", type="primary")
    if sent:
        clicks.attempt(_PLACE, _save, grants, limits, approvals, seen)
        st.rerun()
    clicks.show_problem(_PLACE)  # where the one who pressed the button looks
    if st.session_state.get(_SAVED) == seen:
        st.success("Saved.", icon=":material/check_circle:")


def _grants(held: Policy, seen: int) -> dict[Role, frozenset[Permission]]:
    """A row for each thing, a box for each role."""
    st.subheader("Who may", anchor=False)
    granted: dict[Role, set[Permission]] = {role: set(held.grants[role] - POLICED) for role in DECIDED}
    for permission in (one for one in Permission if one in POLICED):
        cells = st.columns(_WIDTHS, vertical_alignment="center")
        cells[0].markdown(formats.plain(permission.capitalize()))
        for role, cell in zip(DECIDED, cells[1:], strict=True):
            key = f"{permission.name}-{role}-{seen}"
            if cell.checkbox(role.capitalize(), value=permission in held.grants[role], key=key):
                granted[role].add(permission)
    return {Role.ADMIN: held.grants[Role.ADMIN], **{role: frozenset(some) for role, some in granted.items()}}


def _save(
    grants: dict[Role, frozenset[Permission]], typed: policy_limits.Typed, approvals: bool, seen: int
) -> None:
    decided = Policy(grants, policy_limits.read(typed), approvals)
    with database.transaction() as session:
        policies.save(session, guard.current(), decided, seen=seen)
    st.session_state[_SAVED] = seen + 1


main()
