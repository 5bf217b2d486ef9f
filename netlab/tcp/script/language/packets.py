"""
The packets of a script: TCP segments with their options, and ICMP messages.
"""

from __future__ import annotations

from typing import Final

from netlab.capture.segments import Flag
from netlab.tcp.script.language import syntax
from netlab.tcp.script.language.cursor import TokenCursor
from netlab.tcp.script.language.errors import NotSupportedError, ScriptSyntaxError
from netlab.tcp.script.language.syntax import ScriptICMP, ScriptOption, ScriptSegment
from netlab.tcp.script.language.tokens import TokenKind

_U8: Final = 0xFF
_U16: Final = 0xFFFF
_U32: Final = 0xFFFFFFFF

#: The letters of the flags: tcpdump's, with C for CWR, E for ECE, W and A as they were and are.
_FLAGS: Final = {
    "F": Flag.FIN,
    "S": Flag.SYN,
    "R": Flag.RST,
    "P": Flag.PSH,
    ".": Flag.ACK,
    "U": Flag.URG,
    "E": Flag.ECE,
    "W": Flag.CWR,
    "C": Flag.CWR,
    "A": Flag.AE,
}

_ECN: Final = {"noecn": 0, "ect1": 1, "ect0": 2, "ce": 3, "ect01": -1}

_OPTIONS_MAX_BYTES: Final = 40
"""RFC 9293 section 3.1: the data offset ends at 60 bytes of header."""


def read_packet(cursor: TokenCursor) -> ScriptSegment | ScriptICMP:
    """
    Read a packet from its direction on.
    """
    is_inbound = cursor.take().text == "<"
    ecn, ttl = _ip(cursor)
    if cursor.is_word("ipv4", "ipv6", "gre", "GREv0", "mpls"):
        raise NotSupportedError(cursor.line, f"a packet within {cursor.word()}")
    if cursor.is_word("udp"):
        raise NotSupportedError(cursor.line, "UDP")
    if cursor.skip_word("icmp"):
        return _icmp(cursor, is_inbound=is_inbound)
    return _tcp(cursor, ecn, ttl, is_inbound=is_inbound)


def _ip(cursor: TokenCursor) -> tuple[int | None, int | None]:
    # [ect0], (ce), [tos 0x2], [ttl 64]
    for opening, closing in ("[", "]"), ("(", ")"):
        if not cursor.skip_sign(opening):
            continue
        ecn: int | None = None
        ttl: int | None = None
        name = cursor.word()
        if name in _ECN:
            ecn = _ECN[name]
        elif name == "ttl":
            ttl = cursor.integer(0, _U8, "the time to live")
        elif name == "tos":
            token = cursor.take()
            if token.kind is not TokenKind.HEXADECIMAL or len(token.text) > 4:
                raise ScriptSyntaxError(token.line, f"tos is {token.text[:20]!r}, not 0x0 to 0xff")
            value = int(token.text, 16)
            if value & ~3:
                raise NotSupportedError(token.line, f"a DSCP: tos {token.text}")
            ecn = value
        else:
            raise NotSupportedError(cursor.line, f"{name} of an IP header")
        if cursor.skip_sign(","):
            raise NotSupportedError(cursor.line, f"{cursor.word()} of an IP header")
        cursor.sign(closing)
        return ecn, ttl
    return None, None


def _tcp(
    cursor: TokenCursor, ecn: int | None, ttl: int | None, *, is_inbound: bool
) -> ScriptSegment:
    line = cursor.line
    ports = None
    if cursor.peek().kind is TokenKind.INTEGER and cursor.is_sign(">", 1):
        source = cursor.integer(0, _U16, "the source port")
        cursor.sign(">")
        ports = source, cursor.integer(0, _U16, "the destination port")
    flags = _flags(cursor)
    seq, length = _sequence(cursor)
    ack = cursor.integer(0, _U32, "ack") if cursor.skip_word("ack") else 0
    window = cursor.integer(0, _U16, "win") if cursor.skip_word("win") else None
    urgent = cursor.integer(0, _U16, "urg") if cursor.skip_word("urg") else 0
    options: tuple[ScriptOption, ...] | None = ()
    if cursor.is_sign("<") and _is_options(cursor):
        options = _options(cursor)
    if cursor.is_sign("{"):
        raise NotSupportedError(cursor.line, "changing packets at random (mut, trun, ins)")
    if is_inbound and options is None:
        raise ScriptSyntaxError(line, "the options of an inbound segment cannot be left open")
    if is_inbound and ecn == -1:
        raise ScriptSyntaxError(line, "[ect01] is only for outbound segments")
    return ScriptSegment(
        is_inbound, flags, seq, length, ack, window, urgent, options, ecn, ttl, ports
    )


def _is_options(cursor: TokenCursor) -> bool:
    # An inbound packet of the next event begins with the same sign, but behind a time: what follows
    # here is always the list.
    return cursor.peek(1).kind in {TokenKind.WORD, TokenKind.ELLIPSIS}


def _flags(cursor: TokenCursor) -> int:
    if cursor.skip_sign("-"):
        return 0
    letters = ""
    if cursor.peek().kind is TokenKind.WORD:
        letters = cursor.take().text
    if cursor.skip_sign("."):
        letters += "."
    elif cursor.peek().kind is TokenKind.FRACTION:
        raise NotSupportedError(cursor.line, f"AccECN: the ACE count {cursor.peek().text[:20]}")
    if not letters:
        raise cursor.unexpected("the flags of a segment")
    flags = 0
    for letter in letters:
        if letter.isdigit():
            raise NotSupportedError(cursor.line, f"AccECN: the ACE count {letter}")
        if letter not in _FLAGS:
            raise ScriptSyntaxError(cursor.line, f"{letter!r} is no flag of TCP")
        flags |= _FLAGS[letter]
    return flags


