"""Mail over a real SMTP server: what arrives, and what is said when it does not."""

from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from pathlib import Path

import pytest

from services.errors import InvalidInput
from services.outreach import smtp
from services.outreach.email import Email
from services.outreach.smtp import DeliveryUnknown, MailRefused, MailServer, MailServerUnavailable
from tests.support import mailserver
from tests.support.mailserver import Mailbox

MAIL = Email(
    key="msg-1",
    from_address="desk@example.com",
    from_name="Ann at Acme",
    to_address="jo@customer.example",
    to_name="Jo Customer",
    subject="Your trial ends on Friday",
    text="Hello Jo,\n\nyour trial ends <soon> & well: https://acme.example/pay?a=1&b=2.\n\nAnn",
    reply_to="ann@example.com",
)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[MailServer]:
    controller = mailserver.start(mailbox, enable_SMTPUTF8=False)
    yield MailServer("127.0.0.1", controller.port, "none", timeout=1.0)
    controller.stop()


def test_text_and_html_arrive_with_their_headers(mailbox: Mailbox, server: MailServer) -> None:
    message_id = smtp.deliver(MAIL, server)
    (mail,) = mailbox.taken
    assert mail["From"] == "Ann at Acme <desk@example.com>"
    assert mail["To"] == "Jo Customer <jo@customer.example>"
    assert (mail["Reply-To"], mail["Subject"]) == ("ann@example.com", MAIL.subject)
    assert mail["Message-ID"] == message_id
    assert message_id.endswith("@example.com>")
    text, page = (part.get_content() for part in mail.iter_parts())
    assert text.splitlines() == MAIL.text.splitlines()
    assert '<a href="https://acme.example/pay?a=1&amp;b=2">' in page
    assert "&lt;soon&gt; &amp; well" in page


def test_the_message_id_is_the_same_on_every_try(mailbox: Mailbox, server: MailServer) -> None:
    assert smtp.deliver(MAIL, server) == smtp.deliver(MAIL, server)
    assert smtp.deliver(replace(MAIL, key="msg-2"), server) != smtp.deliver(MAIL, server)


@pytest.mark.parametrize(
    "name", ["Jo\r\nBcc: thief@example.com", "Jo\nSubject: x\n\nbody", "Jo\x00\x1f\u2028X"]
)
def test_a_name_cannot_start_a_header(mailbox: Mailbox, server: MailServer, name: str) -> None:
    smtp.deliver(replace(MAIL, to_name=name, from_name=name, subject=f"For {name}"), server)
    (mail,) = mailbox.taken
    assert mailbox.envelopes[0].rcpt_tos == ["jo@customer.example"]
    assert "Bcc" not in mail
    assert len(mail.get_all("Subject")) == 1
    assert mail["Subject"].startswith("For Jo")
    assert mail["To"].addresses[0].display_name.startswith("Jo")


@pytest.mark.parametrize(
    "name", ["ليلى الأحمد", "דנה לוי", "Zoë 🦊🎉", '"Quoted" \\ <x@y.zz>, Ltd.', "名前" * 30, "X" * 5000]
)
def test_names_of_every_script_arrive_as_they_are(mailbox: Mailbox, server: MailServer, name: str) -> None:
    smtp.deliver(replace(MAIL, to_name=name, text=f"Hello {name}"), server)
    (mail,), (envelope,) = mailbox.taken, mailbox.envelopes
    assert isinstance(envelope.content, bytes)
    # email.policy.default puts blanks between the words of a long encoded name; the older reader does not
    written = str(make_header(decode_header(message_from_bytes(envelope.content)["To"])))
    shown, address = parseaddr(written)
    assert address == "jo@customer.example"
    assert shown == (name if len(name) <= 78 else name[:77] + "…")
    assert name in next(mail.iter_parts()).get_content()


def test_lines_that_begin_with_a_dot_survive(mailbox: Mailbox, server: MailServer) -> None:
    smtp.deliver(replace(MAIL, text=".\n..two\n.\r\nQUIT"), server)
    (mail,) = mailbox.taken
    assert next(mail.iter_parts()).get_content().splitlines() == [".", "..two", ".", "QUIT"]


NO_ADDRESSES = [
    *("", "jo", "jo@", "@x.example", "jo@localhost", "a b@x.example", "jo@x..example", "<jo@x.example>"),
    *("jo@x.example\nBcc: a@b.example", "jo@x.example, al@x.example", "jo@" + "x" * 300 + ".example"),
]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_is_refused_before_any_line_is_opened(address: str) -> None:
    closed = MailServer("127.0.0.1", mailserver.free_port(), "none")
    with pytest.raises(InvalidInput):
        smtp.deliver(replace(MAIL, to_address=address), closed)


def test_a_domain_of_another_script_goes_out_in_ascii(mailbox: Mailbox, server: MailServer) -> None:
    smtp.deliver(replace(MAIL, to_address="jo@bücher.example"), server)
    assert mailbox.envelopes[0].rcpt_tos == ["jo@xn--bcher-kva.example"]


