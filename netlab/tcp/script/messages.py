"""
The structures of C{sendmsg}, C{recvmsg} and their like.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.script.language.errors import DifferenceError, NotSupportedError, ScriptSyntaxError
from netlab.tcp.script.language.symbols import name_of, number
from netlab.tcp.script.language.syntax import Structure, Value
from netlab.tcp.script.sockets import ScriptSocket

#: POSIX's limit of pieces per call.
_PIECES_MAX: Final = 1024


def iov_bytes(pieces: Value, line: int) -> list[int]:
    """
    Get the lengths of a list of buffers: C{[{..., 1000}, {..., 24}]}.
    """
    if not isinstance(pieces, tuple) or len(pieces) > _PIECES_MAX:
        raise ScriptSyntaxError(line, f"a list of at most {_PIECES_MAX} buffers is wanted")
    lengths = []
    for piece in pieces:
        if not isinstance(piece, Structure) or len(piece.items) != 2:
            raise ScriptSyntaxError(line, "a buffer is written as {..., length}")
        lengths.append(number(piece.items[1], line))
    return lengths


def check_control(message: Structure, socket: ScriptSocket, line: int) -> None:
    """
    Hold the control messages that a script expects against those that there are: with C{TCP_INQ},
    how many bytes can still be read.

    @raise DifferenceError: they are others.
    """
    expected = message.field("msg_control") or ()
    if not isinstance(expected, tuple):
        raise ScriptSyntaxError(line, "msg_control is a list")
    seen = []
    if socket.options.get("TCP_INQ") and socket.connection is not None:
        unread = socket.connection.received.unread
        # Linux counts the end as a byte where nothing else is left.
        seen.append(("TCP_CM_INQ", unread or int(socket.has_ended)))
    wanted = []
    for control in expected:
        if not isinstance(control, Structure):
            raise ScriptSyntaxError(line, "a control message is a structure")
        kind = name_of(control.field("cmsg_type") or 0, line)
        if kind != "TCP_CM_INQ":
            raise NotSupportedError(line, f"the control message {kind}")
        wanted.append((kind, number(control.field("cmsg_data") or 0, line)))
    if wanted != seen:
        raise DifferenceError(line, f"expected the control messages {wanted}, got {seen}")
