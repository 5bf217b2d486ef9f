"""
The grammar of a script: lines of options, then events, each a time and what happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from netlab.tcp.script.language.arguments import read_arguments, read_value
from netlab.tcp.script.language.cursor import TokenCursor
from netlab.tcp.script.language.errors import ScriptSyntaxError
from netlab.tcp.script.language.packets import read_packet
from netlab.tcp.script.language.syntax import (
    NANOSECONDS,
    Action,
    Call,
    Code,
    Command,
    PacketScript,
    ScriptEvent,
    ScriptFlag,
    ScriptSegment,
    When,
)
from netlab.tcp.script.language.tokens import TokenKind, tokenise

_TIME_MAX_SECONDS: Final = 10_000_000
"""About four months: no timer of TCP is as long, and sums of such times stay exact."""


def parse_script(text: str, definitions: Mapping[str, str] | None = None) -> PacketScript:
    """
    Read a script.

    @param definitions: words and what stands for them; the script's own (--define) come on top.
    @raise ScriptSyntaxError: it is none.
    @raise NotSupportedError: it asks for what this interpreter does not have, which is named by
        the grammar alone.
    """
    cursor = TokenCursor(tokenise(text))
    flags = []
    while cursor.peek().kind is TokenKind.OPTION:
        flags.append(_flag(cursor))
    known = dict(definitions or {})
    for flag in flags:
        if flag.name == "define":
            name, _, value = flag.value.partition("=")
            known[name] = value
    cursor.define(known)
    events = []
    while cursor.peek().kind is not TokenKind.END:
        events.append(_event(cursor))
    return PacketScript(tuple(flags), tuple(events))


def _flag(cursor: TokenCursor) -> ScriptFlag:
    option = cursor.take()
    value = ""
    if cursor.skip_sign("="):
        kinds = (
            TokenKind.INTEGER,
            TokenKind.FRACTION,
            TokenKind.WORD,
            TokenKind.STRING,
            TokenKind.ADDRESS,
        )
        if cursor.peek().kind not in kinds:
            raise cursor.unexpected(f"the value of --{option.text}")
        value = cursor.take().text
        while cursor.is_sign("-") or cursor.is_sign("="):
            # ipv4-mapped-ipv6, and --define=NAME=VALUE
            value += cursor.take().text
            value += cursor.take().text
        if cursor.skip_sign("/"):
            value += f"/{cursor.integer(0, 128, 'the length of a prefix')}"
    return ScriptFlag(option.line, option.text, value)


def _event(cursor: TokenCursor) -> ScriptEvent:
    line = cursor.line
    if cursor.peek().kind is TokenKind.COMMAND:
        return ScriptEvent(line, None, Command(cursor.take().text))
    when = _when(cursor)
    action = _action(cursor)
    is_outbound = isinstance(action, ScriptSegment) and not action.is_inbound
    if not is_outbound and (when.start is None or when.end is not None):
        raise ScriptSyntaxError(line, "only an outbound packet may come at any of several times")
    return ScriptEvent(line, when, action)


def _when(cursor: TokenCursor) -> When:
    line = cursor.line
    if cursor.skip_sign("*"):
        return When(None, None, is_relative=False)
    is_relative = cursor.skip_sign("+")
    start = _time(cursor)
    end = None
    if cursor.skip_sign("~"):
        if is_relative:
            cursor.sign("+")
        end = _time(cursor)
        if end < start:
            raise ScriptSyntaxError(line, "the range of times ends before it begins")
    return When(start, end, is_relative)


def _time(cursor: TokenCursor) -> int:
    token = cursor.peek()
    if token.kind not in {TokenKind.INTEGER, TokenKind.FRACTION}:
        raise cursor.unexpected("a time")
    cursor.take()
    if token.text.startswith("-"):
        raise ScriptSyntaxError(token.line, f"the time {token.text[:32]} is negative")
    whole, _, fraction = token.text.partition(".")
    if len(whole) > 12 or int(whole or "0") > _TIME_MAX_SECONDS:
        raise ScriptSyntaxError(
            token.line, f"the time {token.text[:32]} is over {_TIME_MAX_SECONDS} seconds"
        )
    return int(whole or "0") * NANOSECONDS + int(fraction[:9].ljust(9, "0"))


def _action(cursor: TokenCursor) -> Action:
    token = cursor.peek()
    if token.kind is TokenKind.COMMAND:
        return Command(cursor.take().text)
    if token.kind is TokenKind.CODE:
        return Code(cursor.take().text.strip())
    if cursor.is_sign("<") or cursor.is_sign(">"):
        return read_packet(cursor)
    return _call(cursor)


def _call(cursor: TokenCursor) -> Call:
    ends = None
    if cursor.peek().kind is TokenKind.ELLIPSIS:
        cursor.take()
        cursor.skip_sign("+")
        ends = _time(cursor)
    name = cursor.word()
    arguments = read_arguments(cursor)
    cursor.sign("=")
    result = read_value(cursor)
    error = cursor.take().text if cursor.peek().kind is TokenKind.WORD else ""
    if cursor.is_sign("("):
        _note(cursor)
    return Call(name, arguments, result, error, ends)


def _note(cursor: TokenCursor) -> None:
    # strace's words behind a result, for readers.
    cursor.sign("(")
    while not cursor.skip_sign(")"):
        if cursor.take().kind is TokenKind.END:
            raise cursor.unexpected("')'")
