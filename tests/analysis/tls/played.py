"""
TLS connections that OpenSSL really makes, in memory: what each end sent, in order, and the secrets.

What was said inside is known, so nothing that is read has to be compared with our own output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from netlab.analysis.http.exchange import ExchangeReader
from netlab.analysis.http.reassembly import Piece
from netlab.analysis.tls.conversation import TLSReader
from netlab.analysis.tls.cryptographic import tools_for
from netlab.analysis.tls.keylog import parse_keylog
from netlab.analysis.tls.observations import TLSConversation
from netlab.analysis.tls.tools import Tools
from tests.captures.frames import ACK, PSH
from tests.captures.talk import Talk

HOST = b"www.example.com"
REQUEST = b"GET /secret?x=1 HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
CONTENT = b"hush " * 1000
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + CONTENT

MSS = 1460
NOW_NS = 1_700_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What the ends are set to.

    @ivar version: C{1.2} or C{1.3}, the only one.
    @ivar suites: for OpenSSL, in its own words.
    @ivar alpn: what the client offers; the server takes the first.
    @ivar before: an earlier connection of the same client, to be resumed.
    @ivar verifies: whether the client checks the certificate, which nobody has signed.
    @ivar tickets: whether the server gives session tickets; without them TLS 1.2 has session IDs.
    @ivar wants_other_group: whether the server takes no key of the groups that a client of
        OpenSSL guesses, so that this has to begin again.
    """

    version: str = "1.3"
    suites: str = ""
    alpn: tuple[bytes, ...] = ()
    before: Played | None = None
    verifies: bool = False
    tickets: bool = True
    wants_other_group: bool = False


@dataclass(slots=True)
class Played:
    """
    A connection under way.

    @ivar sent: whose bytes, and the bytes, in order.
    @ivar keylog: the lines of the key log.
    @ivar leaf: the server's certificate.
    @ivar said: for each time that application data were sent, which of C{sent} it was.
    """

    client: SSL.Connection
    server: SSL.Connection
    leaf: x509.Certificate
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    keylog: list[bytes] = field(default_factory=list)
    said: list[int] = field(default_factory=list)

    @property
    def keylog_bytes(self) -> bytes:
        """
        The key log as a file.
        """
        return b"".join(line + b"\n" for line in self.keylog)

    def pump(self) -> None:
        """
        Carry bytes until nobody has any.
        """
        while self._carry("c", self.client, self.server) | self._carry(
            "s", self.server, self.client
        ):
            pass

    def say(self, end: str, data: bytes) -> None:
        """
        Send application data, and let the other end read them.
        """
        sender, receiver = self._ends(end)
        sender.sendall(data)
        self.said.append(len(self.sent))
        self.pump()
        received = b""
        while len(received) < len(data):
            received += receiver.recv(1 << 16)
        assert received == data

    def close(self, end: str) -> None:
        """
        Send close_notify.
        """
        sender, receiver = self._ends(end)
        sender.shutdown()
        self._carry(end, sender, receiver)

    def _ends(self, end: str) -> tuple[SSL.Connection, SSL.Connection]:
        return (self.client, self.server) if end == "c" else (self.server, self.client)

    def _carry(self, end: str, sender: SSL.Connection, receiver: SSL.Connection) -> bool:
        _advance(sender)
        try:
            data = sender.bio_read(1 << 20)
        except SSL.WantReadError:
            return False
        self.sent.append((end, data))
        receiver.bio_write(data)
        _advance(receiver)
        return True

    def captured(self, *, mss: int = MSS, now_ns: int = NOW_NS) -> Talk:
        """
        Write it down as segments of a TCP connection that is not closed yet.

        @param now_ns: when the capture begins, in nanoseconds since 1970.
        """
        talk = Talk(ports=(40000, 443), now_ns=now_ns).open()
        for end, data in self.sent:
            for begin in range(0, len(data), mss):
                talk.send(end, PSH | ACK, data[begin : begin + mss])
            talk.send("s" if end == "c" else "c", ACK, after_ms=0.1)
        return talk

    def tools(self, *, with_keys: bool = True) -> Tools:
        """
        Give what reading it takes.
        """
        keylog = parse_keylog(self.keylog_bytes) if with_keys else None
        return tools_for(keylog)


