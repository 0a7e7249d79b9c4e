"""The Outbox page: all messages, what became of them, and what waits for a person."""

from __future__ import annotations

from types import ModuleType

import pytest

from models import Message
from services import clock, config
from tests.pages.work import add_trial, captions, column, open_page


@pytest.fixture
def outbox(staffed: ModuleType, ready: None) -> ModuleType:
    """Three messages to two customers."""
    add_trial(staffed, "Jo", 2)
    add_trial(staffed, "Al", 2)
    with staffed.transaction() as session:
        for number, (state, who, subject) in enumerate(
            [("accepted", "jo", "First"), ("unknown", "al", "*Second*"), ("outbox", "jo", "Third")]
        ):
            session.add(
                Message(
                    token=f"msg_{number}", customer=f"cus_{who}", to_address=f"{who}@x.example", state=state,
                    subject=subject, body="Hello", template="welcome", staff=1, staff_name="Ada Berg",
                    created_at=clock.now() + number,
                )
            )  # fmt: skip
    return staffed


def test_messages_stand_newest_first(outbox: ModuleType) -> None:
    app = open_page("outbox")
    assert column(app, "subject") == ["Third", "*Second*", "First"]
    assert column(app, "state") == [["In the outbox"], ["Unknown"], ["Accepted"]]
    assert column(app, "customer") == ["Jo", "Al", "Jo"]
    assert column(app, "template") == ["Welcome"] * 3


def test_it_says_that_nothing_leaves_without_a_mail_server(outbox: ModuleType) -> None:
    app = open_page("outbox")
    assert "No mail server is set up" in app.info[0].value
    assert "1 message may or may not have gone out" in app.warning[0].value


def test_with_a_mail_server_it_says_nothing(outbox: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_HOST", "mail.example")
    monkeypatch.setenv("MAIL_FROM", "desk@x.example")
    config.settings.cache_clear()
    assert not open_page("outbox").info


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ({"message_state": "Unknown"}, ["*Second*"]),
        ({"message_q": "jo@"}, ["Third", "First"]),
        ({"message_q": "thi"}, ["Third"]),
        ({"message_to": "cus_al"}, ["*Second*"]),
        ({"message_by": "Ada Berg"}, ["Third", "*Second*", "First"]),
        ({"message_by": "Sam Okafor"}, []),
    ],
)
def test_an_address_shows_the_same_messages(
    outbox: ModuleType, address: dict[str, str], found: list[str]
) -> None:
    app = open_page("outbox", **address)
    assert column(app, "subject") == found
    if not found:
        assert "No message fits these filters." in captions(app)


def test_an_empty_outbox_says_so(staffed: ModuleType, ready: None) -> None:
    assert any(
        each.startswith("Nobody has written yet. Send a message") for each in captions(open_page("outbox"))
    )
