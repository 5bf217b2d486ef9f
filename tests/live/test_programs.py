"""
C{twistd netlab-http} with other people's programs: C{--asgi}, C{--wsgi}, C{--resource}, C{--mount}.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from twisted.internet.threads import deferToThread

from tests.certificates import Authority
from tests.live.conftest import RunCommand, StartServer
from tests.live.processes import PATIENCE_SECONDS, Server, twistd_arguments
from tests.live.sockets import receive_all, request

PROGRAMS = """
import asyncio
import io
import json
import os
import tempfile
from wsgiref.validate import validator

from netlab.http1.resources.responses import Response

ended = []


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["name"] = "put aside"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("the application tidies up", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/pieces":
        await send({"type": "http.response.start", "status": 200})
        for number in range(3):
            await asyncio.sleep(0)
            piece = {"body": b"%d\\n" % number, "more_body": True}
            await send({"type": "http.response.body", **piece})
        await send({"type": "http.response.body"})
        return
    if scope["path"] == "/waits":
        print("the application waits", flush=True)
        await receive()
        message = await receive()
        print("the application hears", message["type"], flush=True)
        return
    content = b""
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            break
    scope["extensions"].get("tls", {}).pop("client_cert_chain", None)
    known = {name: scope[name] for name in ("scheme", "client", "server", "root_path", "path")}
    known |= {"length": len(content), "pid": os.getpid(), "state": scope["state"]["name"]}
    known["tls"] = scope["extensions"].get("tls")
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": json.dumps(known).encode()})


async def asgi_that_cannot_start(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "the database is not there"})


@validator
def wsgi(environ, start_response):
    fields = [("Content-Type", "text/plain")]
    if environ["PATH_INFO"] == "/pieces":
        start_response("200 OK", fields)
        return (b"%d\\n" % number for number in range(3))
    if environ["PATH_INFO"] == "/written":
        write = start_response("200 Fine", fields)
        write(b"written")
        return [b" and returned"]
    if environ["PATH_INFO"] == "/fails":
        start_response("200 OK", fields)
        raise ZeroDivisionError("a secret")
    content = environ["wsgi.input"].read(4) + b"|" + environ["wsgi.input"].readline(10**9)
    names = ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "HTTP_X_A", "wsgi.url_scheme")
    known = {name: environ.get(name) for name in names}
    start_response("200 OK", fields)
    return [json.dumps(known | {"length": len(content) - 1}).encode()]


def sends_file(environ, start_response):
    file = tempfile.TemporaryFile()
    file.write(b"x" * 300_000 + b"end")
    file.seek(100_000)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return environ["wsgi.file_wrapper"](file)


