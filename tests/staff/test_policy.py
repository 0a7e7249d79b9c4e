"""Who may do what holds as an admin has decided it; what nobody decided is as usual."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.desk import catalog
from services.errors import Conflict
from services.staff import people, policy
from services.staff.policy import DECIDED, POLICED
from services.staff.roles import GRANTS, Limits, Measure, Permission, Policy, Role

MEASURES = [(Measure.TRIAL_DAYS, ""), (Measure.TRIAL_DAYS_IN_ALL, ""), (Measure.CHARGE, "jpy")]


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    grants = {Role.ADMIN: GRANTS[Role.ADMIN]}
    limits: dict[Role, Limits] = {}
    for role in DECIDED:
        may = draw(st.frozensets(st.sampled_from(sorted(POLICED))))
        grants[role] = (GRANTS[role] - POLICED) | may
        if some := draw(st.dictionaries(st.sampled_from(MEASURES), st.integers(0, 10**9))):
            limits[role] = some
    return Policy(grants, limits, draw(st.booleans()))


@given(policies())
def test_what_is_kept_is_what_was_decided(decided: Policy) -> None:
    grants, limits = policy._deviations(decided), policy._spelled(decided)
    held = policy.PolicyDocument(version=1, grants=grants, limits=limits, approvals=decided.approvals)
    assert policy._read(held) == decided


def test_an_admin_decides_about_every_command() -> None:
    assert {command.permission for command in catalog.COMMANDS.values()} <= POLICED
    assert not POLICED & {Permission.SET_POLICY, Permission.CONNECT}, "nobody locks the admins out"


def test_people_go_by_the_policy_from_the_next_look_on(database: ModuleType) -> None:
    with database.transaction() as session:
        people.prepare(session, "sandbox")
    with database.transaction() as session:
        usual = Policy()
        sales = usual.grants[Role.SALES] - {Permission.EXTEND_TRIAL} | {Permission.CANCEL}
        limits = {Role.SALES: {(Measure.CHARGE, "usd"): 5000}}
        policy.write(session, Policy({**usual.grants, Role.SALES: sales}, limits, True), seen=0)
    with database.session() as session:
        pia = people.admit(session, "pia@trialdesk.test")
        sam = people.admit(session, "sam@trialdesk.test")
    assert (pia.may(Permission.EXTEND_TRIAL), pia.may(Permission.CANCEL)) == (False, True)
    assert sam.may(Permission.EXTEND_TRIAL), "support is as usual"
    assert pia.policy.most(Role.SALES, Measure.CHARGE, "usd") == 5000
    assert pia.policy.most(Role.SALES, Measure.TRIAL_DAYS) is None, "what is saved replaces the usual limits"


def test_of_two_admins_the_second_is_told(database: ModuleType) -> None:
    with database.transaction() as session:
        policy.write(session, Policy(approvals=True), seen=0)
    with database.session() as session, pytest.raises(Conflict, match="Somebody else has changed"):
        policy.write(session, Policy(), seen=0)
    with database.session() as session:
        assert policy.load(session).approvals
