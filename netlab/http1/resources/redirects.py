"""
Redirect rules from a file: C{FROM TO [STATUS]} a line, as in Netlify's and Cloudflare's
C{_redirects}::

    # what moved
    /old.html        /new.html          301
    /blog/*          /news/:splat       302
    /code            https://code.example/

FROM is a path, or a prefix that ends in C{/*}; C{:splat} in TO stands for what the asterisk covers.
An exact rule comes before a prefix, and a longer prefix before a shorter one, wherever they stand.
A status is 301 (which it is by default), 302, 303, 307 or 308 (RFC 9110 section 15.4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import quote

from netlab.http1.resources.faults import FaultyFileError, InjectedFault, quoted
from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.grammar import ABSOLUTE_FORM, PATH_AND_QUERY, is_authority
from netlab.http1.sansio.target import decode_segments

_STATUSES: Final = (b"301", b"302", b"303", b"307", b"308")
_SPLAT: Final = b":splat"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_HOPS_MAX: Final = 20
"""How far a chain may lead. Browsers follow 20 redirects (Fetch standard, HTTP-redirect fetch)."""

#: No server would be asked for a longer path.
_LOCATION_MAX_BYTES: Final = 65536

_URI_BYTES: Final = "!$%&'()*+,-./:;=?@_~"
"""Besides letters and digits, what is left as it is in a URI; all else is percent-encoded."""

_SEGMENT_BYTES: Final = "!$&'()*+,-.:;=@_~"
"""As L{_URI_BYTES}, within a path segment that is being encoded anew (RFC 3986 section 3.3)."""

_PARAMETER_BYTES: Final = "!$'()*,-.:;@_~"
"""As L{_SEGMENT_BYTES}, within a query, where C{&}, C{=} and C{+} mean something."""

Segments: TypeAlias = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Redirection:
    """
    The answer to a request whose path a rule covers.

    @ivar status: 301, 302, 303, 307 or 308.
    @ivar location: the value of Location: a path that begins with exactly one slash, or an http or
        https URI; printable ASCII only.
    """

    status: int
    location: bytes


@dataclass(frozen=True, slots=True)
class RedirectRule:
    """
    One line of the file.

    @ivar line: its number, the first being 1.
    @ivar segments: the decoded segments of FROM; those before the asterisk for a prefix.
    @ivar is_prefix: whether FROM ends in C{/*}.
    @ivar location: TO, percent-encoded, up to its fragment.
    @ivar fragment: TO's fragment with its C{#}, or nothing.
    @ivar status: as in L{Redirection}.
    """

    line: int
    segments: Segments
    is_prefix: bool
    location: bytes
    fragment: bytes
    status: int

    def redirection(self, splat: Segments, query: bytes | None) -> Redirection:
        """
        Make the answer.

        @param splat: the decoded segments which the asterisk covers.
        @param query: the request's; it goes along unless TO has one of its own.
        """
        location = self.location
        if self.is_prefix and _SPLAT in location:
            path, mark, own_query = location.partition(b"?")
            location = (
                path.replace(_SPLAT, _encode(splat, _SEGMENT_BYTES))
                + mark
                + own_query.replace(_SPLAT, _encode(splat, _PARAMETER_BYTES))
            )
        if location[:2] == b"//":
            # Two slashes begin a host (RFC 3986 section 4.2): a splat that begins with an empty
            # segment would send the browser to a host of the requester's choice.
            location = b"/" + location.lstrip(b"/")
        if query and b"?" not in location:
            location += b"?" + quote(query, safe=_URI_BYTES).encode("ascii")
        return Redirection(self.status, location + self.fragment)


def _encode(segments: Segments, safe: str) -> bytes:
    return "/".join(quote(segment, safe=safe) for segment in segments).encode("ascii")


@dataclass(slots=True)
class _Node:
    """
    A place in the tree of prefixes.
    """

    rule: RedirectRule | None = None
    children: dict[bytes, _Node] = field(default_factory=dict)


class RedirectRules:
    """
    The rules of one file, found in a time that depends on the path's segments only.

    @ivar rules: in the order of their lines.
    """

    __slots__ = ("_exact", "_prefixes", "rules")

    def __init__(self, rules: Iterable[RedirectRule]) -> None:
        """
        @param rules: no two with the same FROM.
        """
        self.rules = tuple(rules)
        self._exact: dict[Segments, RedirectRule] = {}
        self._prefixes = _Node()
        for rule in self.rules:
            if rule.is_prefix:
                node = self._prefixes
                for segment in rule.segments:
                    node = node.children.setdefault(segment, _Node())
                node.rule = rule
            else:
                self._exact[rule.segments] = rule

    def find(self, segments: Segments) -> RedirectRule | None:
        """
        Return the rule that covers a path, or None.

        @param segments: the path's decoded segments, as in L{netlab.http1.sansio.target.Target}. A
            prefix C{/a/*} covers C{/a/} and all below it, and not C{/a}.
        """
        rule = self._exact.get(segments)
        if rule is not None:
            return rule
        node = self._prefixes
        for segment in segments:
            if node.rule is not None:
                rule = node.rule
            child = node.children.get(segment)
            if child is None:
                break
            node = child
        return rule

    def lookup(self, segments: Segments, query: bytes | None = None) -> Redirection | None:
        """
        Return the answer to a request for this path, or None where no rule covers it.

        @param segments: as for L{find}.
        @param query: the request's query, undecoded.
        """
        rule = self.find(segments)
        if rule is None:
            return None
        return rule.redirection(segments[len(rule.segments) :], query)

    def __len__(self) -> int:
        return len(self.rules)


def parse_redirects(content: bytes) -> RedirectRules:
    """
    Read a file of redirect rules.

    @param content: lines that end in LF or CRLF; those which begin with C{#} are comments. Paths
        may hold UTF-8, percent-encoded or not.
    @raise FaultyFileError: with every fault in it: each line is judged by itself, then the rules
        together (two for one path, loops).
    """
    rules: list[RedirectRule] = []
    faults: list[InjectedFault] = []
    seen: dict[tuple[Segments, bool], int] = {}
    for number, line in enumerate(content.removeprefix(_BYTE_ORDER_MARK).split(b"\n"), 1):
        words = line.split()
        if not words or words[0].startswith(b"#"):
            continue
        try:
            rule = _parse_rule(number, words)
        except ValueError as error:
            faults.append(InjectedFault(number, str(error)))
            continue
        earlier = seen.setdefault((rule.segments, rule.is_prefix), number)
        if earlier != number:
            faults.append(
                InjectedFault(number, f"{quoted(words[0])} has a rule already, in line {earlier}")
            )
            continue
        rules.append(rule)
    found = RedirectRules(rules)
    faults.extend(_loops(found))
    if faults:
        raise FaultyFileError(faults)
    return found


def _parse_rule(number: int, words: list[bytes]) -> RedirectRule:
    """
    Read one line.

    @raise ValueError: with what is wrong.
    """
    if len(words) not in (2, 3):
        raise ValueError("a rule is a path, where it leads and perhaps a status")
    status = words[2] if len(words) == 3 else b"301"
    if status not in _STATUSES:
        raise ValueError(f"{quoted(status)} is not one of the statuses 301, 302, 303, 307 and 308")
    segments, is_prefix = _parse_source(words[0])
    location, fragment = _parse_destination(words[1], is_prefix=is_prefix)
    return RedirectRule(number, segments, is_prefix, location, fragment, int(status))


def _parse_source(word: bytes) -> tuple[Segments, bool]:
    is_prefix = word.endswith(b"/*")
    path = word[:-1] if is_prefix else word
    if b"*" in path:
        raise ValueError(f"in {quoted(word)} the asterisk does not stand for all after a slash")
    if b"/:" in path:
        raise ValueError(f"{quoted(word)} has a placeholder, and only an asterisk is known here")
    segments = _segments(path)
    if segments is None:
        raise ValueError(f"{quoted(word)} is not a path without a query")
    return segments[:-1] if is_prefix else segments, is_prefix


def _parse_destination(word: bytes, *, is_prefix: bool) -> tuple[bytes, bytes]:
    if _SPLAT in word and not is_prefix:
        raise ValueError(f"{quoted(word)} has a :splat, but its path has no asterisk to fill it")
    encoded = quote(word, safe=_URI_BYTES + "#[]").encode("ascii")
    location, mark, fragment = encoded.partition(b"#")
    if b"#" in fragment:
        raise ValueError(f"{quoted(word)} has two fragments")
    if _SPLAT in fragment:
        raise ValueError(f"in {quoted(word)} the :splat stands in the fragment")
    absolute = ABSOLUTE_FORM.fullmatch(location)
    if absolute is not None:
        authority, rest = absolute[2], absolute[3]
        if _SPLAT in authority:
            raise ValueError(f"in {quoted(word)} the :splat stands in the host")
        if not is_authority(authority):
            raise ValueError(f"{quoted(word)} has no valid host")
        if rest[:1] != b"/":
            rest = b"/" + rest
        # A slash, so that what the splat adds can never become a part of the host.
        location = location[: absolute.start(3)] + rest
    else:
        rest = location
        if location[:2] in (b"//", b"/\\") or word[:2] == b"/\\":
            raise ValueError(
                f"{quoted(word)} would lead to another host: write http:// or https://"
            )
    if PATH_AND_QUERY.fullmatch(rest) is None:
        raise ValueError(f"{quoted(word)} is neither a path nor an http or https URI")
    return location, mark + fragment


def _segments(path: bytes) -> Segments | None:
    """
    Decode a path that stands in the file, or None where it is none.
    """
    match = PATH_AND_QUERY.fullmatch(quote(path, safe=_URI_BYTES).encode("ascii"))
    if match is None or match[2] is not None:
        return None
    try:
        return decode_segments(match[1])
    except RemoteProtocolError:
        return None


def _loops(rules: RedirectRules) -> list[InjectedFault]:
    """
    Follow each rule from a path that it covers, and report those that come to no end.
    """
    faults = []
    for rule in rules.rules:
        trail = [rule]
        step = rule.redirection((b"splat",), None)
        while True:
            segments = _segments(step.location.partition(b"#")[0].partition(b"?")[0])
            following = None if segments is None else rules.find(segments)
            if segments is None or following is None:
                break
            trail.append(following)
            if len(trail) > _HOPS_MAX:
                faults.append(InjectedFault(rule.line, _describe_loop(trail)))
                break
            step = following.redirection(segments[len(following.segments) :], None)
            if len(step.location) > _LOCATION_MAX_BYTES:
                # With two splats it is twice as long after each hop.
                faults.append(InjectedFault(rule.line, "the rule leads to longer and longer paths"))
                break
    return faults


def _describe_loop(trail: list[RedirectRule]) -> str:
    if trail[0] not in trail[1:]:
        return f"the rule leads through more than {_HOPS_MAX} redirects"
    others = [str(rule.line) for rule in trail[1 : trail.index(trail[0], 1)]]
    if not others:
        return "the rule leads back to itself"
    lines = "line" if len(others) == 1 else "lines"
    return f"the rule leads back to itself by way of {lines} {', '.join(others)}"
