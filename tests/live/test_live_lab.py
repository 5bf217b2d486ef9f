"""
The live laboratory: its page in a real browser, its events over real sockets, and who is refused.

Pictures are kept under artefacts/browser/.
"""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Iterator
from os.path import exists
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from netlab.report.reading import read_story
from tests.live.conftest import StartServer
from tests.live.devtools import Browser, browser
from tests.live.hosts import NEEDS_HOSTS
from tests.live.processes import Server
from tests.live.sockets import receive_all, receive_answer, socket_to
from tests.live.tools import NEEDS_CHROMIUM

_ROWS = "document.querySelectorAll('#ladder [data-n]').length"
_ARROWS = "document.querySelectorAll('#ladder line[marker-end]').length"
_FLYING = "document.querySelectorAll('#ladder .flying').length"
_STATUS = "document.getElementById('status').textContent"
_SAID = "document.querySelector('[role=status]').textContent"
_PHASE = "document.getElementById('phase').textContent"
_HAS_RESULT = "!document.getElementById('result').hidden"
_FOCUS = "document.activeElement.id"


#: One browser for all.
pytestmark = pytest.mark.xdist_group("live-lab")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """
    Start one browser for all tests here.
    """
    with browser(tmp_path_factory.mktemp("live") / "browser") as found:
        yield found


def ask(server: Server, head: str, content: str = "") -> tuple[bytes, bytes]:
    """
    Send a request as it is written, and give the answer's head and content.

    @param head: without the field of the content's length.
    """
    length = f"Content-Length: {len(content)}\r\n" if content else ""
    with socket_to(server.host, server.port) as client:
        client.sendall(f"{head}\r\n{length}\r\n{content}".encode())
        return receive_answer(client)


def token_of(server: Server) -> str:
    """
    Read the token as the page does.
    """
    _, page = ask(server, f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}")
    match = re.search(rb'data-token="([^"]+)"', page)
    assert match is not None
    return match[1].decode()


@pytest.mark.slow
async def test_who_is_refused(twistd: StartServer) -> None:
    """
    A request by another name, of another site, of another origin or without this start's token gets
    403, and nothing runs; our page's own gets what it wants.
    """
    server = await twistd("netlab-lab", "--isolation", "none")

    def attack() -> None:
        token = token_of(server)
        ours = f"Host: 127.0.0.1:{server.port}"
        knows = f"X-Netlab-Token: {token}"
        order = '{"experiment":"echo"}'
        for lines in (
            ("Host: rebound.example", knows),
            (ours, f"Origin: http://127.0.0.1:{server.port + 1}", knows),
            (ours, "Origin: http://evil.example", knows),
            (ours, "Origin: null", knows),
            (ours, "Sec-Fetch-Site: cross-site", knows),
            (ours, "Sec-Fetch-Site: same-site", knows),
            (ours,),
            (ours, "X-Netlab-Token: guessed"),
        ):
            head = "\r\n".join(("POST /run HTTP/1.1", *lines))
            assert ask(server, head, order)[0].startswith(b"HTTP/1.1 403 "), lines
        for path in ("/", "/events", "/results/echo/client.pcapng"):
            head = f"GET {path} HTTP/1.1\r\nHost: rebound.example"
            assert ask(server, head)[0].startswith(b"HTTP/1.1 403 "), path
        head = f"POST /stop HTTP/1.1\r\n{ours}\r\n{knows}"
        answer = ask(server, head, "{}")
        assert answer[0].startswith(b"HTTP/1.1 409 "), "something runs"
        assert token_of(server) == token

    await deferToThread(attack)
    other = await twistd("netlab-lab", "--isolation", "none")
    assert await deferToThread(token_of, other) != await deferToThread(token_of, server)


def read_events(client: socket.socket, last: str) -> list[tuple[str, dict[str, Any]]]:
    """
    Read events up to the first of a type.
    """
    received = b""
    while f"event: {last}\n".encode() not in received or not received.endswith(b"\n\n\r\n"):
        data = client.recv(65536)
        assert data, received[-2000:]
        received += data
    found = re.findall(rb"event: (\w+)\nid: [0-9-]+\ndata: (.*)\n\n", received)
    return [(name.decode(), json.loads(data)) for name, data in found]


@pytest.mark.slow
async def test_without_hosts(twistd: StartServer, tmp_path: Path) -> None:
    """
    Where there can be no hosts the page is told so, and sees what the relay and the programs say;
    what programs printed is kept where --out says. A second order meanwhile gets 409.
    """
    out = tmp_path / "kept"
    server = await twistd("netlab-lab", "--isolation", "none", "--out", str(out))

    def run() -> list[tuple[str, dict[str, Any]]]:
        token = token_of(server)
        ours = f"Host: localhost:{server.port}\r\nX-Netlab-Token: {token}"
        order = '{"experiment":"echo"}'
        head = f"POST /run HTTP/1.1\r\n{ours}"
        with socket_to(server.host, server.port) as client:
            client.sendall(
                f"GET /events HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode()
            )
            assert ask(server, head, order)[0].startswith(b"HTTP/1.1 202 ")
            again = ask(server, head, order)
            assert again[0].startswith(b"HTTP/1.1 409 ")
            assert b"echo is running" in again[1]
            return read_events(client, "end")

    events = await deferToThread(run)
    (place, *_) = [data for name, data in events if name == "place"]
    assert place["isolation"] == "none"
    assert "loopback" in place["text"]
    said = [data["what"] for name, data in events if name == "passage"]
    assert said[0] == "connects"
    assert any("A MESSAGE OF THIRTY-THREE LETTERS" in what for what in said)
    (end,) = [data for name, data in events if name == "end"]
    assert end["files"] == ["output.txt", "trace.txt", "verdict.json"]
    assert (out / "echo" / "trace.txt").is_file()
    assert (out / "index.html").is_file()
    done = await server.stop()
    assert "Traceback" not in done.out
    assert (out / "echo" / "trace.txt").is_file()


