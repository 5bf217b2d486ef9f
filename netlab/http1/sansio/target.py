"""
The request target: its four forms (RFC 9112 section 3.2), and a path as decoded segments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final
from urllib.parse import unquote_to_bytes

from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.grammar import ABSOLUTE_FORM, PATH_AND_QUERY, is_authority

TWO_DOTS: Final = "the path has a segment of two dots"
PATH_WITH_NUL: Final = "the path holds a NUL"


class TargetForm(Enum):
    """
    The four forms of RFC 9112 section 3.2.
    """

    ORIGIN = "origin-form"
    ABSOLUTE = "absolute-form"
    AUTHORITY = "authority-form"
    ASTERISK = "asterisk-form"


# As RequestHead: not frozen, but Final.
@dataclass(slots=True, unsafe_hash=True)
class Target:
    """
    A valid request target.

    @ivar form: which of the four forms it came in.
    @ivar path: the path as it came, percent-encoded, beginning with a slash; empty in asterisk-form
        and authority-form.
    @ivar query: what follows the question mark, undecoded; None without a question mark.
    @ivar authority: host and port of absolute-form and authority-form, else None.
    @ivar is_https: whether it is an https URI, which may be answered over TLS only (RFC 9110
        section 7.4).
    @ivar decoded: L{segments}, where they are known already: because the path needs more than
        cutting, or because they have been asked for. A target with another path has others.
    """

    form: Final[TargetForm]
    path: Final[bytes]
    query: Final[bytes | None] = None
    authority: Final[bytes | None] = None
    is_https: Final[bool] = False
    decoded: tuple[bytes, ...] | None = field(default=None, compare=False, repr=False)

    @property
    def segments(self) -> tuple[bytes, ...]:
        """
        The path's segments, decoded once. No segment is C{.} or C{..} or holds a NUL; a segment
        may hold a slash or a backslash that came encoded. An empty last segment says that the path
        ends in a slash: C{/} is C{(b"",)} and C{/a} is C{(b"a",)}.
        """
        segments = self.decoded
        if segments is None:
            # Cut when somebody asks.
            segments = self.decoded = tuple(self.path.split(b"/")[1:])
        return segments


_ASTERISK: Final = Target(TargetForm.ASTERISK, b"")


def parse_target(method: bytes, raw: bytes) -> Target:
    """
    Read the request target that stands in a request line.

    @param method: the request's method, which decides what forms may stand here.
    @raise RemoteProtocolError: 400 with what is wrong.
    """
    if method == b"CONNECT":
        _host, colon, port = raw.rpartition(b":")
        if not is_authority(raw) or not colon or not port.isdigit():
            raise RemoteProtocolError(400, "the target of CONNECT is not a host and a port")
        return Target(TargetForm.AUTHORITY, b"", authority=raw)
    if raw[:1] == b"/":
        return _with_path(TargetForm.ORIGIN, raw)
    if raw == b"*":
        if method != b"OPTIONS":
            raise RemoteProtocolError(400, "only OPTIONS may have the target *")
        return _ASTERISK
    match = ABSOLUTE_FORM.fullmatch(raw)
    if match is None:
        raise RemoteProtocolError(400, "the request target has none of the four forms")
    authority, rest = match[2], match[3]
    is_https = match[1].lower() == b"https"
    if not is_authority(authority):
        raise RemoteProtocolError(400, "the authority in the request target is not valid")
    if not rest and method == b"OPTIONS":
        # RFC 9112 section 3.2.4: what a proxy would have turned into an asterisk.
        return Target(TargetForm.ASTERISK, b"", authority=authority, is_https=is_https)
    if rest[:1] != b"/":
        rest = b"/" + rest
    return _with_path(TargetForm.ABSOLUTE, rest, authority, is_https=is_https)


def decode_segments(path: bytes) -> tuple[bytes, ...]:
    """
    Take a path apart at its slashes, then decode each segment once.

    Dot-segments are judged after decoding, so that C{%2e%2e} is C{..}: a single dot stands for
    nothing, two dots are refused. A client resolves them before it sends a request (RFC 3986
    section 5.2.4), so a client that sends them is looking for a way out of the root.

    @param path: valid by L{PATH_AND_QUERY}, beginning with a slash.
    @raise RemoteProtocolError: 400 for two dots and for NUL.
    """
    if b"%" not in path:
        raw = path.split(b"/")
    else:
        raw = [unquote_to_bytes(segment) for segment in path.split(b"/")]
    segments = tuple(raw[1:])
    if b"." in segments or b".." in segments:
        if b".." in segments:
            raise RemoteProtocolError(400, TWO_DOTS)
        # A dot at the end names the folder, as the empty segment behind a last slash does.
        end = (b"",) if segments[-1] == b"." else ()
        segments = (*(segment for segment in segments if segment != b"."), *end)
    if b"\x00" in path or b"%00" in path:
        raise RemoteProtocolError(400, PATH_WITH_NUL)
    return segments


def _with_path(
    form: TargetForm,
    path_and_query: bytes,
    authority: bytes | None = None,
    *,
    is_https: bool = False,
) -> Target:
    match = PATH_AND_QUERY.fullmatch(path_and_query)
    if match is None:
        raise RemoteProtocolError(400, "the request target holds a byte that must be encoded")
    path = match[1]
    return Target(form, path, match[2], authority, is_https, decode_segments(path))
