"""
Status codes: the registered reason phrases and status lines (RFC 9110 section 15, RFC 6585).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

REASON_PHRASES: Final[dict[int, bytes]] = {
    **{status.value: status.phrase.encode("ascii") for status in HTTPStatus},
    # RFC 9110's names, whichever names this Python's table has.
    413: b"Content Too Large",
    414: b"URI Too Long",
    416: b"Range Not Satisfiable",
    422: b"Unprocessable Content",
}

STATUS_LINES: Final[dict[int, bytes]] = {
    status: b"HTTP/1.1 %d %b\r\n" % (status, phrase) for status, phrase in REASON_PHRASES.items()
}
"""Our own status lines: a server answers in its own version (RFC 9110 section 2.5)."""


def forbids_content(status: int) -> bool:
    """
    Say whether a response of this status ends with its header section, whatever that says
    (RFC 9112 section 6.3 item 1).
    """
    return status < 200 or status in (204, 304)