@NEEDS_HOSTS
@pytest.mark.slow
async def test_stop_while_it_runs(twistd: StartServer) -> None:
    """
    A laboratory that is told to stop ends its run and shows that to whoever looks on; nothing is
    left of it.
    """
    server = await twistd("netlab-lab")
    folder = (await server.line(r"Results go to (\S+) until this ends"))[1]
    await server.line("Two hosts in namespaces")

    def begin(client: socket.socket) -> None:
        ours = f"Host: localhost:{server.port}"
        client.sendall(f"GET /events HTTP/1.1\r\n{ours}\r\n\r\n".encode())
        head = f"POST /run HTTP/1.1\r\n{ours}\r\nX-Netlab-Token: {token_of(server)}"
        order = '{"experiment":"echo","knobs":{"delay":"5s"}}'
        assert ask(server, head, order)[0].startswith(b"HTTP/1.1 202 ")
        read_events(client, "sent")

    with socket_to(server.host, server.port) as client:
        await deferToThread(begin, client)
        done = await server.stop()
        rest = await deferToThread(receive_all, client)
    assert b'"is_stopped":true' in rest
    assert rest.endswith(b"\r\n0\r\n\r\n")
    assert "Traceback" not in done.out
    assert not await deferToThread(exists, folder)


@NEEDS_HOSTS
@NEEDS_CHROMIUM
@pytest.mark.slow
async def test_by_keyboard(twistd: StartServer, chromium: Browser, tmp_path: Path) -> None:
    """
    By keys alone: an experiment is chosen, a knob is turned, the ladder fills, is paused, stepped
    and replayed; the capture that is downloaded shows what the page showed.
    """
    server = await twistd("netlab-lab")
    await deferToThread(_use, chromium, server, tmp_path)
    done = await server.stop(signal.SIGINT)
    assert "Traceback" not in done.out


