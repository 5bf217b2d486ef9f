"""
The arguments and results of system calls: numbers, names, strings, lists and structures.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.script.language.cursor import TokenCursor
from netlab.tcp.script.language.errors import ScriptSyntaxError
from netlab.tcp.script.language.syntax import (
    Anything,
    Either,
    Invocation,
    Structure,
    Symbol,
    Text,
    Value,
)
from netlab.tcp.script.language.tokens import TokenKind

#: How deep values nest; the kernel's scripts reach 5. It keeps hostile text off Python's stack.
_DEPTH_MAX: Final = 32

_NUMBER_MAX: Final = (1 << 64) - 1


def read_arguments(cursor: TokenCursor) -> tuple[Value, ...]:
    """
    Read C{(value, value)}.
    """
    cursor.sign("(")
    return _values(cursor, ")", _DEPTH_MAX)


def read_value(cursor: TokenCursor, depth: int = _DEPTH_MAX) -> Value:
    """
    Read one value, several with bars between them being one.

    @param depth: how deep it may nest.
    """
    parts = [_operand(cursor, depth)]
    while cursor.skip_sign("|"):
        parts.append(_operand(cursor, depth))
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def _values(cursor: TokenCursor, closing: str, depth: int) -> tuple[Value, ...]:
    values = []
    if not cursor.is_sign(closing):
        values.append(read_value(cursor, depth))
        while cursor.skip_sign(","):
            values.append(read_value(cursor, depth))
    cursor.sign(closing)
    return tuple(values)


def _operand(cursor: TokenCursor, depth: int) -> Value:
    if depth == 0:
        raise ScriptSyntaxError(cursor.line, f"values nest deeper than {_DEPTH_MAX}")
    token = cursor.peek()
    if token.kind is TokenKind.ELLIPSIS:
        cursor.take()
        return Anything()
    if token.kind is TokenKind.INTEGER:
        return cursor.integer(-(1 << 63), _NUMBER_MAX, "a number")
    if token.kind is TokenKind.HEXADECIMAL:
        if len(token.text) > 18:
            raise ScriptSyntaxError(token.line, f"the number {token.text[:32]} is over 64 bits")
        return int(cursor.take().text, 16)
    if token.kind is TokenKind.STRING:
        return _text(cursor)
    if token.kind is TokenKind.WORD:
        name = cursor.take().text
        if cursor.skip_sign("("):
            return Invocation(name, _values(cursor, ")", depth - 1))
        return Symbol(name)
    if cursor.skip_sign("["):
        return _values(cursor, "]", depth - 1)
    if cursor.skip_sign("{"):
        return _structure(cursor, depth - 1)
    raise cursor.unexpected("a value")


def _text(cursor: TokenCursor) -> Text:
    # Strings side by side are one, as in C; dots behind one say that more may follow.
    parts = []
    while cursor.peek().kind is TokenKind.STRING:
        parts.append(cursor.take().text)
    if cursor.peek().kind is TokenKind.ELLIPSIS:
        cursor.take()
    return Text("".join(parts))


def _structure(cursor: TokenCursor, depth: int) -> Structure:
    fields: list[tuple[str, Value]] = []
    items: list[Value] = []
    while not cursor.is_sign("}"):
        if cursor.peek().kind is TokenKind.WORD and _is_field(cursor):
            name = cursor.take().text
            if cursor.skip_sign("("):
                # msg_name(...) and msg_iov(1): the length, which the value tells as well.
                _values(cursor, ")", depth)
            cursor.sign("=")
            fields.append((name, read_value(cursor, depth)))
        else:
            items.append(read_value(cursor, depth))
        if not cursor.skip_sign(","):
            break
    cursor.sign("}")
    return Structure(tuple(fields), tuple(items))


def _is_field(cursor: TokenCursor) -> bool:
    return cursor.is_sign("=", 1) or (
        cursor.is_sign("(", 1) and cursor.is_sign(")", 3) and cursor.is_sign("=", 4)
    )
