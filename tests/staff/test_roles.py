"""What a role may not do is a sentence: of one thing, and of several at once."""

from __future__ import annotations

import pytest

from services.staff.roles import Permission, Person, Role

EXTEND, SEND, CALL, RETRY = (
    Permission.EXTEND_TRIAL,
    Permission.SEND_MESSAGE,
    Permission.REQUEST_CALL,
    Permission.RETRY_PAYMENT,
)


def person(role: Role, read_only: str = "") -> Person:
    return Person(1, "Ana", "ana@example.com", role, read_only)


@pytest.mark.parametrize(
    ("role", "wanted", "said"),
    [
        (Role.VIEWER, (EXTEND,), "Your role (viewer) may not extend trials."),
        (Role.VIEWER, (EXTEND, SEND), "Your role (viewer) may not extend trials or send messages."),
        (
            Role.VIEWER,
            (EXTEND, SEND, CALL),
            "Your role (viewer) may not extend trials, send messages or request calls.",
        ),
        (Role.SALES, (RETRY,), "Your role (sales) may not retry payments."),
        (Role.SALES, (RETRY, SEND), ""),
        (Role.VIEWER, (EXTEND, Permission.SEE_CUSTOMERS), ""),
    ],
)
def test_who_may_do_none_of_several_things_is_told_in_one_sentence(
    role: Role, wanted: tuple[Permission, ...], said: str
) -> None:
    assert person(role).why_none(*wanted) == (said and f"{said} Ask an admin for another role.")


def test_on_an_account_that_is_read_only_the_account_is_the_reason() -> None:
    ana = person(Role.ADMIN, "Only reading is allowed.")
    assert ana.why_none(EXTEND, SEND) == ana.why_not(EXTEND) == "Only reading is allowed."
    assert ana.why_none(Permission.SEE_METRICS) == ana.why_none(SEND, Permission.EXPORT) == ""
