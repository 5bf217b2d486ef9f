"""
A field line given as an option, C{--header "Name: value"}: what may be added to every answer.
"""

from __future__ import annotations

from typing import Final

from netlab.http1.resources.faults import quoted
from netlab.http1.sansio.grammar import CONTROL_BYTE, is_token

_RESERVED: Final = frozenset(
    (
        # Message framing and the connection are the machine's.
        b"connection", b"content-length", b"date", b"keep-alive", b"proxy-connection", b"te",
        b"trailer", b"transfer-encoding", b"upgrade",
        # These follow from what is sent, and would be wrong beside anything else.
        b"accept-ranges", b"content-encoding", b"content-range", b"content-type", b"etag",
        b"last-modified", b"location", b"www-authenticate",
    )
)  # fmt: skip


def parse_field_option(option: bytes) -> tuple[bytes, bytes]:
    """
    Read a field line.

    @param option: a field name, a colon and a field value; white space around the value is dropped.
    @return: name and value, which L{netlab.http1.sansio.fields.Fields} takes.
    @raise ValueError: with what is wrong: no field line (RFC 9112 section 5), or a field that the
        server itself must write.
    """
    name, colon, value = option.partition(b":")
    if not colon:
        raise ValueError(f"{quoted(option)} is not a field name, a colon and a value")
    if not is_token(name):
        raise ValueError(f"{quoted(name)} is not a field name")
    if name.lower() in _RESERVED:
        raise ValueError(f"the field {quoted(name)} is written by the server itself")
    value = value.strip(b" \t")
    if CONTROL_BYTE.search(value):
        raise ValueError(f"the value of {quoted(name)} holds a control byte")
    return name, value
