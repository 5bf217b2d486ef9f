"""
HTTP in TLS, and what of it a capture shows.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from netlab.lab.api.expected import (
    Who,
    agrees_on_tls,
    closes_both,
    connections,
    exchanges,
    has_no_reset,
    is_opened,
    opens,
    says_close_notify,
    statuses,
)
from netlab.lab.api.experiment import HTTPS_PORT, KEYLOG, Experiment, Laboratory
from netlab.lab.api.sockets import connect, receive, receive_until, say, say_head

HOST = "server.example"
IDENTITY = "identity.pem"


def make_certificate() -> None:
    """
    Make a key, and a certificate that it signs itself.
    """
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    path = Path(IDENTITY)
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(encoding)
    )


def ask(address: str) -> None:
    """
    Ask for a page, and write the secrets down.
    """
    context = ssl.create_default_context(cafile=IDENTITY)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    Path(KEYLOG).touch(mode=0o600)
    context.keylog_filename = KEYLOG
    with context.wrap_socket(connect(address, HTTPS_PORT), server_hostname=HOST) as connection:
        say(f"{connection.version()}, {(connection.cipher() or ('',))[0]}")
        connection.sendall(b"GET / HTTP/1.1\r\nHost: " + HOST.encode("ascii") + b"\r\n\r\n")
        answer = receive_until(connection, b"\r\n\r\n")
        say_head(answer)
        head, _, content = answer.partition(b"\r\n\r\n")
        lines = [line.lower() for line in head.split(b"\r\n")]
        size = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        receive(connection, size - len(content))
        # Says close_notify, and waits for the server's.
        connection.unwrap()


async def perform(lab: Laboratory) -> None:
    """
    Serve a page by TLS, and ask for it.
    """
    await lab.server.run_function(make_certificate)
    await lab.server.serve("netlab-http", port=HTTPS_PORT, tls=IDENTITY)
    await lab.client.run_function(ask, lab.server.address)


EXPERIMENT = Experiment(
    name="https",
    question="What does a capture show of a request that travels in TLS?",
    programs="twistd netlab-http with a certificate of its own; a script that keeps its secrets.",
    look_for=(
        "After TCP's handshake the ClientHello, which names the host in the open, and the "
        "ServerHello; from there on, records that all look alike. With the key log of the run, the "
        "reports show the request, its answer, and the close_notify of each end before its FIN."
    ),
    explanation=(
        "TLS 1.3 takes one round trip (RFC 8446 section 2): both hellos carry half of a key "
        "exchange, and all that follows the ServerHello, the certificate included, is encrypted. "
        "Who has written down the secrets of a session (SSLKEYLOGFILE, RFC 9850) can read a "
        "capture of it; the server's private key alone cannot. An end that is done says "
        "close_notify (RFC 8446 section 6.1), so that a FIN that somebody on the way made up is "
        "not taken for the end of the data."
    ),
    perform=perform,
    expectations=(
        connections(1),
        opens(),
        agrees_on_tls(0, 0x0304, HOST.encode("ascii")),
        is_opened(0),
        exchanges(0, 1),
        statuses(0, (200,)),
        says_close_notify(0, Who.SERVER),
        says_close_notify(0, Who.CLIENT),
        closes_both(0),
        has_no_reset(0),
    ),
)
