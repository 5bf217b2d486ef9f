"""
The program of the benchmarks as a bare ASGI application, for uvicorn and granian.

A GET is answered with its path, a POST with the CRC-32 of its content.
"""

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

_Message = MutableMapping[str, Any]


async def application(
    scope: _Message,
    receive: Callable[[], Awaitable[_Message]],
    send: Callable[[_Message], Awaitable[None]],
) -> None:
    """
    Answer a request.
    """
    if scope["method"] == "POST":
        checksum = 0
        is_more = True
        while is_more:
            message = await receive()
            checksum = zlib.crc32(message.get("body", b""), checksum)
            is_more = message.get("more_body", False)
        content = b"%08x\n" % checksum
    else:
        content = b"You asked for %b\n" % scope["path"].encode()
    fields = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(content)),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": content})
