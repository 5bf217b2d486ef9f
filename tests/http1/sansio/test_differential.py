"""
A second opinion on requests: whatever our machine accepts, h11 accepts, and means the same by it.

The other way round does not hold and is not asked for: h11 takes bare LF, obsolete line folding,
control characters in values and more, which are refused here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import h11
from hypothesis import event, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.messages import Content, EndOfMessage, RequestHead, ResponseHead
from netlab.http1.sansio.serverconnection import ServerConnection
from netlab.http1.sansio.serversettings import ServerSettings

_SETTINGS = ServerSettings()


@dataclass(frozen=True)
class Exchange:
    """
    What a parser makes of one request.
    """

    method: bytes
    target: bytes
    version: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    content: bytes
    trailers: tuple[tuple[bytes, bytes], ...]
    is_persistent: bool


def _lowered(fields: object) -> tuple[tuple[bytes, bytes], ...]:
    assert hasattr(fields, "__iter__")
    lowered = ((bytes(name).lower(), bytes(value)) for name, value in fields)
    # h11 writes this one anew.
    return tuple((n, v.lower() if n == b"transfer-encoding" else v) for n, v in lowered)


def read_by_netlab(data: bytes) -> list[Exchange] | None:
    """
    Read all whole requests; None where there is a fault.
    """
    whole = ServerConnection(_SETTINGS, 0.0).receive_request(data, 0.0)
    connection = ServerConnection(_SETTINGS, 0.0)
    connection.receive(data, 0.0)
    exchanges: list[Exchange] = []
    head: RequestHead | None = None
    content = b""
    try:
        while (found := connection.next_event()) is not None:
            match found:
                case RequestHead():
                    head, content = found, b""
                    # Taken as a whole it is the same, down to its fields.
                    assert whole is None or (whole.head, whole.head.raw) == (head, head.raw)
                case Content():
                    content += found.data
                case EndOfMessage():
                    assert head is not None
                    assert whole is None or whole.content == content
                    connection.send_whole(ResponseHead(200), b"", 0.0)
                    exchanges.append(
                        Exchange(
                            head.method,
                            head.raw.split(b" ", 2)[1],
                            b"%d.%d" % head.version,
                            _lowered(head.fields),
                            content,
                            _lowered(found.trailers),
                            not connection.must_close,
                        )
                    )
                case _:
                    raise AssertionError(found)
    except RemoteProtocolError as fault:
        event(f"refused with {fault.status}")
        assert whole is None
        return None
    return exchanges


def read_by_h11(data: bytes, count: int) -> list[Exchange]:
    """
    Read so many whole requests.

    @raise h11.RemoteProtocolError: when h11 refuses one.
    """
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(data)
    exchanges: list[Exchange] = []
    while len(exchanges) < count:
        request = connection.next_event()
        assert isinstance(request, h11.Request), request
        content = b""
        while isinstance(found := connection.next_event(), h11.Data):
            content += found.data
        assert isinstance(found, h11.EndOfMessage), found
        response = h11.Response(status_code=200, headers=[("Content-Length", "0")])
        connection.send(response)
        connection.send(h11.EndOfMessage())
        is_persistent = connection.our_state is h11.DONE
        exchanges.append(
            Exchange(
                request.method,
                request.target,
                request.http_version,
                _lowered(request.headers),
                content,
                _lowered(found.headers),
                is_persistent,
            )
        )
        if not is_persistent:
            break
        connection.start_next_cycle()
    return exchanges


def _mostly(good: list[bytes], bad: list[bytes]) -> st.SearchStrategy[bytes]:
    """
    Draw what is right many times more often than what is wrong.
    """
    return st.sampled_from(good * (1 + 8 * len(bad) // len(good)) + bad)


_VALUES = st.one_of(
    st.text('abc,;="\\ \t:/()\xe9\xff', max_size=8).map(lambda text: text.encode("latin-1")),
    _mostly([b"", b"b", b"b, c"], [b"\x00", b"b\rc", b"b\r\n c", b"b\x0bc", b"b\nX: y"]),
)
_SPACE = _mostly([b" ", b"", b"\t", b"  \t"], [b"\x0b"])
_FIELD_LINES = st.one_of(
    st.tuples(
        _mostly([b"X-A", b"x_b", b"Accept", b"!#$%&'*+-.^_`|~"], [b"a b", b"", b"a "]), _VALUES
    ),
    st.tuples(
        _mostly([b"Content-Length", b"content-length", b"CONTENT-LENGTH"], [b"Content-Length "]),
        _mostly([b"0", b"5", b"05"], [b"5,5", b"+5", b"5_0", b"", b"-1", b"0x5"]),
    ),
    st.tuples(
        _mostly([b"Transfer-Encoding", b"transfer-encoding"], [b"Transfer-Encoding\t"]),
        _mostly(
            [b"chunked", b"Chunked"], [b"gzip, chunked", b"chunked, chunked", b"identity", b""]
        ),
    ),
    st.tuples(
        st.sampled_from([b"Connection", b"connection"]),
        st.sampled_from(
            [b"close", b"Close, a", b"keep-alive", b"a", b"a,,b", b"", b"upgrade", b"closed"]
        ),
    ),
    st.tuples(st.just(b"Expect"), _mostly([b"100-continue", b"100-Continue"], [b"200-maybe"])),
)


_HOSTS = st.sampled_from([[b"a"], [b"a:80"], [b"[::1]"]] * 6 + [[], [b"a", b"a"], [b"a b"]])


@st.composite
def _request_bytes(draw: st.DrawFn) -> bytes:
    method = draw(_mostly([b"GET", b"POST", b"HEAD", b"OPTIONS", b"X", b"get"], [b"G(T", b""]))
    targets = [b"/", b"/a?b", b"/%41/b", b"http://a/b", b"http://a:80", b"//a"]
    target = draw(_mostly(targets, [b"*", b"a"]))
    version = draw(_mostly([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2"], [b"HTTP/2.0"]))
    lines = [(b"Host", host) for host in draw(_HOSTS)]
    lines += draw(st.lists(_FIELD_LINES, max_size=4))
    head = b"%b %b %b\r\n" % (method, target, version)
    for name, value in draw(st.permutations(lines)):
        head += b"%b:%b%b%b\r\n" % (name, draw(_SPACE), value, draw(_SPACE))
    head += b"\r\n"
    # As a rule, the content that the head promises.
    lowered = head.lower()
    if b"chunked" in lowered:
        usual = [b"5\r\nhello\r\n0\r\n\r\n", b"5;a=b\r\nhello\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n"]
    else:
        usual = [b"hello" if b"length:" in lowered and b"5" in lowered else b""]
    odd = [
        b"",
        b"hello",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloXX0\r\n\r\n",
        b"g\r\n",
        b"0\r\nX : y\r\n\r\n",
    ]
    return head + draw(st.sampled_from(usual * 30 + odd))


class SecondOpinionTests(SynchronousTestCase):
    """
    Requests, one or two behind each other.
    """

    @settings(max_examples=300, deadline=None)
    @given(st.lists(_request_bytes(), min_size=1, max_size=2))
    def test_requests(self, requests: list[bytes]) -> None:
        """
        Where we accept, h11 does, and finds the same method, target, version, fields, content,
        trailers, end of the request, and persistence.
        """
        data = b"".join(requests)
        ours = read_by_netlab(data)
        if ours is None:
            return
        event(f"{len(ours)} accepted")
        # h11 ends each HTTP/1.0 connection after one answer, which is up to a server.
        theirs = read_by_h11(data, len(ours))
        for mine, other in zip(ours, theirs, strict=False):
            if mine.version == b"1.0":
                other = replace(other, is_persistent=mine.is_persistent)  # noqa: PLW2901
            self.assertEqual(mine, other)
            if mine.version == b"1.0":
                return
        self.assertEqual(len(ours), len(theirs))

    def test_there_is_something_to_compare(self) -> None:
        """
        A plain exchange is accepted by both.
        """
        data = (
            b"POST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.0\r\n\r\n"
        )
        ours = read_by_netlab(data)
        self.assertEqual(ours and [exchange.method for exchange in ours], [b"POST", b"GET"])
        self.assertEqual(read_by_h11(data, 2), ours)