def _use(chromium: Browser, server: Server, tmp_path: Path) -> None:
    origin = f"http://127.0.0.1:{server.port}/"
    chromium.requested.clear()
    chromium.complaints.clear()
    chromium.dark(False)
    chromium.open(origin, 1400, 1000)
    chromium.wait(f"{_PHASE} === ''")

    def tab_to(name: str) -> None:
        for _ in range(12):
            chromium.press("Tab")
            if chromium.ask(_FOCUS) == name:
                return
        raise AssertionError(f"no way to {name} by keys")

    tab_to("experiment")
    chromium.press("ArrowDown")
    assert chromium.ask("document.getElementById('experiment').value") == "single_fin"
    chromium.press("ArrowUp")
    assert "same moment" in chromium.ask("document.getElementById('question').textContent")
    tab_to("run")
    chromium.press("Tab")
    chromium.press("Enter")
    assert chromium.ask("document.getElementById('wire').open")
    tab_to("knob-delay")
    chromium.type("20ms")
    chromium.press("Enter")
    chromium.wait(f"{_ROWS} >= 1")
    chromium.ask("document.getElementById('pace').focus()")
    chromium.press("ArrowDown")
    chromium.press("ArrowDown")
    assert chromium.ask("document.getElementById('pace').value") == "true"
    chromium.wait(_HAS_RESULT)
    assert re.fullmatch(r"As expected: \d+ of \d+\. \d+ segments in all\.", chromium.ask(_STATUS))
    verdict = chromium.ask("document.getElementById('verdict').textContent")
    assert verdict.startswith("As expected: ")
    total = chromium.ask(_ROWS)
    assert total >= 11
    assert chromium.ask(_ARROWS) == total
    assert chromium.ask("document.getElementById('wire-says').textContent").startswith(
        "both directions: 20 ms delay"
    )

    chromium.ask("document.activeElement.blur()")
    chromium.press("p")
    chromium.press("a")
    assert chromium.ask(_ROWS) == 0
    for _ in range(20):
        if chromium.ask(_ROWS):
            break
        chromium.press("s")
    assert (chromium.ask(_ROWS), chromium.ask(_FLYING), chromium.ask(_ARROWS)) == (1, 1, 0)
    assert chromium.ask(_STATUS).startswith("#1, client to server: SYN")
    assert chromium.ask(_SAID) == chromium.ask(_STATUS)
    moving = "document.getAnimations().length"
    assert chromium.ask(moving) > 0
    still = {"name": "prefers-reduced-motion", "value": "reduce"}
    chromium.call("Emulation.setEmulatedMedia", features=[still])
    assert chromium.ask(moving) == 0
    chromium.dark(False)
    chromium.press("s")
    assert (chromium.ask(_ROWS), chromium.ask(_FLYING), chromium.ask(_ARROWS)) == (1, 0, 1)
    assert re.match(r"#1 arrives after [\d.]+ m?s$", chromium.ask(_STATUS))
    chromium.press("a")
    chromium.press("p")
    assert chromium.ask(_ROWS) < total
    chromium.wait(f"{_ROWS} === {total} && {_HAS_RESULT}")

    for _ in range(4):
        chromium.press("ArrowDown")
    assert chromium.ask("document.querySelector('[aria-current]').id") == "f4"
    detail = chromium.ask("document.getElementById('detail').innerText")
    assert "33 bytes" in detail
    assert re.search(r"on the wire\s+[\d.]+ m?s", detail)
    assert re.search(r"in client\.pcapng\s+#4", detail)
    for is_dark in (False, True):
        chromium.dark(is_dark)
        chromium.ask("document.getAnimations().forEach((one) => one.finish())")
        paper = chromium.ask("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(17, 20, 26)" if is_dark else "rgb(250, 249, 246)")
        chromium.picture(f"live-echo-{'dark' if is_dark else 'light'}")
    chromium.dark(False)

    tree = chromium.call("Accessibility.getFullAXTree")["nodes"]
    named = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree
        if not node["ignored"]
    ]
    for role in ("textbox", "combobox", "button", "link"):
        names = [name for each, name in named if each == role]
        assert names, role
        assert all(names), role
    assert any(role == "status" for role, _ in named)

    offered = chromium.ask("[...document.querySelectorAll('#files a')].map((e) => e.textContent)")
    assert offered[:4] == [
        "open the report at the client",
        "open the report at the server",
        "client.pcapng",
        "server.pcapng",
    ]
    assert len(offered) == len(set(offered)) == 10

    folder = tmp_path / "downloads"
    folder.mkdir()
    path = chromium.download(
        folder, "document.querySelector('#files a[download$=\"client.pcapng\"]').click()"
    )
    story = read_story(str(path)).story
    (conversation,) = story.conversations
    assert len(conversation.frames) == total
    assert "simultaneous" in conversation.title
    labels = chromium.ask(
        "[...document.querySelectorAll('#ladder .lab')].map((e) => e.textContent)"
    )
    assert sorted(labels) == sorted(frame.label for frame in conversation.frames)

    # Shut off from the page as it is, the report works.
    chromium.open(f"{origin}results/echo/report.html", 1400, 1000)
    chromium.press("ArrowDown")
    assert chromium.ask("document.querySelector('[aria-current]').id") == "f1"
    assert chromium.ask("self.origin") == "null"
    # Its links would be refused here.
    assert chromium.ask("document.getElementById('beside')") is None

    chromium.open(origin, 380, 900)
    chromium.wait(f"{_ROWS} === {total}")
    assert chromium.ask("document.documentElement.scrollWidth") <= 380
    chromium.picture("live-echo-380")
    assert all(url.startswith(origin) for url in chromium.requested if url != "data:,")
    assert chromium.complaints == []


@NEEDS_HOSTS
@NEEDS_CHROMIUM
@pytest.mark.slow
async def test_one_at_a_time(twistd: StartServer, chromium: Browser, tmp_path: Path) -> None:
    """
    A second page sees the run of the first from its beginning; ordering another one meanwhile says
    clearly why not; stop ends it. What was found is gone with the server, if nobody wants to keep
    it.
    """
    server = await twistd("netlab-lab")

    def use() -> None:
        chromium.complaints.clear()
        chromium.open(f"http://127.0.0.1:{server.port}/", 1400, 1000)
        chromium.wait(f"{_PHASE} === ''")
        chromium.ask("document.getElementById('knob-delay').value = '5s'")
        chromium.ask("document.getElementById('run').click()")
        chromium.wait(f"{_ROWS} >= 1")
        chromium.open("about:blank", 1400, 1000)
        chromium.open(f"http://127.0.0.1:{server.port}/", 1400, 1000)
        chromium.wait(f"{_ROWS} >= 1 && {_PHASE} === 'running…'")
        chromium.ask("document.getElementById('run').click()")
        chromium.wait("document.getElementById('problem').textContent !== ''")
        problem = chromium.ask("document.getElementById('problem').textContent")
        assert problem == "echo is running; wait for its end, or stop it"
        chromium.picture("live-refused")
        chromium.ask("document.getElementById('stop').click()")
        chromium.wait(_HAS_RESULT)
        assert chromium.ask("document.getElementById('verdict').textContent") == "Stopped."

    folder = (await server.line(r"Results go to (\S+) until this ends"))[1]
    await deferToThread(use)
    assert await deferToThread(exists, folder)
    done = await server.stop()
    assert "Traceback" not in done.out
    assert not await deferToThread(exists, folder)