def never_ends(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    def pieces():
        try:
            while True:
                yield b"x" * 65536
        finally:
            print("the generator is closed", flush=True)
    return pieces()


class Greeting:
    def for_connection(self, facts):
        return GreetingFor(facts)

    def respond(self, head):
        raise AssertionError


class GreetingFor:
    def __init__(self, facts):
        self.facts = facts

    def respond(self, head):
        facts = self.facts
        tls = facts.tls
        known = [facts.client, facts.server, facts.number, None]
        if tls is not None:
            known[3] = [tls.version, tls.application_protocol, tls.peer_certificate is not None]
        return Response(200, content=json.dumps(known).encode())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    Write the programs where servers start.
    """
    (tmp_path / "made.py").write_text(PROGRAMS)
    return tmp_path


class Answer(NamedTuple):
    """
    An answer.
    """

    status: int
    reason: str
    fields: Message
    content: bytes


def talk(
    server: Server, path: str, content: bytes | None = None, fields: Mapping[str, str] = {}
) -> Answer:
    """
    Ask on a connection of its own: POST if there is content.
    """
    method = "GET" if content is None else "POST"
    with closing(HTTPConnection(server.host, server.port, timeout=PATIENCE_SECONDS)) as client:
        client.request(method, path, content, fields)
        answer = client.getresponse()
        return Answer(answer.status, answer.reason, answer.msg, answer.read())


async def get(server: Server, path: str, fields: Mapping[str, str] = {}) -> Answer:
    """
    Ask for a path.
    """
    return await deferToThread(talk, server, path, None, fields)


async def known(
    server: Server, path: str = "/", content: bytes | None = None, fields: Mapping[str, str] = {}
) -> Any:
    """
    Ask for what a program knows.
    """
    answer = await deferToThread(talk, server, path, content, fields)
    assert answer.status == 200, answer
    return json.loads(answer.content)


def in_thread(call: Callable[..., Any], *arguments: Any) -> Any:
    """
    Call what blocks.
    """
    return deferToThread(call, *arguments)


async def test_asgi(folder: Path, twistd: StartServer) -> None:
    """
    An ASGI application answers, with all of a scope, content, pieces, its state; it hears of a
    client that has gone, and tidies up at the end.
    """
    server = await twistd("netlab-http", "--asgi", "made:asgi")
    scope = await known(server, "/x%20y")
    assert (scope["scheme"], scope["path"], scope["root_path"]) == ("http", "/x y", "")
    assert scope["server"] == [server.host, server.port]
    assert scope["state"] == "put aside"
    assert (await known(server, "/", b"z" * 100_000))["length"] == 100_000
    answer = await get(server, "/pieces")
    assert (answer.fields["Transfer-Encoding"], answer.content) == ("chunked", b"0\n1\n2\n")
    with socket.create_connection((server.host, server.port), PATIENCE_SECONDS) as client:
        client.sendall(request("/waits"))
        await server.line("the application waits")
    await server.line("the application hears http.disconnect")
    await server.stop()
    assert any("the application tidies up" in line for line in server.lines)


async def test_workers(folder: Path, twistd: StartServer) -> None:
    """
    Each worker has the application, started before it serves.
    """
    server = await twistd("netlab-http", "--asgi", "made:asgi", "--workers", "2")
    await server.line(re.compile(r"worker (\d+) serves$"), times=2)
    seen = {(await known(server))["pid"] for _ in range(50)}
    assert len(seen) == 2
    await server.stop()
    assert sum("the application tidies up" in line for line in server.lines) == 2


async def test_wsgi(folder: Path, twistd: StartServer) -> None:
    """
    A WSGI application that wsgiref.validate watches answers: whole, in pieces, and by write.
    """
    server = await twistd("netlab-http", "--wsgi", "made:wsgi")
    environ = await known(server, "/x%20y?a=b", fields={"X-A": "1"})
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/x y", "a=b")
    assert (environ["HTTP_X_A"], environ["wsgi.url_scheme"]) == ("1", "http")
    for size in (3, 1000, 900_000):
        assert (await known(server, "/", b"z" * size))["length"] == size
    assert (await get(server, "/pieces")).content == b"0\n1\n2\n"
    answer = await get(server, "/written")
    assert (answer.reason, answer.content) == ("Fine", b"written and returned")
    answer = await get(server, "/fails")
    assert (answer.status, b"secret" in answer.content) == (500, False)
    await server.line("ZeroDivisionError: a secret")
    assert not any("AssertionError" in line for line in server.lines)


async def test_wsgi_file(folder: Path, twistd: StartServer) -> None:
    """
    A file of the wrapper is sent from where it stands to its end, with its length.
    """
    server = await twistd("netlab-http", "--wsgi", "made:sends_file")
    answer = await get(server, "/")
    assert answer.fields["Content-Length"] == "200003"
    assert answer.content == b"x" * 200_000 + b"end"


async def test_wsgi_client_goes(folder: Path, twistd: StartServer) -> None:
    """
    What sends without end is ended when its client goes.
    """
    server = await twistd("netlab-http", "--wsgi", "made:never_ends")

    def read_some() -> None:
        with socket.create_connection((server.host, server.port), PATIENCE_SECONDS) as client:
            client.sendall(request("/"))
            received = 0
            while received < 1 << 20:
                received += len(client.recv(65536))

    await in_thread(read_some)
    await server.line("the generator is closed")


async def test_mounts(folder: Path, twistd: StartServer) -> None:
    """
    Several programs stand beside files; the longest path wins.
    """
    server = await twistd(
        "netlab-http",
        *("--mount", "/a=asgi:made:asgi", "--mount", "/a/w=wsgi:made:wsgi"),
        *("--mount", "/who=resource:made:Greeting"),
    )
    scope = await known(server, "/a/x")
    assert (scope["root_path"], scope["path"]) == ("/a", "/a/x")
    environ = await known(server, "/a/w/x")
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/a/w", "/x")
    client, place, number, tls = await known(server, "/who")
    assert (client[0], place) == (server.host, [server.host, server.port])
    assert (number, tls) == (3, None)
    assert (await get(server, "/result.html")).status == 200


@pytest.mark.parametrize("transport", [(), ("--stock-transport",)], ids=["ours", "stock"])
async def test_tls(transport: tuple[str, ...], folder: Path, twistd: StartServer) -> None:
    """
    Programs know of TLS, whoever does it: version, ALPN, and whether the client has a certificate.
    """
    authority = Authority()
    authority.write(folder / "authority.pem")
    authority.issue(folder, "localhost")
    listen = "tcp:0:interface=127.0.0.1"
    if transport:
        listen = "ssl:0:interface=127.0.0.1:privateKey=key.pem:certKey=cert.pem"
    options = () if transport else ("--tls-cert", "cert.pem", "--tls-key", "key.pem")
    more = () if transport else ("--client-ca", "authority.pem")
    server = await twistd(
        "netlab-http",
        *("--resource", "made:Greeting", "--listen", listen),
        *(*options, *more, *transport),
    )

    def ask() -> Any:
        context = ssl.create_default_context(cafile=folder / "authority.pem")
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        with (
            socket.create_connection((server.host, server.port), PATIENCE_SECONDS) as client,
            context.wrap_socket(client, server_hostname="localhost") as secured,
        ):
            secured.sendall(request("/", "Connection: close"))
            return json.loads(receive_all(secured).rpartition(b"\r\n\r\n")[2])

    assert (await in_thread(ask))[3] == ["TLSv1.3", "http/1.1", not transport]


async def test_does_not_start(folder: Path, command: RunCommand) -> None:
    """
    Each thing that keeps a program from starting is one line, and exit status 1.
    """
    (folder / "broken.py").write_text("import json\n\njson.loads('')\n")
    (folder / "unwritten.py").write_text("def f(:\n")
    (folder / "needs.py").write_text("import surely_not_there\n")
    for options, pattern in (
        (("--asgi", "made:asgi_that_cannot_start"), "the database is not there"),
        (("--asgi", "made"), "not the name of a program"),
        (("--asgi", "nowhere:app"), "there is no module nowhere"),
        (("--asgi", "made:nothing"), "made has no nothing"),
        (("--wsgi", "made:ended"), "cannot be called"),
        (("--wsgi", "broken:app"), r"JSONDecodeError: .*decoder\.py, line"),
        (("--wsgi", "unwritten:app"), r"SyntaxError: .*unwritten\.py, line 1"),
        (("--wsgi", "needs:app"), r"surely_not_there.*needs\.py, line 1"),
        (("--resource", "made:ended"), "neither a resource"),
        (("--asgi", "made:asgi", "--root", "."), "nothing of --root would be served"),
        (("--asgi", "made:asgi", "--wsgi", "made:wsgi"), "at the same path"),
        (("--mount", "api=asgi:made:asgi"), "not a mount"),
        (("--mount", "/a//b=asgi:made:asgi"), "empty segment"),
        (("--mount", "/a=php:made:asgi"), "not a mount"),
    ):
        listen = ("--listen", "tcp:0:interface=127.0.0.1")
        words = twistd_arguments("-n", "--pidfile=", "netlab-http", *listen, *options)
        done = await command(sys.executable, *words)
        assert done.status == 1, (options, done)
        last = (done.out + done.err).strip().splitlines()[-1]
        assert re.search(pattern, last), (options, done)
        assert "Traceback" not in done.err or options[1].startswith(
            ("broken", "unwritten", "needs")
        )


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_upload_by_curl(folder: Path, twistd: StartServer, command: RunCommand) -> None:
    """
    curl, which waits for 100 before it sends much, gets it and sends all.
    """
    (folder / "large").write_bytes(bytes(900_000))
    server = await twistd("netlab-http", "--asgi", "made:asgi")
    url = f"http://{server.host}:{server.port}/"
    words = ("--data-binary", "@large", "--header", "Expect: 100-continue", url)
    done = await command("curl", "--silent", "--show-error", "--max-time", "30", *words)
    assert json.loads(done.out)["length"] == 900_000