def _sequence(cursor: TokenCursor) -> tuple[int, int]:
    line = cursor.line
    first = cursor.integer(0, _U32, "the sequence number")
    cursor.sign(":")
    last = cursor.integer(0, _U32, "the sequence number behind the segment")
    cursor.sign("(")
    length = cursor.integer(0, _U16, "the length")
    cursor.sign(")")
    if (first + length) & _U32 != last:
        raise ScriptSyntaxError(line, f"{first} and {length} bytes make {first + length}: {last}")
    return first, length


def _options(cursor: TokenCursor) -> tuple[ScriptOption, ...] | None:
    line = cursor.line
    cursor.sign("<")
    if cursor.peek().kind is TokenKind.ELLIPSIS:
        cursor.take()
        cursor.sign(">")
        return None
    options = [_option(cursor)]
    while cursor.skip_sign(","):
        options.append(_option(cursor))
    cursor.sign(">")
    size = len(option_bytes(options))
    if size > _OPTIONS_MAX_BYTES or size % 4:
        raise ScriptSyntaxError(
            line, f"the options have {size} bytes: at most 40, and a multiple of 4"
        )
    return tuple(options)


def option_bytes(options: list[ScriptOption] | tuple[ScriptOption, ...]) -> bytes:
    """
    Write options as they are on the wire, without padding.
    """
    return b"".join(
        bytes((kind,))
        if kind in {syntax.EOL, syntax.NOP}
        else bytes((kind, len(value) + 2)) + value
        for kind, value in options
    )


def _option(cursor: TokenCursor) -> ScriptOption:
    line = cursor.line
    name = cursor.word()
    if name == "nop":
        return ScriptOption(syntax.NOP, b"")
    if name == "eol":
        return ScriptOption(syntax.EOL, b"")
    if name == "mss":
        return ScriptOption(syntax.MSS, cursor.integer(0, _U16, "mss").to_bytes(2))
    if name == "wscale":
        return ScriptOption(syntax.WINDOW_SCALE, cursor.integer(0, _U8, "wscale").to_bytes(1))
    if name == "sackOK":
        return ScriptOption(syntax.SACK_PERMITTED, b"")
    if name == "sack":
        return ScriptOption(syntax.SACK, _sack_blocks(cursor))
    if name == "TS":
        return ScriptOption(syntax.TIMESTAMPS, _timestamps(cursor))
    if name == "FO":
        return ScriptOption(syntax.FAST_OPEN, _hexadecimal(cursor))
    if name == "FOEXP":
        return ScriptOption(syntax.EXPERIMENT, syntax.FAST_OPEN_EXPERIMENT + _hexadecimal(cursor))
    if name == "md5":
        return ScriptOption(syntax.MD5, _hexadecimal(cursor))
    raise NotSupportedError(line, f"the TCP option {name}")


def _sack_blocks(cursor: TokenCursor) -> bytes:
    blocks = b""
    while cursor.peek().kind is TokenKind.INTEGER and len(blocks) < _OPTIONS_MAX_BYTES:
        blocks += cursor.integer(0, _U32, "the left edge of a SACK block").to_bytes(4)
        cursor.sign(":")
        blocks += cursor.integer(0, _U32, "the right edge of a SACK block").to_bytes(4)
    if not blocks:
        raise cursor.unexpected("a SACK block")
    return blocks


def _timestamps(cursor: TokenCursor) -> bytes:
    if not cursor.skip_word("val"):
        raise cursor.unexpected("val")
    value = cursor.integer(0, _U32, "TS val")
    if not cursor.skip_word("ecr"):
        raise cursor.unexpected("ecr")
    return value.to_bytes(4) + cursor.integer(0, _U32, "TS ecr").to_bytes(4)


def _hexadecimal(cursor: TokenCursor) -> bytes:
    if cursor.peek().kind not in {TokenKind.WORD, TokenKind.INTEGER}:
        return b""
    token = cursor.take()
    if token.text.isupper() and "_" in token.text:
        raise NotSupportedError(token.line, f"the word {token.text[:40]}, which is not defined")
    try:
        value = bytes.fromhex(token.text)
    except ValueError as error:
        raise ScriptSyntaxError(
            token.line, f"{token.text[:40]!r} is not bytes in hexadecimal"
        ) from error
    if len(value) > _OPTIONS_MAX_BYTES:
        raise ScriptSyntaxError(token.line, f"{len(value)} bytes are more than options hold")
    return value


def _icmp(cursor: TokenCursor, *, is_inbound: bool) -> ScriptICMP:
    line = cursor.line
    kind = cursor.word()
    code = ""
    if cursor.peek().kind is TokenKind.WORD and not cursor.is_word("mtu", "id"):
        code = cursor.word()
    mtu = cursor.integer(0, _U32, "mtu") if cursor.skip_word("mtu") else None
    if cursor.is_word("id"):
        raise NotSupportedError(line, "an ICMP echo")
    seq = length = 0
    if cursor.skip_sign("["):
        if cursor.is_word("udp", "raw"):
            raise NotSupportedError(line, f"an ICMP message about {cursor.word()}")
        seq, length = _sequence(cursor)
        cursor.sign("]")
    if not is_inbound:
        raise NotSupportedError(line, "an outbound ICMP message")
    return ScriptICMP(kind, code, mtu, seq, length)
