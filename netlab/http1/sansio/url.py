"""
http and https URLs: taken apart, resolved against each other, and made into request targets.

RFC 3986, for what a user types and for what a Location field says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from netlab.http1.sansio.grammar import PATH_AND_QUERY, is_authority
from netlab.http1.sansio.target import Target, TargetForm

DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_PARTS: Final = re.compile(
    # RFC 3986 appendix B: scheme, authority, path, query; a fragment never leaves the client.
    r"(?:([A-Za-z][A-Za-z0-9+.\-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?"
)
_AUTHORITY: Final = re.compile(r"(\[[^\[\]@]*\]|[^:\[\]@]*)(?::([0-9]{0,5}))?")
_MUST_BE_ENCODED: Final = re.compile(rb"[^\x21-\x7e]|[\"<>#]|%(?![0-9A-Fa-f]{2})")
_IN_A_PATH_TOO: Final = re.compile(rb"[{}\\^`]")


class URLError(ValueError):
    """
    What was typed, or sent by a server, is no URL to fetch; the text says why in one line.
    """


@dataclass(frozen=True, slots=True)
class URL:
    """
    Where to ask, and what to ask for.

    @ivar scheme: C{http} or C{https}.
    @ivar host: a name or an address, in lower case; an IPv6 address without its brackets.
    @ivar port: 1 to 65535.
    @ivar target: the path, and the query if there is one, as they go onto the wire.
    """

    scheme: str
    host: str
    port: int
    target: bytes = b"/"

    @property
    def origin(self) -> tuple[str, str, int]:
        """
        What one connection can serve (RFC 9110 section 4.3.1).
        """
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> bytes:
        """
        What the Host field says: the host, and the port unless it is the scheme's own (RFC 9110
        section 7.2).
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return (host + port).encode("ascii")

    @property
    def request_target(self) -> Target:
        """
        The target of a request for it, in origin-form.
        """
        return origin_form(self.target)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority.decode('ascii')}{self.target.decode('ascii')}"


def parse_url(text: str) -> URL:
    """
    Read an absolute URL.

    Bytes that a URL must encode are encoded, as browsers do; control characters are refused.

    @raise URLError: it is not http or https, or holds a user name, or makes no sense.
    """
    return _read(text, None)


def resolve(base: URL, reference: bytes) -> URL:
    """
    Read a URI reference, as a Location field holds, against the URL that was asked for (RFC 3986
    section 5.2).

    @raise URLError: the same as of L{parse_url}.
    """
    return _read(reference.decode("utf-8", "surrogateescape"), base)


def encode_target(typed: bytes) -> bytes:
    """
    Encode what a request target may not hold; what is encoded already is not encoded again.

    Dot-segments stay: they are L{resolve}'s matter.

    @param typed: a path with an optional query, beginning with a slash.
    @raise URLError: it does not begin with a slash.
    """
    path, mark, query = typed.partition(b"?")
    path = _IN_A_PATH_TOO.sub(_percent, _MUST_BE_ENCODED.sub(_percent, path))
    encoded = path + mark + _MUST_BE_ENCODED.sub(_percent, query)
    if PATH_AND_QUERY.fullmatch(encoded) is None:
        raise URLError("a path begins with a slash")
    return encoded


def origin_form(target: bytes) -> Target:
    """
    Make the request target of an encoded path and query.

    Unlike C{parse_target}, which guards a server, it lets dot-segments pass.
    """
    path, mark, query = target.partition(b"?")
    return Target(TargetForm.ORIGIN, path, query if mark else None)


def _read(text: str, base: URL | None) -> URL:
    text = text.strip(" ")
    if not text.isprintable() and any(ord(c) < 0x20 or ord(c) == 0x7F for c in text):
        raise URLError("a URL holds no control characters")
    match = _PARTS.fullmatch(text)
    if match is None:
        raise URLError("not a URL")
    scheme, authority, path, query = match.groups()
    if scheme is not None:
        scheme = scheme.lower()
        if scheme not in DEFAULT_PORTS:
            raise URLError(f"only http and https are fetched, not {scheme}")
        if authority is None:
            raise URLError(f"there is no host in it; write {scheme}://HOST/PATH")
        return _absolute(scheme, authority, path, query)
    if base is None:
        raise URLError("it does not begin with http:// or https://")
    if authority is not None:
        return _absolute(base.scheme, authority, path, query)
    base_path, mark, base_query = base.target.partition(b"?")
    raw = _bytes(path)
    if not raw:
        new_query = base_query if query is None else _bytes(query)
        has_query = bool(mark) or query is not None
        return replace(base, target=_target(base_path, new_query if has_query else None))
    if not raw.startswith(b"/"):
        raw = base_path[: base_path.rindex(b"/") + 1] + raw
    return replace(base, target=_target(raw, None if query is None else _bytes(query)))


def _absolute(scheme: str, authority: str, path: str, query: str | None) -> URL:
    if "@" in authority:
        # RFC 9110 section 4.2.4: it hides the true host from the reader.
        raise URLError("a user name before the host is not accepted")
    match = _AUTHORITY.fullmatch(authority)
    if match is not None and not match[1]:
        raise URLError("it names no host")
    if match is None or not authority.isascii():
        raise URLError("its host is not a name or an address in ASCII")
    port = int(match[2]) if match[2] else DEFAULT_PORTS[scheme]
    if not is_authority(authority.encode("ascii")) or not 1 <= port <= 65535 or "%" in match[1]:
        raise URLError("its host or port does not exist")
    raw = _bytes(path) or b"/"
    target = _target(raw, None if query is None else _bytes(query))
    return URL(scheme, match[1].strip("[]").lower(), port, target)


def _target(path: bytes, query: bytes | None) -> bytes:
    path = remove_dot_segments(path)
    return encode_target(path if query is None else path + b"?" + query)


def remove_dot_segments(path: bytes) -> bytes:
    """
    Resolve C{.} and C{..}, in their encoded forms too (RFC 3986 section 5.2.4, WHATWG URL).

    @param path: it begins with a slash.
    """
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for at, segment in enumerate(segments):
        plain = re.sub(rb"(?i)%2e", b".", segment)
        is_last = at == len(segments) - 1
        if plain == b"..":
            if kept:
                kept.pop()
        elif plain != b".":
            kept.append(segment)
            continue
        if is_last:
            kept.append(b"")
    return b"/" + b"/".join(kept)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _percent(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % match[0][0]
