"""
The program of docs/streams.md, run as it stands there.
"""

from __future__ import annotations

import re
import shutil
import socket
from hashlib import sha256

import pytest
from twisted.internet.threads import deferToThread

from tests.live.conftest import RunCommand, StartDocumented
from tests.live.processes import TOP, Program
from tests.live.sockets import receive_all, receive_answer, receive_head, request, socket_to

PAGE = (TOP / "docs" / "streams.md").read_text(encoding="utf-8")
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def until(client: socket.socket, what: bytes) -> bytes:
    """
    Receive until something has come.
    """
    received = b""
    while what not in received:
        data = client.recv(65536)
        assert data, f"the end came before {what!r}: {received!r}"
        received += data
    return received


def post(client: socket.socket, path: str, content: bytes) -> None:
    """
    Send content on a persistent connection.
    """
    client.sendall(
        b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
        % (path.encode(), len(content))
    )
    client.sendall(content)


async def ended_without_failure(program: Program) -> None:
    """
    Stop the program; nothing was wrong in it.
    """
    await program.stop()
    assert "Traceback" not in "\n".join(program.lines) + program.errors


@needs_curl
async def test_shown_commands(start_documented: StartDocumented, command: RunCommand) -> None:
    """
    The commands that the page shows give what it shows.
    """
    program = start_documented(PROGRAM)
    port = await program.port()
    shown = PAGE.partition("```console\n")[2].partition("```")[0]
    parts = re.split(r"^\$ (.*)\n", shown, flags=re.MULTILINE)[1:]
    assert len(parts) == 4
    for line, output in zip(parts[::2], parts[1::2], strict=True):
        words = line.replace("localhost:8080", f"127.0.0.1:{port}").replace(
            "curl ", "curl --noproxy '*' "
        )
        done = await command("sh", "-c", words)
        assert done.out == output
    await ended_without_failure(program)


async def test_events(start_documented: StartDocumented) -> None:
    """
    What one client posts all readers are shown at once, and a reader that has gone is forgotten.
    """
    program = start_documented(PROGRAM)
    port = await program.port()

    def exchange() -> None:
        with socket_to("127.0.0.1", port) as reader, socket_to("127.0.0.1", port) as writer:
            other = socket_to("127.0.0.1", port)
            for one in (reader, other):
                one.sendall(request("/words"))
                head = until(one, b"\r\n\r\n")
                assert b"\r\nContent-Type: text/event-stream\r\n" in head
                assert b"\r\nTransfer-Encoding: chunked\r\n" in head
            for word in (b"one", b"two\nlines"):
                post(writer, "/words", word)
                assert receive_head(writer).startswith(b"HTTP/1.1 204 ")
                event = b"data: " + word.replace(b"\n", b"\ndata: ") + b"\n\n"
                for one in (reader, other):
                    assert until(one, event + b"\r\n").startswith(b"%x\r\n" % len(event))
            other.close()
            for word in (b"three", b"four"):
                post(writer, "/words", word)
                assert receive_head(writer).startswith(b"HTTP/1.1 204 ")
                until(reader, b"data: " + word)

    await deferToThread(exchange)
    await ended_without_failure(program)


async def test_large(start_documented: StartDocumented) -> None:
    """
    Megabytes go up while their digest is made, and come down for as long as the client reads.
    """
    program = start_documented(PROGRAM)
    port = await program.port()
    content = b"0123456789abcdef" * 60_000

    def exchange() -> None:
        with socket_to("127.0.0.1", port) as client:
            post(client, "/digest", content)
            assert receive_answer(client)[1] == sha256(content).hexdigest().encode() + b"\n"
        with socket_to("127.0.0.1", port) as client:
            client.sendall(b"GET /numbers HTTP/1.0\r\n\r\n")
            received = until(client, b"\r\n\r\n").partition(b"\r\n\r\n")[2]
            while len(received) < 500_000:
                received += client.recv(65536)
            numbers = received.split(b"\n")[:-1]
            assert numbers == [b"%d" % (i + 1) for i in range(len(numbers))]

    await deferToThread(exchange)
    await ended_without_failure(program)


async def test_stop(start_documented: StartDocumented) -> None:
    """
    An endless answer that the stop of the process cuts does not look complete.
    """
    program = start_documented(PROGRAM)
    port = await program.port()
    with socket_to("127.0.0.1", port) as client:
        client.sendall(request("/words"))
        await deferToThread(until, client, b"\r\n\r\n")
        await program.stop()
        try:
            rest = await deferToThread(receive_all, client)
        except ConnectionResetError:
            rest = b""
        assert not rest.endswith(b"0\r\n\r\n")
