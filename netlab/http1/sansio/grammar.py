"""
The grammar of RFC 9110 and RFC 9112 as compiled patterns over bytes, and what applies them.

Every pattern is used with C{fullmatch} or C{search} and runs in linear time: alternatives begin
with different bytes, repetitions of one class are possessive, and repetitions of a group atomic.
A group is never repeated possessively: before Python 3.11.5 (CPython issue 106052) that kept what a
last, failed round had matched, so that C{5;} passed for a chunk line.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

_TCHAR: Final = rb"!#$%&'*+\-.^_`|~0-9A-Za-z"
_VALUE_BYTE: Final = rb"\t\x20-\x7e\x80-\xff"
_UNRESERVED_OR_SUB_DELIM: Final = rb"\-._~0-9A-Za-z!$&'()*+,;="

TOKEN: Final = re.compile(rb"[" + _TCHAR + rb"]++")
"""token, RFC 9110 section 5.6.2."""

FIELD_LINES: Final = re.compile(
    rb"(?>(?:[" + _TCHAR + rb"]++:[" + _VALUE_BYTE + rb"]*+\r\n)*)",
)
"""Field lines with their CRLFs, RFC 9112 section 5; without obs-fold."""

FIELD_LINE: Final = re.compile(rb"([" + _TCHAR + rb"]++):([" + _VALUE_BYTE + rb"]*+)")
"""One field line without its CRLF; its value still has the optional white space around it."""

START_LINE_VERSION: Final = re.compile(rb"HTTP/([0-9])\.([0-9])")
"""HTTP-version, RFC 9112 section 2.3: one digit, one dot, one digit, in capitals."""

STATUS_LINE: Final = re.compile(
    rb"HTTP/([0-9])\.([0-9]) ([1-9][0-9]{2})(?: ([" + _VALUE_BYTE + rb"]*+))?",
)
"""status-line, RFC 9112 section 4; the last space may be missing with the reason phrase."""

CONTROL_BYTE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What no field value and no start line may hold (RFC 9110 section 5.5)."""

MISPLACED_BYTE: Final = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?!\n|\Z)",
)
"""
A control byte, a bare LF or a bare CR (RFC 9112 section 2.2); a CR at the very end may yet be
followed by its LF.
"""

# Browsers send | [ ] unencoded in a path, and in a query also { } \ ^ ` (WHATWG URL section 1.3);
# all are harmless once split off. Space, controls, non-ASCII, # " < > are refused.
_PATH_BYTE: Final = _UNRESERVED_OR_SUB_DELIM + rb":@|\[\]/"
_QUERY: Final = rb"(?>(?:[" + _PATH_BYTE + rb"?{}\\^`]++|%[0-9A-Fa-f]{2})*)"

PATH_AND_QUERY: Final = re.compile(
    rb"(/(?>(?:[" + _PATH_BYTE + rb"]++|%[0-9A-Fa-f]{2})*))(?:\?(" + _QUERY + rb"))?",
)
"""absolute-path [ "?" query ], RFC 9112 section 3.2.1 with RFC 3986 section 3.3 and 3.4."""

PLAIN_REQUEST_LINE: Final = re.compile(
    rb"([" + _TCHAR + rb"]++) (/[" + _PATH_BYTE + rb"]*+)(?:\?(" + _QUERY + rb"))? HTTP/1\.([01])",
)
"""
What nearly every request line is: method, a path in which nothing is percent-encoded, query,
HTTP/1.0 or HTTP/1.1. No line matches that L{PATH_AND_QUERY} and L{START_LINE_VERSION} refuse.
"""

_REG_NAME: Final = rb"(?>(?:[" + _UNRESERVED_OR_SUB_DELIM + rb"]++|%[0-9A-Fa-f]{2})+)"
_AUTHORITY: Final = re.compile(
    rb"(?:(" + _REG_NAME + rb")|\[([0-9A-Fa-f:.]++)\]"
    rb"|(\[[vV][0-9A-Fa-f]++\.[" + _UNRESERVED_OR_SUB_DELIM + rb":]++\]))(?::([0-9]{0,5}))?",
)

ABSOLUTE_FORM: Final = re.compile(rb"(?i:(https?))://([^/?#]*+)([^#]*+)")
"""absolute-form of an http or https URI: scheme, authority, the rest."""

CHUNK_LINE: Final = re.compile(
    rb"([0-9A-Fa-f]++)"
    rb"((?>(?:[ \t]*+;[ \t]*+[" + _TCHAR + rb"]++(?:[ \t]*+=[ \t]*+(?:[" + _TCHAR + rb"]++"
    rb'|"(?>(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]++|\\[\t\x20-\x7e\x80-\xff])*)"))?)*))',
)
"""chunk-size [ chunk-ext ], RFC 9112 section 7.1.1, without its CRLF."""

_PORT_MAX: Final = 65535


def is_token(value: bytes) -> bool:
    """
    Say whether these bytes are a token (RFC 9110 section 5.6.2).
    """
    return TOKEN.fullmatch(value) is not None


def parse_decimal(value: bytes) -> int | None:
    """
    Read 1*DIGIT: what C{int} would let through besides (signs, underscores, white space, other
    scripts' digits) is refused.

    @return: the number, or None where these bytes are no such number or have over 19 digits behind
        leading zeros, which no 64-bit length needs.
    """
    if not value.isdigit():  # bytes.isdigit knows ASCII digits only
        return None
    digits = value.lstrip(b"0")
    return int(digits or b"0") if len(digits) <= 19 else None


def is_authority(value: bytes) -> bool:
    """
    Say whether these bytes are uri-host [ ":" port ] with a host that is not empty.

    An http URI with an empty host is invalid (RFC 9110 section 4.2.1), and userinfo has no place
    in a request (section 4.2.4).
    """
    match = _AUTHORITY.fullmatch(value)
    if match is None:
        return False
    ipv6, port = match[2], match[4]
    if port and int(port) > _PORT_MAX:
        return False
    if ipv6 is not None:
        try:
            IPv6Address(ipv6.decode("ascii"))
        except AddressValueError:
            return False
    return True


def split_list(values: tuple[bytes, ...]) -> list[bytes]:
    """
    Take a list-based field apart (RFC 9110 section 5.6.1) where no element holds a comma.

    @param values: the field's values, one for each field line, in order.
    @return: the elements without the white space around them; empty ones are left out.
    """
    elements = []
    for value in values:
        for element in value.split(b","):
            stripped = element.strip(b" \t")
            if stripped:
                elements.append(stripped)
    return elements
