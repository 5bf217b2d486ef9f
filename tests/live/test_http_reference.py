"""
The HTTP server against the reference's exchanges, byte for byte, as seen from a client's socket.

The figures are those of the captures that netlab re-creates; the two pages are written out here, so
that a change to htdocs/ shows.
"""

from __future__ import annotations

import time

import pytest
from twisted.internet.defer import gatherResults
from twisted.internet.threads import deferToThread

from tests.live.conftest import StartServer
from tests.live.processes import Server
from tests.live.sockets import (
    TCP_CLOSE_WAIT,
    client_of,
    is_quiet,
    receive,
    receive_all,
    tcp_state,
)

REQUEST_LINES = (b"GET / HTTP/1.1\r\n", b"Host: localhost\r\n", b"Connection: keep-alive\r\n")
REQUEST = b"".join(REQUEST_LINES) + b"\r\n"

INDEX = b"""\
<!DOCTYPE html>
<html lang="en">
<head>
    <meta charset="UTF-8">
    <title>Network Assignment</title>
</head>
<body>
    <h1>Hello World</h1>
    <!-- <img src="wow.jpg" alt="Test Image"> -->
</body>
</html>"""
RESULT = b"""\
<h1>Success!</h1>
<p>You have been redirected to result.html</p>"""

OK, KEPT, CLOSED = b"HTTP/1.1 200 OK\r\n", b"Connection: keep-alive\r\n", b"Connection: close\r\n"
MOVED = b"HTTP/1.1 301 Moved Permanently\r\n"
LOCATION = b"Location: /result.html\r\n"
MISSING = b"HTTP/1.1 404 Not Found\r\n"


def asking_for(path: bytes) -> bytes:
    """
    Write the reference client's request for a path.
    """
    return REQUEST.replace(b"GET / ", b"GET %b " % path)


def test_request_figures() -> None:
    """
    The reference client's request has 59 bytes: 16 + 17 + 24 + 2.
    """
    assert [len(line) for line in REQUEST_LINES] == [16, 17, 24]
    assert len(REQUEST) == 59


def test_page_figures() -> None:
    """
    The two pages have 210 and 64 bytes.
    """
    assert (len(INDEX), len(RESULT)) == (210, 64)


async def test_answers(twistd: StartServer) -> None:
    """
    With --bare-headers each of the four answers is the reference's to the byte: 274, 127, 77 and 45
    bytes, made of lines of the reference's lengths. The 301 and the 404 are followed by the end of
    the stream although the client said keep-alive.
    """
    server = await twistd("netlab-http", "--bare-headers")
    index_length, result_length = b"Content-Length: 210\r\n", b"Content-Length: 64\r\n"
    cases = [
        # path, lines of the head with their lengths, content, length of head and answer
        (b"/", [(OK, 17), (KEPT, 24), (index_length, 21)], INDEX, 64, 274),
        (b"/index.html", [(OK, 17), (KEPT, 24), (index_length, 21)], INDEX, 64, 274),
        (b"/result.html", [(OK, 17), (KEPT, 24), (result_length, 20)], RESULT, 63, 127),
        (b"/redirect", [(MOVED, 32), (CLOSED, 19), (LOCATION, 24)], b"", 77, 77),
        (b"/missing", [(MISSING, 24), (CLOSED, 19)], b"", 45, 45),
    ]
    for path, lines, content, head_bytes, answer_bytes in cases:
        assert [len(line) for line, _ in lines] == [length for _, length in lines]
        head = b"".join(line for line, _ in lines) + b"\r\n"
        assert (len(head), len(head + content)) == (head_bytes, answer_bytes)

        def talk(path: bytes, closes: bool, count: int) -> bytes:
            with client_of(server) as client:
                client.sendall(asking_for(path))
                answer = receive(client, count)
                if closes:
                    assert receive_all(client) == b""
                    assert tcp_state(client) == TCP_CLOSE_WAIT
                return answer

        is_last = (CLOSED, 19) in lines
        assert await deferToThread(talk, path, is_last, answer_bytes) == head + content


async def test_connection_is_what_the_request_said(twistd: StartServer) -> None:
    """
    With --bare-headers the Connection field of a 200 repeats the request's, in its own letters.
    """
    server = await twistd("netlab-http", "--bare-headers")

    def talk(said: bytes) -> bytes:
        with client_of(server) as client:
            client.sendall(REQUEST.replace(b"keep-alive", said))
            return receive(client, 274 - len(b"keep-alive") + len(said))

    for said in (b"keep-alive", b"Keep-Alive", b"close"):
        answer = await deferToThread(talk, said)
        assert answer == OK + b"Connection: %b\r\nContent-Length: 210\r\n\r\n" % said + INDEX


def seconds_to_end(server: Server, first: bytes) -> float:
    """
    Send something, and wait until the server ends its side without a byte.

    @return: how long that took, from before the sending.
    """
    with client_of(server) as client:
        begin = time.monotonic()
        client.sendall(first)
        assert receive_all(client) == b""
        assert tcp_state(client) == TCP_CLOSE_WAIT
        return time.monotonic() - begin


async def test_empty_request(twistd: StartServer) -> None:
    """
    A connection that carries no request, as a browser's spare one, is ended by the idle timeout of
    1 s without a byte; an empty line is no request.
    """
    server = await twistd("netlab-http", "--bare-headers")
    nothings = [deferToThread(seconds_to_end, server, nothing) for nothing in (b"", b"\r\n")]
    for seconds in await gatherResults(nothings):
        # No sooner; how much later depends on the machine, and the tests with a clock of their own
        # have that.
        assert seconds > 0.9


async def test_single_fin(twistd: StartServer) -> None:
    """
    single_fin: two requests 0.1 s apart on one connection, each answered by 274 bytes; then the
    server, not the client, ends the connection when it has been idle for 1 s, and only then the
    client.
    """
    server = await twistd("netlab-http", "--bare-headers")

    def talk() -> bool:
        with client_of(server) as client:
            client.sendall(REQUEST)
            first = receive(client, 274)
            if not is_quiet(client, 0.1):
                return False
            begin = time.monotonic()
            client.sendall(REQUEST)
            assert receive(client, 274) == first
            assert first.endswith(INDEX)
            assert receive_all(client) == b""
            # No sooner, as above.
            assert time.monotonic() - begin > 0.9
            assert tcp_state(client) == TCP_CLOSE_WAIT
        return True

    # A machine that stands still for most of a second between the two requests makes another story
    # of it; it does not do so each time.
    for _ in range(5):
        if await deferToThread(talk):
            return
    pytest.fail("the connection never stayed open for 0.1 s")


async def test_double_fin(twistd: StartServer) -> None:
    """
    double_fin: the client waits past the timeout and finds its connection ended; it ends its side
    too and opens another, where it is answered as before, and this time ends first.
    """
    server = await twistd("netlab-http", "--bare-headers")

    def talk() -> None:
        with client_of(server) as client:
            client.sendall(REQUEST)
            answer = receive(client, 274)
            assert receive_all(client) == b""
            assert tcp_state(client) == TCP_CLOSE_WAIT
            client.close()
            with client_of(server) as another:
                another.sendall(REQUEST)
                assert receive(another, 274) == answer
                another.shutdown(1)
                assert receive_all(another) == b""

    await deferToThread(talk)
