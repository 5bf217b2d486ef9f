"""
Field lines: ordered, with names compared without regard to case (RFC 9110 section 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Self

from netlab.http1.sansio.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.sansio.grammar import CONTROL_BYTE, FIELD_LINES, is_token, split_list

CONNECTIONS_OWN: Final = frozenset(
    (b"connection", b"content-length", b"date", b"transfer-encoding")
)
"""What a connection says of its messages, so that nobody else must."""


class Fields:
    """
    A header or trailer section: immutable, comparable, in the order of its lines.

    What is not known when it is made is made of the rest when somebody asks.

    @ivar lines: the pairs of field name and field value, the names in the case they came in.
    @ivar index: the values of all lines of a name, in order, by the name in lower case; for
        reading only.
    @ivar serialised: the field lines as they go onto the wire, each with its CRLF.
    @ivar frames: whether one of the fields is a connection's own to send (L{CONNECTIONS_OWN}).
    @ivar received: lines as they came, without their CRLFs, where L{lines} is not known.
    """

    __slots__ = ("frames", "index", "lines", "received", "serialised")

    lines: tuple[tuple[bytes, bytes], ...]
    index: dict[bytes, tuple[bytes, ...]]
    serialised: bytes
    frames: bool
    received: Sequence[bytes]

    def __init__(self, lines: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """
        @param lines: names and values of any origin.
        @raise LocalProtocolError: when a name is no token, or a value could end its line (response
            splitting) or has white space around it.
        """
        checked = tuple(lines)
        for name, value in checked:
            if not is_token(name):
                raise LocalProtocolError(f"not a field name: {name!r}")
            if CONTROL_BYTE.search(value) or value.strip(b" \t") != value:
                raise LocalProtocolError(f"not a value for the field {name!r}: {value!r}")
        self.lines = checked

    @classmethod
    def known(cls, lines: Iterable[tuple[bytes, bytes]]) -> Self:
        """
        Make fields of lines that are known to be valid, as those of L{parse_fields} are.
        """
        fields = cls.__new__(cls)
        fields.lines = tuple(lines)
        return fields

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            # Only where a slot is empty.
            if name == "lines":
                pairs = (line.split(b":", 1) for line in self.received)
                made = tuple([(name, value.strip(b" \t")) for name, value in pairs])
            elif name == "index":
                made = {}
                for field_name, value in self.lines:
                    lowered = field_name.lower()
                    made[lowered] = (*made[lowered], value) if lowered in made else (value,)
            elif name == "frames":
                names = [field_name.lower() for field_name, _value in self.lines]
                made = not CONNECTIONS_OWN.isdisjoint(names)
            elif name == "serialised":
                made = b"".join([b"%b: %b\r\n" % line for line in self.lines])
            else:
                raise AttributeError(name)
            setattr(self, name, made)
            return made

    def get_all(self, name: bytes) -> tuple[bytes, ...]:
        """
        Return the values of all lines of this name, in order.

        @param name: the field name in lower case.
        """
        return self.index.get(name, ())

    def get(self, name: bytes) -> bytes | None:
        """
        Return the field's value, its lines joined with a comma (RFC 9110 section 5.3), or None.

        @param name: the field name in lower case.
        """
        values = self.index.get(name)
        if values is None:
            return None
        return values[0] if len(values) == 1 else b", ".join(values)

    def tokens(self, name: bytes) -> frozenset[bytes]:
        """
        Return the elements of a list-based field in lower case, without their order.

        @param name: the field name in lower case.
        """
        return frozenset(element.lower() for element in split_list(self.get_all(name)))

    def __contains__(self, name: object) -> bool:
        return name in self.index

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fields):
            return NotImplemented
        return self.lines == other.lines

    def __hash__(self) -> int:
        return hash(self.lines)

    def __repr__(self) -> str:
        return f"Fields({list(self.lines)!r})"


NO_FIELDS: Final = Fields()


def parse_fields(section: bytes, lines_max: int) -> Fields:
    """
    Read a header or trailer section.

    @param section: field lines, each with its CRLF, without the empty line that ends them.
    @param lines_max: how many lines there may be, inclusive.
    @raise RemoteProtocolError: 400 with what is wrong; 431 where there are too many lines.
    """
    if FIELD_LINES.fullmatch(section) is None:
        raise RemoteProtocolError(400, _fault(section))
    # The pattern has shown that all of it is lines, each with a colon.
    pairs = [line.split(b":", 1) for line in section.split(b"\r\n")[:-1]]
    if len(pairs) > lines_max:
        raise RemoteProtocolError(431, f"there are more than {lines_max} field lines")
    return Fields.known([(name, value.strip(b" \t")) for name, value in pairs])


def _fault(section: bytes) -> str:
    """
    Find words for what keeps these bytes from being field lines.
    """
    for line in section.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if not line:
            continue
        if line[:1] in (b" ", b"\t"):
            return "a field line begins with white space (obsolete line folding)"
        if not colon:
            return "a field line has no colon"
        if not name:
            return "a field line has no field name"
        if name[-1:] in (b" ", b"\t"):
            return "there is white space between a field name and its colon"
        if not is_token(name):
            return "a field name holds a byte that no name may have"
        if CONTROL_BYTE.search(value):
            return "a field value holds a control byte"
    return "the header section is malformed"
