"""
Bodies in each framing, read piece by piece and written (RFC 9112 section 7).
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TypeAlias

from netlab.http1.sansio.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.sansio.fields import Fields, parse_fields
from netlab.http1.sansio.framing import LENGTH_MAX_BYTES, Delimited, Fixed, Framing
from netlab.http1.sansio.grammar import CHUNK_LINE, CONTROL_BYTE, MISPLACED_BYTE
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import END_OF_MESSAGE, Content, EndOfMessage
from netlab.http1.sansio.receivebuffer import NOT_YET, ReceiveBuffer


class FixedReader:
    """
    Reads a body of known length.
    """

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        """
        @param length: how many bytes the body has.
        """
        self._left = length

    def read(self, buffer: ReceiveBuffer) -> Content | EndOfMessage | None:
        """
        Take the next piece out of the buffer.

        @return: content, the end of the message (ever after it too), or None to wait for more.
        """
        if not self._left:
            return END_OF_MESSAGE
        if not buffer:
            return None
        data = buffer.take(self._left)
        self._left -= len(data)
        return Content(data)

    def read_end(self) -> EndOfMessage:
        """
        The peer's side has ended.

        @raise RemoteProtocolError: when bytes are missing.
        """
        if self._left:
            raise RemoteProtocolError(400, f"the body ends {self._left} bytes early")
        return END_OF_MESSAGE


class UntilCloseReader:
    """
    Reads the body of a response that ends with the connection.
    """

    __slots__ = ()

    def read(self, buffer: ReceiveBuffer) -> Content | EndOfMessage | None:
        """
        Take all there is.

        @return: content, or None to wait for more.
        """
        return Content(buffer.take_all()) if buffer else None

    def read_end(self) -> EndOfMessage:
        """
        The peer's side has ended, and with it the body.
        """
        return END_OF_MESSAGE


class _ChunkPart(Enum):
    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILERS = auto()
    DONE = auto()


class ChunkedReader:
    """
    Reads a chunked body (RFC 9112 section 7.1): CRLF only, ASCII digits only, all of it bounded.
    """

    __slots__ = (
        "_content_left",
        "_left",
        "_limits",
        "_overhead",
        "_part",
        "_trailers",
        "_trailers_bytes",
    )

    def __init__(self, limits: Limits, content_max_bytes: int | None = None) -> None:
        """
        @param limits: the bounds of chunk lines and trailers.
        @param content_max_bytes: how much content there may be, or None for any amount.
        """
        self._limits = limits
        self._content_left = content_max_bytes
        self._part = _ChunkPart.SIZE
        self._left = 0
        self._overhead = 0
        self._trailers: list[bytes] = []
        self._trailers_bytes = 0

    def read(self, buffer: ReceiveBuffer) -> Content | EndOfMessage | None:
        """
        Take the next piece out of the buffer.

        @return: content, the end of the message, or None to wait for more.
        @raise RemoteProtocolError: 400 for what is no chunk, 413 as soon as a chunk's size says
            that there is too much content, 431 for too long a trailer section.
        """
        while True:
            part = self._part
            if part is _ChunkPart.DATA:
                if not buffer:
                    return None
                data = buffer.take(self._left)
                self._left -= len(data)
                if not self._left:
                    self._part = _ChunkPart.DATA_END
                return Content(data)
            if part is _ChunkPart.SIZE:
                if not self._read_size(buffer):
                    return None
            elif part is _ChunkPart.DATA_END:
                if not self._read_data_end(buffer):
                    return None
            elif part is _ChunkPart.TRAILERS:
                if not self._read_trailer(buffer):
                    return None
            else:
                return EndOfMessage(
                    parse_fields(b"".join(self._trailers), self._limits.field_lines_max)
                )

    def read_end(self) -> EndOfMessage:
        """
        The peer's side has ended before the last chunk.

        @raise RemoteProtocolError: always.
        """
        raise RemoteProtocolError(400, "the chunked body ends before its last chunk")

    def _read_line(self, buffer: ReceiveBuffer, max_bytes: int, status: int) -> bytes | None:
        """
        Take one line without its CRLF, or None where its end has not come yet.
        """
        end = buffer.find(b"\r\n", MISPLACED_BYTE)
        if 0 <= end <= max_bytes:
            line = buffer.take(end)
            buffer.take(2)
            if CONTROL_BYTE.search(line) is None:
                return line
        elif end == NOT_YET and len(buffer) <= max_bytes + 1:
            return None
        elif MISPLACED_BYTE.search(buffer.peek(max_bytes + 2)) is None:
            # A wrong byte behind the limit is never met when the bytes come one at a time.
            raise RemoteProtocolError(status, "a line of the chunked body is too long")
        raise RemoteProtocolError(400, "a line of the chunked body holds a control byte")

    def _read_size(self, buffer: ReceiveBuffer) -> bool:
        limits = self._limits
        line = self._read_line(
            buffer, limits.chunk_size_max_digits + limits.chunk_extension_max_bytes, 400
        )
        if line is None:
            return False
        match = CHUNK_LINE.fullmatch(line)
        if match is None:
            raise RemoteProtocolError(400, "a chunk does not begin with its size")
        digits, extensions = match[1], match[2]
        if len(digits) > limits.chunk_size_max_digits:
            raise RemoteProtocolError(400, "a chunk size has too many digits")
        if len(extensions) > limits.chunk_extension_max_bytes:
            raise RemoteProtocolError(400, "a chunk extension is too long")
        self._overhead += len(extensions)
        if self._overhead > limits.chunk_overhead_max_bytes:
            raise RemoteProtocolError(400, "the chunk extensions are too long together")
        self._left = int(digits, 16)
        if self._left > LENGTH_MAX_BYTES:
            raise RemoteProtocolError(400, "a chunk size is not a number of bytes")
        if self._content_left is not None:
            self._content_left -= self._left
            if self._content_left < 0:
                raise RemoteProtocolError(413, "the content is too long")
        self._part = _ChunkPart.DATA if self._left else _ChunkPart.TRAILERS
        return True

    def _read_data_end(self, buffer: ReceiveBuffer) -> bool:
        if buffer.peek(2) == b"\r\n":
            buffer.take(2)
            self._part = _ChunkPart.SIZE
            return True
        if buffer.peek(2) not in (b"", b"\r"):
            raise RemoteProtocolError(400, "a chunk is not followed by CRLF")
        return False

    def _read_trailer(self, buffer: ReceiveBuffer) -> bool:
        limits = self._limits
        line = self._read_line(buffer, limits.header_section_max_bytes - self._trailers_bytes, 431)
        if line is None:
            return False
        if not line:
            self._part = _ChunkPart.DONE
            return True
        self._trailers_bytes += len(line) + 2
        self._trailers.append(line + b"\r\n")
        if (
            len(self._trailers) > limits.field_lines_max
            or self._trailers_bytes > limits.header_section_max_bytes
        ):
            raise RemoteProtocolError(431, "the trailer section is too long")
        return True


BodyReader: TypeAlias = FixedReader | ChunkedReader | UntilCloseReader


def body_reader(
    framing: Framing, limits: Limits, content_max_bytes: int | None = None
) -> BodyReader:
    """
    Make the reader for this framing.

    @param content_max_bytes: how much content a chunked body may have, or None for any amount.
    """
    if isinstance(framing, Fixed):
        return FixedReader(framing.length)
    if framing is Delimited.CHUNKED:
        return ChunkedReader(limits, content_max_bytes)
    return UntilCloseReader()


class BodyWriter:
    """
    Frames the content that we send.
    """

    __slots__ = ("_framing", "_left")

    def __init__(self, framing: Framing) -> None:
        """
        @param framing: what the head that was sent has promised.
        """
        self._framing = framing
        self._left = framing.length if isinstance(framing, Fixed) else 0

    def write(self, data: bytes) -> bytes:
        """
        Frame a piece of content; an empty piece is no bytes, never a last chunk.

        @raise LocalProtocolError: when it is more than Content-Length said.
        """
        if isinstance(self._framing, Fixed):
            if len(data) > self._left:
                raise LocalProtocolError("more content than its Content-Length says")
            self._left -= len(data)
            return data
        if self._framing is Delimited.CHUNKED and data:
            return b"%x\r\n%b\r\n" % (len(data), data)
        return data

    def count(self, length: int) -> None:
        """
        Note content that leaves by another way, as a file does.

        @param length: how many bytes of it.
        @raise LocalProtocolError: when it is more than Content-Length said, or the framing is
            chunked, which such bytes cannot have.
        """
        if self._framing is Delimited.CHUNKED or (
            isinstance(self._framing, Fixed) and length > self._left
        ):
            raise LocalProtocolError("this content does not fit the framing of its message")
        self._left -= length

    def write_end(self, trailers: Fields) -> bytes:
        """
        Frame the end of the message.

        @raise LocalProtocolError: when content is missing, or trailers go with another framing
            than chunked.
        """
        if self._framing is Delimited.CHUNKED:
            return b"0\r\n%b\r\n" % trailers.serialised
        if isinstance(self._framing, Fixed) and self._left:
            raise LocalProtocolError(f"{self._left} bytes of content are missing")
        if trailers:
            raise LocalProtocolError("only a chunked body has a trailer section")
        return b""
