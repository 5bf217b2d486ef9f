"""
The bounds of limits.py as options of a command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from netlab.http1.sansio.limits import Admission, Limits, Timeouts
from netlab.http1.server.context import ANSWER_CACHE_MAX_BYTES
from netlab.options import byte_size, count, seconds


@dataclass(frozen=True, slots=True)
class Bound:
    """
    One option for one field of L{Limits}, L{Timeouts} or L{Admission}, or for the answer cache.

    @ivar option: the option's name, without dashes.
    @ivar field: the field that it sets.
    @ivar default: the field's own default.
    @ivar text: what --help says.
    @ivar reader: reads the option's value.
    @ivar short: a letter for the option.
    """

    option: str
    field: str
    default: float
    text: str
    reader: Callable[[str], float]
    short: str | None = None


_limits: Final = Limits()
_timeouts: Final = Timeouts()
_admission: Final = Admission()


def _size(option: str, field: str, text: str, at_least: int = 1) -> Bound:
    reader = byte_size(f"--{option}", at_least=at_least)
    return Bound(option, field, getattr(_limits, field), text, reader)


def _wait(option: str, field: str, text: str, short: str | None = None) -> Bound:
    return Bound(option, field, getattr(_timeouts, field), text, seconds(f"--{option}"), short)


TIMEOUT_BOUNDS: Final = (
    _wait(
        "idle-timeout", "idle", "Close a connection after this many seconds without a request.", "t"
    ),
    _wait("head-timeout", "head", "A request head must be complete after this many seconds."),
    _wait(
        "content-timeout",
        "content",
        "The content of a request must be complete after this many seconds.",
    ),
    _wait("write-timeout", "write", "Cut off a client that takes no byte for this many seconds."),
    _wait(
        "linger-timeout",
        "linger",
        "After a refusal, throw away input for this many seconds, so that the answer is not lost.",
    ),
)

LIMIT_BOUNDS: Final = (
    _size(
        "max-request-line",
        "start_line_max_bytes",
        "Request lines of more bytes get a 414.",
        at_least=64,
    ),
    _size(
        "max-header-section",
        "header_section_max_bytes",
        "Header sections of more bytes get a 431.",
        at_least=64,
    ),
    Bound(
        "max-field-lines",
        "field_lines_max",
        _limits.field_lines_max,
        "Header sections of more lines get a 431.",
        count("--max-field-lines", at_least=1),
    ),
    _size(
        "max-content",
        "content_max_bytes",
        "Requests with more bytes of content get a 413.",
        at_least=0,
    ),
    _size(
        "max-unwanted-content",
        "unwanted_content_max_bytes",
        "Up to this many bytes of unwanted content are discarded; with more, the connection ends.",
        at_least=0,
    ),
    _size(
        "max-pipelined",
        "pipelined_max_bytes",
        "At most this many bytes may wait behind the request being answered.",
    ),
    Bound(
        "max-requests",
        "exchanges_max",
        _limits.exchanges_max,
        "Close a connection after this many requests; 0: never.",
        count("--max-requests"),
    ),
)

ADMISSION_BOUNDS: Final = (
    Bound(
        "max-connections",
        "connections_max",
        _admission.connections_max,
        "Connections beyond this number get a 503.",
        count("--max-connections", at_least=1),
    ),
    Bound(
        "max-connections-per-peer",
        "connections_per_peer_max",
        _admission.connections_per_peer_max,
        "Further connections of one address get a 503; 0: any number.",
        count("--max-connections-per-peer"),
    ),
)


CACHE_BOUNDS: Final = (
    Bound(
        "answer-cache",
        "answer_cache_max_bytes",
        ANSWER_CACHE_MAX_BYTES,
        "Bytes of memory for answers that are sent again to the same bytes; 0: none.",
        byte_size("--answer-cache", at_least=0),
    ),
)


def values(bounds: tuple[Bound, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    """
    Collect what the user chose, by the names of the fields.

    @param options: the parsed command line.
    """
    return {bound.field: options[bound.option] for bound in bounds}
