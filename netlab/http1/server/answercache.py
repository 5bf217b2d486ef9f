"""
The answer cache: what was answered to a request may be sent again when the same bytes come again.

It is a layer in front of everything else, in which a delivery is looked up once. Without it a
server says the same, and takes about twice as long for what it has just said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from weakref import ref

from netlab.http1.accesslog.counters import Tally
from netlab.http1.accesslog.loglines import LoggedAnswers
from netlab.http1.resources.files import FileRange
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import ServerSettings

HEAD_MAX_BYTES: Final = 4096
"""Answers to longer request heads are not kept."""

DELIVERY_MAX_BYTES: Final = 16384
"""Nor are those to longer deliveries, of several heads."""

ANSWERS_MAX: Final = 16384
"""How many answers are kept at the most."""

#: Each delivery has a place among this many, by its hash, where it leaves another part of its hash.
#: The next to come to that place takes it. So a mark costs no memory of its own; one delivery in
#: 128 is taken for one that has come before, and its answer is kept for nothing.
_MARKS_MASK: Final = 0xFFFF

#: What is in a request with one of these does not stay in memory.
_SECRET: Final = (b"authorization", b"cookie", b"proxy-authorization")

#: What an answer takes in memory besides its bytes.
_ANSWER_WEIGHT: Final = 600


class CachedAnswer:
    """
    An answer that may be sent again to the same request head; or, for requests that come in one
    delivery again and again, their answers.

    @ivar data: head and content.
    @ivar until: until when, by the server's clock.
    @ivar renew: as in L{Response<netlab.http1.resources.responses.Response>}.
    @ivar logged: for the log.
    @ivar tally: counts them.
    @ivar content_bytes: how many bytes of content are sent.
    @ivar count: how many answers there are.
    @ivar closes: whether it ends the connection, because the request head asked for that.
    @ivar file: the open file of which a range is the content, while somebody else keeps it open: a
        deleted one must not take room on the disk until other answers have displaced this. C{data}
        is the head then. None where all is in C{data}.
    @ivar offset: where the range begins, in bytes.
    """

    __slots__ = (
        "closes",
        "content_bytes",
        "count",
        "data",
        "file",
        "logged",
        "offset",
        "renew",
        "tally",
        "until",
    )

    def __init__(
        self,
        data: bytes,
        until: float,
        renew: Callable[[], float] | None,
        logged: LoggedAnswers,
        tally: Tally,
        content_bytes: int,
        count: int = 1,
        *,
        closes: bool = False,
        content: FileRange | None = None,
    ) -> None:
        self.file = None if content is None else ref(content.file)
        self.offset = 0 if content is None else content.offset
        self.data = data
        self.until = until
        self.renew = renew
        self.logged = logged
        self.tally = tally
        self.content_bytes = content_bytes
        self.count = count
        self.closes = closes


def joined(answers: Sequence[CachedAnswer]) -> CachedAnswer | None:
    """
    Make one of answers that have left together.

    @param answers: at least one.
    @return: None where they are of several statuses.
    """
    tally = answers[0].tally
    if any(answer.tally is not tally for answer in answers):
        return None
    return CachedAnswer(
        b"".join([answer.data for answer in answers]),
        min([answer.until for answer in answers]),
        None,
        LoggedAnswers(tuple(logged for answer in answers for logged in answer.logged.answers)),
        tally,
        sum([answer.content_bytes for answer in answers]),
        len(answers),
    )


class AnswerCache:
    """
    Answers by the deliveries that they answer: whole request heads, byte for byte, one or several.

    Only what comes a second time is kept, so a flood of different heads leaves next to nothing
    behind. The cache is bounded in number and in bytes; when it is full it begins anew.

    @ivar known: the answers, for reading only: the fast path, which saves a call, looks here, and
        then at C{until}.
    """

    def __init__(
        self, settings: ServerSettings, max_bytes: int, private: Sequence[bytes] = ()
    ) -> None:
        """
        @param settings: what the answers are made with.
        @param max_bytes: how much memory they may take, at least 1.
        @param private: fields, in lower case, whose requests are not to be known by their bytes
            alone, beside those that carry secrets.
        """
        self._private = frozenset((*_SECRET, *private))
        self._settings = settings
        self._max_bytes = max_bytes
        self._bytes = 0
        self.known: dict[bytes, CachedAnswer] = {}
        self._marks = bytearray(_MARKS_MASK + 1)

    @property
    def bytes_kept(self) -> int:
        """
        How much memory the answers take, as far as is counted.
        """
        return self._bytes

    def has_come(self, delivery: bytes) -> bool:
        """
        Say whether a delivery has come before, lately; the next time it will have.
        """
        if len(delivery) > DELIVERY_MAX_BYTES:
            return False
        mark = hash(delivery)
        place = mark & _MARKS_MASK
        tag = (mark >> 16 & 0x7F) + 1
        if self._marks[place] == tag:
            return True
        self._marks[place] = tag
        return False

    def wants(self, head: RequestHead, response: Response, *, is_alone: bool) -> bool:
        """
        Say whether an answer is to be kept: it may be sent again, no secret stays in memory with
        it, and its head has come before.

        @param is_alone: whether the head is all of its delivery. If not, that has come before.
        """
        index = head.fields.index
        if not self._private.isdisjoint(index):
            return False
        if not (response.repeat_seconds > 0 or response.renew is not None):
            return False
        return len(head.raw) <= HEAD_MAX_BYTES and (not is_alone or self.has_come(head.raw))

    def keep(self, delivery: bytes, answer: CachedAnswer) -> None:
        """
        Keep an answer.
        """
        # The log's lines count: with each byte of a head escaped, they are longer than all else.
        weight = len(delivery) + len(answer.data) + answer.logged.weight + _ANSWER_WEIGHT
        if weight > self._max_bytes:
            return
        if len(self.known) >= ANSWERS_MAX or self._bytes + weight > self._max_bytes:
            self.known.clear()
            self._bytes = 0
        # One in whose place this comes is counted until then: that is rare, and on the safe side.
        self._bytes += weight
        self.known[delivery] = answer

    def renew(self, delivery: bytes, answer: CachedAnswer, now: float) -> bool:
        """
        Find out whether an answer whose time is over may be sent once more.

        @param answer: what is known for the delivery.
        """
        more = 0.0 if answer.renew is None else answer.renew()
        if more <= 0:
            del self.known[delivery]
            return False
        answer.until = now + more
        answer.data = self._settings.redate(answer.data, now)
        return True