def test_a_name_before_the_at_of_another_script_needs_a_server_that_can(
    mailbox: Mailbox, server: MailServer
) -> None:
    mail = replace(MAIL, to_address="jürgen@bücher.example")
    with pytest.raises(MailRefused, match="plain letters"):
        smtp.deliver(mail, server)
    able = mailserver.start(mailbox, enable_SMTPUTF8=True)
    try:
        smtp.deliver(mail, replace(server, port=able.port))
    finally:
        able.stop()
    assert [envelope.rcpt_tos for envelope in mailbox.envelopes] == [["jürgen@xn--bcher-kva.example"]]


def test_a_refused_recipient_is_final(mailbox: Mailbox, server: MailServer) -> None:
    mailbox.refuse = "550 No such user here"
    with pytest.raises(MailRefused, match="550 No such user here") as caught:
        smtp.deliver(MAIL, server)
    assert caught.value.code == "550"
    assert mailbox.taken == []


def test_a_server_that_is_busy_may_be_asked_again(mailbox: Mailbox, server: MailServer) -> None:
    mailbox.refuse = "451 Greylisted"
    with pytest.raises(MailServerUnavailable, match="451 Greylisted"):
        smtp.deliver(MAIL, server)


def test_a_text_that_is_refused_was_not_sent(mailbox: Mailbox, server: MailServer) -> None:
    mailbox.answer = "554 Spam"
    with pytest.raises(MailRefused, match="554 Spam"):
        smtp.deliver(MAIL, server)


def test_a_server_that_is_down_says_where(server: MailServer) -> None:
    down = replace(server, port=mailserver.free_port())
    with pytest.raises(MailServerUnavailable, match=f"127.0.0.1:{down.port} does not answer"):
        smtp.deliver(MAIL, down)


def test_silence_after_the_text_is_unknown(mailbox: Mailbox, server: MailServer) -> None:
    mailbox.delay = 1.0
    with pytest.raises(DeliveryUnknown):
        smtp.deliver(MAIL, replace(server, timeout=0.2))
    assert len(mailbox.taken) == 1


def test_a_server_that_never_greets_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        to = MailServer("127.0.0.1", silent.getsockname()[1], "none", timeout=0.2)
        with pytest.raises(MailServerUnavailable):
            smtp.deliver(MAIL, to)


@pytest.mark.parametrize("last_words", [b"", b"what?\r\n"])
def test_a_line_that_breaks_after_the_text_is_unknown(last_words: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_hang_up_after_data, args=(listener, last_words))
        thread.start()
        with pytest.raises(DeliveryUnknown):
            smtp.deliver(MAIL, MailServer("127.0.0.1", listener.getsockname()[1], "none", timeout=2.0))
        thread.join()


def _hang_up_after_data(listener: socket.socket, last_words: bytes) -> None:
    line, _ = listener.accept()
    with line, line.makefile("rb") as incoming:
        line.sendall(b"220 hello\r\n")
        for answer in (b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            incoming.readline()
            line.sendall(answer)
        while incoming.readline() != b".\r\n":
            pass
        line.sendall(last_words)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_safe_connections_check_the_certificate_and_log_in(
    mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    context, trusted = mailserver.certificate(tmp_path)
    kind = (
        {"ssl_context": context} if security == "tls" else {"tls_context": context, "require_starttls": True}
    )
    controller = mailserver.start(mailbox, **kind, **mailserver.only("desk", "secret"))
    to = MailServer("127.0.0.1", controller.port, security, user="desk", password="secret", timeout=2.0)
    try:
        with pytest.raises(MailServerUnavailable, match="no safe connection"):
            smtp.deliver(MAIL, to)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        with pytest.raises(MailRefused, match="user name or password"):
            smtp.deliver(MAIL, replace(to, password="wrong"))
        smtp.deliver(MAIL, to)
    finally:
        controller.stop()
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize("login", [("desk", "pässword"), ("büro", "secret")])
def test_a_login_that_cannot_be_sent_is_refused_like_a_wrong_one(
    mailbox: Mailbox, login: tuple[str, str]
) -> None:
    user, password = login
    controller = mailserver.start(mailbox, **mailserver.only(user, password))
    to = MailServer("127.0.0.1", controller.port, "none", user=user, password=password, timeout=2.0)
    try:
        with pytest.raises(MailRefused, match="letters outside ASCII") as caught:
            smtp.deliver(MAIL, to)
    finally:
        controller.stop()
    assert "SMTP_PASSWORD" in caught.value.remedy
    assert password not in "".join(traceback.format_exception(caught.value))
    assert mailbox.taken == []


def test_a_server_without_starttls_gets_no_mail_in_the_clear(mailbox: Mailbox, server: MailServer) -> None:
    with pytest.raises(MailRefused, match="STARTTLS"):
        smtp.deliver(MAIL, replace(server, security="starttls"))
    assert mailbox.taken == []


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(MailServer("h", 25, "none", "u", "secret"))
