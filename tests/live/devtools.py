"""
A real browser driven by keys and looked at, by Chromium's DevTools protocol over two pipes.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.live.processes import PATIENCE_SECONDS
from tests.live.tools import ARTEFACTS, CHROMIUM, CHROMIUM_OPTIONS

#: The protocol's names of keys that are no letters, with their virtual key codes.
_KEYS = {
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
    "End": 35,
    "Enter": 13,
    "Escape": 27,
    "Home": 36,
    "Tab": 9,
}


class Browser:
    """
    A browser with one page.

    @ivar requested: What the page asked for, by URL.
    @ivar complaints: What the page's console says, exceptions included.
    @ivar downloads: How each download is going, by an identifier.
    """

    def __init__(self, reads: int, writes: int) -> None:
        self.requested: list[str] = []
        self.complaints: list[str] = []
        self.downloads: dict[str, str] = {}
        self._reads = reads
        self._writes = writes
        self._buffer = b""
        self._number = 0
        self._session: str | None = None

    def begin(self) -> None:
        """
        Attach to a new page.
        """
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def open(self, url: str, width: int, height: int) -> None:
        """
        Open a page and wait until it is loaded.

        @param url: Where it is.
        @param width: The window's, in pixels.
        @param height: The window's, in pixels.
        """
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.call("Page.navigate", url=url)
        while self.ask("document.readyState") != "complete" or self.ask("location.href") != url:
            self._receive()

    def dark(self, is_dark: bool) -> None:
        """
        Let the system prefer dark or light colours.
        """
        value = "dark" if is_dark else "light"
        features = [{"name": "prefers-color-scheme", "value": value}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def ask(self, expression: str) -> Any:
        """
        Give the value of an expression in the page.
        """
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression: str) -> None:
        """
        Wait until an expression in the page is true.
        """
        look = f"const look = () => ({expression}) ? done(true) : setTimeout(look, 20)"
        result = self.call(
            "Runtime.evaluate",
            expression=f"new Promise((done) => {{ {look}; look(); }})",
            awaitPromise=True,
            returnByValue=True,
        )
        assert "exceptionDetails" not in result, result

    def type(self, text: str) -> None:
        """
        Press one key after the other.
        """
        for key in text:
            self.press(key)

    def download(self, folder: Path, click: str) -> Path:
        """
        Let the page download a file, and wait for it.

        @param folder: Where it goes.
        @param click: Evaluated in the page to begin with it.
        """
        self.call(
            "Browser.setDownloadBehavior",
            behavior="allow",
            downloadPath=str(folder),
            eventsEnabled=True,
        )
        self.downloads.clear()
        self.ask(click)
        while "completed" not in self.downloads.values():
            assert "canceled" not in self.downloads.values()
            self._receive()
        (path,) = folder.iterdir()
        return path

    def press(self, key: str) -> None:
        """
        Press a key and let it go.
        """
        known = {"key": key, "windowsVirtualKeyCode": _KEYS.get(key, ord(key[0].upper()))}
        text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **known, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    def picture(self, name: str) -> bytes:
        """
        Keep a picture of what is to be seen.

        @param name: Its name among the artefacts, without suffix.
        @return: The picture, a PNG.
        """
        shot = self.call("Page.captureScreenshot", format="png")
        data = base64.b64decode(shot["data"])
        path = ARTEFACTS / "browser" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return data

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """
        Call a method of the protocol and wait for its answer.
        """
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reads], [], [], deadline - time.monotonic())
            assert ready, "the browser says nothing"
            data = os.read(self._reads, 1 << 20)
            assert data, "the browser has ended"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requested.append(message["params"]["request"]["url"])
            case "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded":
                self.complaints.append(json.dumps(message["params"]))
            case "Browser.downloadProgress":
                self.downloads[message["params"]["guid"]] = message["params"]["state"]
            case _:
                pass
        return message


@contextmanager
def browser(directory: Path) -> Iterator[Browser]:
    """
    Start a headless browser that has never been used before, and end it.

    @param directory: For the browser's own files; is made.
    """
    assert CHROMIUM is not None
    directory.mkdir()
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    # Out of the way of 3 and 4, which are the ones that the browser expects.
    low = (theirs_in, theirs_out, os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC))
    *theirs, null = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 10) for each in low]
    for each in low:
        os.close(each)
    home = {name: str(directory) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    command = [
        CHROMIUM,
        *CHROMIUM_OPTIONS,
        "--remote-debugging-pipe",
        f"--user-data-dir={directory}",
        "about:blank",
    ]
    process = os.posix_spawn(
        CHROMIUM,
        command,
        {**os.environ, **home},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, theirs[0], 3),
            (os.POSIX_SPAWN_DUP2, theirs[1], 4),
            *((os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1, 2)),
        ],
        setpgroup=0,
    )
    for each in (*theirs, null):
        os.close(each)
    try:
        found = Browser(ours_in, ours_out)
        found.begin()
        yield found
    finally:
        os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(ours_in)
        os.close(ours_out)