def _advance(end: SSL.Connection) -> None:
    try:
        end.do_handshake()
    except (SSL.WantReadError, SSL.Error):
        return


@cache
def _identity() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.example.com")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example Authority")]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=90))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("www.example.com"), x509.DNSName("example.com")]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def begin(terms: Terms, server_context: SSL.Context | None = None) -> Played:
    """
    Shake hands.

    @param server_context: that of an earlier connection, which knows its sessions.
    """
    certificate, _ = _identity()
    before = terms.before
    if before is None:
        lines: list[bytes] = []
        client_context = _context(terms)
        client_context.set_keylog_callback(lambda _, line: lines.append(line))
        if terms.alpn:
            client_context.set_alpn_protos(list(terms.alpn))
        if terms.verifies:
            client_context.set_verify(SSL.VERIFY_PEER, lambda *_: False)
    else:
        # A session belongs to its context, which writes one key log.
        lines, client_context = before.keylog, before.client.get_context()
    client = SSL.Connection(client_context, None)
    client.set_tlsext_host_name(HOST)
    client.set_connect_state()
    if before is not None:
        session = before.client.get_session()
        assert session is not None
        client.set_session(session)
    server = SSL.Connection(server_context or server_of(terms), None)
    server.set_accept_state()
    played = Played(client, server, certificate, keylog=lines)
    played.pump()
    return played


def server_of(terms: Terms) -> SSL.Context:
    """
    Make a server's context.
    """
    certificate, key = _identity()
    context = _context(terms)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    context.set_session_id(b"tests")
    if not terms.tickets:
        context.set_options(SSL.OP_NO_TICKET)
    if terms.alpn:
        context.set_alpn_select_callback(lambda _, offered: offered[0])
    if terms.wants_other_group:
        context.set_tmp_ecdh(ec.SECP384R1())
    return context


def _context(terms: Terms) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    number = SSL.TLS1_3_VERSION if terms.version == "1.3" else SSL.TLS1_2_VERSION
    context.set_min_proto_version(number)
    context.set_max_proto_version(number)
    if terms.suites and terms.version == "1.3":
        context.set_tls13_ciphersuites(terms.suites.encode("ascii"))
    elif terms.suites:
        context.set_cipher_list(terms.suites.encode("ascii"))
    return context


def http_exchange(terms: Terms) -> Played:
    """
    Ask, answer, and close from both sides.
    """
    played = begin(terms)
    played.say("c", REQUEST)
    played.say("s", RESPONSE)
    played.close("s")
    played.close("c")
    return played


class Reading:
    """
    What was read of two streams.

    @ivar http: what was inside.
    @ivar reader: of TLS.
    @ivar ends: for each direction where each frame ended in the stream.
    """

    def __init__(self, tools: Tools, *, is_from_start: bool = True) -> None:
        self.http = ExchangeReader()
        self.reader = TLSReader(tools, is_from_start=is_from_start)
        self._offsets = {"c": 0, "s": 0}
        self._frame = 0

    def receive(self, end: str, data: bytes, missing: int = 0) -> bool:
        """
        Take a frame.
        """
        self._frame += 1
        piece = Piece(
            self._offsets[end], data, missing, self._frame, NOW_NS + self._frame * 1_000_000
        )
        self._offsets[end] = piece.end
        return self.reader.receive(piece, self.http, from_client=end == "c")

    @property
    def conversation(self) -> TLSConversation:
        """
        What is the case.
        """
        return self.reader.conversation()


def read(sent: Sequence[tuple[str, bytes]], tools: Tools, cut: int = MSS) -> Reading:
    """
    Read what was sent.

    @param cut: how many bytes a frame carries at most.
    """
    reading = Reading(tools)
    for end, data in sent:
        for begin_at in range(0, len(data), cut):
            reading.receive(end, data[begin_at : begin_at + cut])
    return reading
