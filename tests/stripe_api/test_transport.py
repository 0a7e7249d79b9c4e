"""What is known of a write whose journey ended in a TLS error?"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import stripe
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.stripe_api import failures
from services.stripe_api.client import connect


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    day = datetime.timedelta(days=1)
    unsigned = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = unsigned.not_valid_before(now - day).not_valid_after(now + day).add_extension(here, critical=False)
    pem = serialization.Encoding.PEM
    clear = serialization.NoEncryption()
    path = folder / "server.pem"
    path.write_bytes(
        made.sign(key, hashes.SHA256()).public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, clear)
    )
    return path


@dataclass
class BreakingServer:
    """Takes a request over TLS, and answers with what is no TLS."""

    certificate: Path
    received: list[bytes] = field(default_factory=list)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        with suppress(OSError):  # the end: the listener is closed
            while True:
                plain, _ = self.listener.accept()
                with suppress(ssl.SSLError, ConnectionError):
                    self._answer(context.wrap_socket(plain, server_side=True))

    def _answer(self, wrapped: ssl.SSLSocket) -> None:
        self.received.append(wrapped.recv(65_536))
        with closing(socket.socket(fileno=wrapped.detach())) as raw:
            raw.sendall(b"HTTP/1.1 500 this is not TLS\r\n\r\n")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BreakingServer]:
    started = BreakingServer(self_signed(tmp_path))
    thread = threading.Thread(target=started.serve, daemon=True)
    thread.start()
    yield started
    started.listener.shutdown(socket.SHUT_RDWR)
    started.listener.close()
    thread.join(5)


def make_customer(url: str) -> None:
    connect("sk_test_tls", url).write(lambda v1, options: v1.customers.create({}, options), "tls-1")


def test_a_tls_error_after_the_request_leaves_the_outcome_unknown(
    server: BreakingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe, "ca_bundle_path", str(server.certificate))
    with pytest.raises(failures.OutcomeUnknown):
        make_customer(server.url)
    assert server.received[0].startswith(b"POST /v1/customers")


def test_a_certificate_that_is_refused_ends_it_before_anything_is_sent(server: BreakingServer) -> None:
    with pytest.raises(failures.StripeUnavailable):
        make_customer(server.url)
    assert b"".join(server.received) == b""


def test_a_server_that_is_not_there_got_nothing() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(failures.StripeUnavailable):
        make_customer(f"http://127.0.0.1:{port}")
