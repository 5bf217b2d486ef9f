"""
What holds for any bytes: events or one L{RemoteProtocolError}, values within their bounds, and
never another exception. Each promise takes bytes and breaks with an exception.

C{make fuzz} looks for such bytes with atheris, guided by coverage; C{test_promises.py} with
Hypothesis, and tries what has been kept in C{corpus/}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from netlab.analysis.http.exchange import ExchangeReader
from netlab.analysis.http.reassembly import Piece
from netlab.analysis.tcp.analyser import Analyser
from netlab.analysis.tls.conversation import ALERTS_MAX, CHAINS_MAX, TLSReader
from netlab.analysis.tls.cryptographic import read_certificate
from netlab.analysis.tls.keylog import KeyLog, Label, Secrets, parse_keylog
from netlab.analysis.tls.records import RecordReader, TLSRecord
from netlab.analysis.tls.tools import Tools
from netlab.capture.decode import Decoder
from netlab.capture.links import HEADERS
from netlab.capture.records import Interface, Record
from netlab.capture.segments import Segment
from netlab.http1.passwords.authentication import parse_credentials, parse_htpasswd
from netlab.http1.resources.conditional import Validators, evaluate_preconditions, range_applies
from netlab.http1.resources.faults import FaultyFileError
from netlab.http1.resources.negotiation import acceptable_codings, media_type_weight
from netlab.http1.resources.ranges import (
    RANGES_MAX,
    NoRanges,
    multipart_byteranges,
    requested_ranges,
)
from netlab.http1.resources.redirects import parse_redirects
from netlab.http1.sansio.clientconnection import ClientConnection, ClientSettings
from netlab.http1.sansio.dates import format_date, parse_date
from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.grammar import CONTROL_BYTE
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import (
    END_OF_MESSAGE,
    Content,
    EndOfMessage,
    RequestHead,
    ResponseHead,
)
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.sansio.target import TargetForm, parse_target
from netlab.tcp.connection import TCPConnection
from netlab.tcp.receiving.delivery import EVENTS_MAX
from netlab.tcp.receiving.receivequeue import SACK_RANGES_MAX
from netlab.tcp.script.language.errors import PacketScriptError
from netlab.tcp.script.running import play_text
from netlab.tcp.segment import TCPSegment
from netlab.tcp.settings import Settings as TCPSettings
from netlab.tcp.stack import Stack
from tests.capture.following import follow, look
from tests.http1.deliveries import deliver, one_by_one

_YEAR_10000: Final = 253_402_300_800
_NOW: Final = 1_600_000_000.0
_TIGHT: Final = Limits(
    start_line_max_bytes=80,
    header_section_max_bytes=160,
    field_lines_max=6,
    content_max_bytes=64,
    chunk_extension_max_bytes=16,
    chunk_overhead_max_bytes=32,
)


def server_machine(data: bytes) -> None:
    """
    Cuts between deliveries do not matter; after a fault there is nothing; each event follows from
    a byte of its own, so that their number, and with it the work, is linear.
    """
    if not data:
        return
    for limits in (Limits(), _TIGHT):
        settings = ServerSettings(limits)
        whole = deliver([data], settings, is_ended=True)
        assert deliver([data], settings, is_ended=True, tries_whole=True) == whole
        cut = data[0] % len(data)
        assert (
            deliver([data[:cut], data[cut:]] if cut else [data], settings, is_ended=True) == whole
        )
        if len(data) <= 400:
            assert deliver(one_by_one(data), settings, is_ended=True) == whole
        assert len(whole.events) <= len(data) + 1
        for head in whole.heads:
            assert head.raw in data
            assert b"host" in head.fields or head.version < (1, 1)
            assert not any(CONTROL_BYTE.search(value) for _, value in head.fields)


def client_machine(data: bytes) -> None:
    """
    Whatever a server answers to two requests: events or one fault, and none after that.
    """
    connection = ClientConnection(ClientSettings(_TIGHT))
    target = parse_target(b"GET", b"/")
    cut = data[0] % len(data) if data else 0
    pieces = [piece for piece in (data[:cut], data[cut:]) if piece]
    host = Fields([(b"Host", b"a")])
    for _ in range(2):
        if not connection.is_ready:
            return
        connection.send(RequestHead(b"GET", target, fields=host), 0.0)
        connection.send(END_OF_MESSAGE, 0.0)
        for piece in pieces:
            connection.receive(piece, 0.0)
        pieces = []
        for _ in range(len(data) + 4):
            try:
                event = connection.next_event()
            except RemoteProtocolError:
                assert connection.must_close
                return
            if event is None:
                break
            assert isinstance(event, ResponseHead | Content | EndOfMessage)
        else:
            raise AssertionError("there are more events than bytes")


def target(data: bytes) -> None:
    """
    A target has decoded segments that lead nowhere but down, or is refused.
    """
    method, _, raw = data.partition(b" ")
    try:
        found = parse_target(method, raw)
    except RemoteProtocolError as fault:
        assert fault.status == 400
        return
    assert not {b".", b".."} & set(found.segments)
    assert not any(b"\x00" in segment for segment in found.segments)
    if found.form in (TargetForm.ORIGIN, TargetForm.ABSOLUTE):
        assert found.segments
        assert found.path.startswith(b"/")
        assert b"" not in found.segments[:-1] or b"//" in found.path
    else:
        assert not found.segments


def ranges(data: bytes) -> None:
    """
    Ranges lie within the file, are few, and are together no longer than it.
    """
    size = int.from_bytes(data[:2], "big")
    value = data[2:].strip(b" \t")
    if CONTROL_BYTE.search(value):
        return
    found = requested_ranges(b"GET", Fields([(b"Range", value)]), size)
    if isinstance(found, NoRanges):
        return
    assert 1 <= len(found) <= RANGES_MAX
    assert all(0 <= part.first <= part.last < size for part in found)
    assert sum(part.length for part in found) <= size
    if len(found) > 1:
        layout = multipart_byteranges(found, size, b"text/plain", b"0" * 32)
        heads = sum(len(head) for head, _ in layout.parts)
        assert layout.length == heads + sum(part.length for part in found) + len(layout.tail)


def date(data: bytes) -> None:
    """
    A date is a time that can be written again as the same, or none.
    """
    moment = parse_date(data, _NOW)
    # The leap second that would end the year 9999 can be read, but begins a year of five digits.
    if moment is not None and moment < _YEAR_10000:
        assert parse_date(format_date(moment), _NOW) == moment


def fields(data: bytes) -> None:
    """
    What a client says of itself in fields has a meaning or none: preconditions, If-Range, codings,
    media types, credentials.
    """
    value = data.strip(b" \t")
    if CONTROL_BYTE.search(value):
        return
    validators = Validators(b'"abc"', 1_500_000_000)
    names = (
        b"If-Match",
        b"If-None-Match",
        b"If-Modified-Since",
        b"If-Unmodified-Since",
        b"If-Range",
    )
    for name in names:
        evaluate_preconditions(b"GET", Fields([(name, value)]), validators, _NOW)
    range_applies(Fields([(b"If-Range", value)]), validators, _NOW)
    available = (b"br", b"gzip")
    codings = acceptable_codings(Fields([(b"Accept-Encoding", value)]), available)
    assert set(codings) <= {*available, b"identity"}
    assert 0 <= media_type_weight(Fields([(b"Accept", value)]), b"text/html") <= 1000
    credentials = parse_credentials(Fields([(b"Authorization", (b"Basic " + value).strip())]))
    assert credentials is None or b":" not in credentials.user


def files(data: bytes) -> None:
    """
    A file that an operator wrote is read, or every fault in it is named with its line.
    """
    for parse in (parse_htpasswd, parse_redirects):
        try:
            parse(data)
        except FaultyFileError as error:
            assert error.faults
            lines = data.count(b"\n") + 1
            assert all(1 <= fault.line <= lines for fault in error.faults)


_LINK_TYPES: Final = sorted(HEADERS)


def capture(data: bytes) -> None:
    """
    A capture is read, decoded and analysed, or refused in one line; never more frames than bytes.
    """
    assert follow(data) <= len(data)


def frame(data: bytes) -> None:
    """
    A frame of any link type is a segment, all of whose figures can be asked for, or none.
    """
    if not data:
        return
    link_type = _LINK_TYPES[data[0] % len(_LINK_TYPES)]
    decoder = Decoder()
    found = decoder.decode(Record(1, 0, data[1:], len(data) - 1, Interface(link_type)))
    if isinstance(found, Segment):
        look(Analyser().analyse(found))
    decoder.end()


class _NoCipher:
    """
    Stands for a cipher: what is protected is what it is, behind which stand 16 bytes of any kind.
    """

    def open(self, nonce: bytes, data: bytes, associated: bytes) -> bytes | None:
        """
        Take the tag off, or say that it is wrong.
        """
        return None if data[-1:] == b"\xff" else data[:-16]


class _EveryKey(KeyLog):
    """
    Has a secret for everything.
    """

    def __contains__(self, random: bytes) -> bool:
        return True

    def secrets(self, random: bytes) -> Secrets:
        """
        Give secrets of a length that depends on the random.
        """
        size = 48 if random[:1] < b"\x80" else 32
        return {label: bytes(48 if label is Label.MASTER else size) for label in Label}


def _records(parts: list[bytes], *, is_from_start: bool) -> list[TLSRecord]:
    reader = RecordReader(is_from_start=is_from_start)
    return [
        record._replace(spans=())
        for number, part in enumerate(parts, 1)
        for record in reader.receive(Piece(0, part, 0, number, number))
    ]


def tls(data: bytes) -> None:
    """
    Two streams are read as TLS, with ciphers that open anything, or not: values within their
    bounds, and records that do not depend on cuts. Each part of the streams begins with a byte: who
    sends it, whether bytes are missing after it, and how long it is.
    """
    for is_from_start in (True, False):
        whole = _records([data], is_from_start=is_from_start)
        if len(data) <= 400:
            single = [data[at : at + 1] for at in range(len(data))]
            assert _records(single, is_from_start=is_from_start) == whole
        assert sum(5 + record.length for record in whole) <= len(data)
        for tools in (Tools(), Tools(_EveryKey(), lambda name, key: _NoCipher(), read_certificate)):
            reader = TLSReader(tools, is_from_start=is_from_start)
            http = ExchangeReader()
            at = frame = 0
            while at < len(data):
                head = data[at]
                part = data[at + 1 : at + 1 + (head >> 2)]
                at += 1 + len(part)
                frame += 1
                piece = Piece(at, part, 7 if head & 2 else 0, frame, frame)
                reader.receive(piece, http, from_client=bool(head & 1))
            found = reader.conversation()
            assert len(found.alerts) <= ALERTS_MAX
            assert len(found.certificates) <= CHAINS_MAX
            assert found.client.records + found.server.records <= len(data)
            for side in (found.client, found.server):
                assert side.skipped_bytes >= 0
                assert (side.application_bytes or 0) <= len(data)


def keylog(data: bytes) -> None:
    """
    A key log holds secrets of the right lengths, or none.
    """
    found = parse_keylog(data)
    assert len(found) <= len(data) // 64
    read_certificate(data)


_FUZZ_LOCAL: Final = bytes((192, 0, 2, 1))
_FUZZ_PEER: Final = bytes((192, 0, 2, 2))
_FUZZ_PORT: Final = 80
_FUZZ_OPTIONS: Final = (
    b"",
    b"\x02\x04\x05\xb4",
    b"\x02\x04\x05\xb4\x04\x02\x08\x0a\x00\x00\x10\x00\x00\x00\x00\x00\x01\x03\x03\x0e",
    b"\x01\x01\x05\x12",
)


def tcp(data: bytes) -> None:
    """
    Whatever segments arrive in whatever order, between whatever calls and times: a machine gives
    segments or nothing, never more than its windows allow, and keeps no more than its bounds.

    The first byte says whether the machine opens; then each eight bytes are a step.
    """
    host = Stack([_FUZZ_LOCAL], _FUZZ_SETTINGS, b"fuzz" * 4, lambda: 0.5)
    now = 1_000_000_000
    listener = host.listen(now, (_FUZZ_LOCAL, _FUZZ_PORT), 1)
    connection = None
    port = _FUZZ_PORT
    if data[:1] and data[0] & 1:
        connection = host.connect(now, (_FUZZ_PEER, 5))
        port = connection.local[1]
    for at in range(1, len(data) - 7, 8):
        kind, flags, seq, ack, length, window, choice, wait = data[at : at + 8]
        connection = connection or listener.accept()
        now += wait * wait * 100_000
        deadline = host.deadline
        if deadline is not None and deadline <= now:
            host.timeout(now)
        if connection is not None and kind & 0xC0:
            _use(connection, now, kind, length)
        else:
            known = connection or next(iter(listener.half_open), None)
            base = (known.received.nxt, known.snd_una) if known else (0, 0)
            options = _FUZZ_OPTIONS[choice & 3]
            if choice & 3 == 3:
                edges = [(base[1] + offset * 40) & 0xFFFF_FFFF for offset in data[at : at + 4]]
                options += b"".join(edge.to_bytes(4) for edge in edges)
            segment = TCPSegment(
                5 + (kind >> 4 & 3),
                port,
                (base[0] + (seq - 128) * (1 + (kind & 15) * 97)) & 0xFFFF_FFFF,
                (base[1] + (ack - 128) * (1 + (kind & 15) * 97)) & 0xFFFF_FFFF,
                flags,
                window * 257,
                options[: len(options) - choice % 5 if choice & 64 else None],
                bytes(length),
                urgent=seq,
            )
            host.packet_arrives(now, _FUZZ_PEER, _FUZZ_LOCAL, segment, ecn=choice >> 4 & 3)
        sent = host.packets_to_send(now)
        assert len(sent) <= 2000
        _check(host, connection)


_FUZZ_SETTINGS: Final = TCPSettings(
    tcp_max_syn_backlog=4, tcp_max_tw_buckets=4, tcp_ecn=1, tcp_fastopen=0x207, tcp_mtu_probing=1
)


def _use(connection: TCPConnection, now: int, kind: int, length: int) -> None:
    """
    Let the program do something.
    """
    if kind & 0xC0 == 0x40:
        connection.write(now, bytes(length * 64))
    elif kind & 0xC0 == 0x80:
        connection.read(now, length * 64)
    elif kind & 7 == 0:
        connection.shutdown(now)
    elif kind & 7 == 1:
        connection.close(now)
    elif kind & 7 == 2:
        connection.abort(now)
    elif kind & 7 == 3:
        connection.set_keepalive(now, time=1_000_000_000, interval=100_000_000)
    elif kind & 7 == 4:
        connection.set_nodelay(is_on=bool(length & 1))
    else:
        while connection.next_event() is not None:
            pass


def _check(host: Stack, connection: TCPConnection | None) -> None:
    """
    Look at the bounds of a host and of a connection of it.
    """
    assert host.connections <= 16
    if connection is None:
        return
    received, board = connection.received, connection.board
    assert received.unread + received.out_of_order <= connection.window.buffer
    assert len(received.sacks) <= SACK_RANGES_MAX
    assert len(connection.events) <= EVENTS_MAX + 8
    assert connection.snd_una <= connection.snd_nxt
    assert 0 <= board.sacked <= len(board)
    assert 0 <= board.lost <= len(board)
    assert board.in_flight >= 0
    assert len(connection.queue) <= 2 * _FUZZ_SETTINGS.tcp_wmem[2]
    connection.info(0)


def script(data: bytes) -> None:
    """
    A script of packetdrill's language passes, or one of its three errors names a line that it has.
    """
    text = data.decode("utf-8", "replace")
    try:
        play_text(text)
    except PacketScriptError as error:
        assert 0 <= error.line <= text.count("\n") + 1
        assert "\n" not in error.reason


PROMISES: Final[dict[str, Callable[[bytes], None]]] = {
    promise.__name__: promise
    for promise in (
        server_machine,
        client_machine,
        target,
        ranges,
        date,
        fields,
        files,
        capture,
        frame,
        tls,
        keylog,
        tcp,
        script,
    )
}
