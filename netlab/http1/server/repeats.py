"""
Answers that may be sent again to the same bytes, without asking anyone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from weakref import ref

from netlab.http1.accesslog.counters import Tally
from netlab.http1.accesslog.loglines import LoggedAnswers
from netlab.http1.resources.files import FileRange
from netlab.http1.sansio.memo import Memo
from netlab.http1.sansio.serversettings import ServerSettings

HEAD_MAX_BYTES: Final = 4096
"""Answers to longer request heads are not kept."""

_ANSWERS_MAX: Final = 16384
_ANSWERS_MAX_BYTES: Final = 32 << 20
_LAST_ANSWERS_MAX: Final = 1024
_LAST_ANSWERS_MAX_BYTES: Final = 4 << 20
_FILES_MAX: Final = 128


class Repeat:
    """
    An answer that may be sent again to the same request head; or, for requests that come in one
    delivery again and again, their answers.

    @ivar data: head and content.
    @ivar until: until when, in seconds since the epoch.
    @ivar renew: as in L{Response<netlab.http1.resources.responses.Response>}.
    @ivar logged: for the log.
    @ivar tally: counts them.
    @ivar content_bytes: of all of them.
    @ivar count: how many answers there are.
    """

    __slots__ = ("content_bytes", "count", "data", "logged", "renew", "tally", "until")

    def __init__(
        self,
        data: bytes,
        until: float,
        renew: Callable[[float], float] | None,
        logged: LoggedAnswers,
        tally: Tally,
        content_bytes: int,
        count: int = 1,
    ) -> None:
        self.data = data
        self.until = until
        self.renew = renew
        self.logged = logged
        self.tally = tally
        self.content_bytes = content_bytes
        self.count = count


class FileRepeat(Repeat):
    """
    An answer whose content is a range of an open file; C{data} is its head.

    @ivar file: the file, while somebody else keeps it open.
    @ivar offset: where the range begins, in bytes; it has C{content_bytes}.
    """

    __slots__ = ("file", "offset")

    def __init__(
        self,
        data: bytes,
        until: float,
        renew: Callable[[float], float] | None,
        logged: LoggedAnswers,
        tally: Tally,
        content: FileRange,
    ) -> None:
        super().__init__(data, until, renew, logged, tally, content.length)
        # A deleted file must not take room on the disk until other answers have displaced this.
        self.file = ref(content.file)
        self.offset = content.offset


class Repeats:
    """
    All that may be sent again, bounded in number and in bytes.

    @ivar young: answers kept or used lately, with weights: for whoever cannot afford a call, and
        then looks at C{until} himself.
    """

    def __init__(self, settings: ServerSettings) -> None:
        """
        @param settings: what the answers were made with.
        """
        self._settings = settings
        self._answers: Memo[bytes, Repeat] = Memo(_ANSWERS_MAX, _ANSWERS_MAX_BYTES)
        self._last_answers: Memo[bytes, Repeat] = Memo(_LAST_ANSWERS_MAX, _LAST_ANSWERS_MAX_BYTES)
        self._files: Memo[bytes, FileRepeat] = Memo(_FILES_MAX)
        self.young = self._answers.young

    def find(self, raw: bytes, now: float) -> Repeat | None:
        """
        Find the answer to a request head, or the answers to several that came in one delivery.

        @param raw: the head, or the delivery, as it came.
        """
        return self._fresh(self._answers.get(raw), now)

    def find_last(self, raw: bytes, now: float) -> Repeat | None:
        """
        Find the answer to a request head that asks for the end of the connection.

        @param raw: as for L{find}.
        """
        return self._fresh(self._last_answers.get(raw), now)

    def find_file(self, raw: bytes, now: float) -> tuple[FileRepeat, FileRange] | None:
        """
        Find the answer to a request head that is a large file.

        @param raw: as for L{find}.
        @return: the answer and its content, to be closed.
        """
        repeat = self._files.get(raw)
        if repeat is None or self._fresh(repeat, now) is None:
            return None
        file = repeat.file()
        return (
            None if file is None else (repeat, FileRange(file, repeat.offset, repeat.content_bytes))
        )

    def keep_file(self, raw: bytes, repeat: FileRepeat) -> None:
        """
        Keep an answer that is a large file.
        """
        self._files.put(raw, repeat)

    def keep(self, raw: bytes, repeat: Repeat, *, is_last: bool) -> None:
        """
        Keep an answer.

        @param is_last: whether it ends the connection because the request head asked for that.
        """
        answers = self._last_answers if is_last else self._answers
        answers.put(raw, repeat, _weight(raw, repeat))

    def keep_burst(self, delivery: bytes, burst: Repeat) -> None:
        """
        Keep the answers to all that is in a delivery: L{joined}. They stand among the others: one
        look finds either.
        """
        self._answers.put(delivery, burst, _weight(delivery, burst))

    def _fresh(self, repeat: Repeat | None, now: float) -> Repeat | None:
        if repeat is None or now < repeat.until:
            return repeat
        if repeat.renew is None:
            return None
        repeat.until = repeat.renew(now)
        if repeat.until <= now:
            return None
        repeat.data = self._settings.redate(repeat.data, now)
        return repeat


def _weight(asked: bytes, repeat: Repeat) -> int:
    """
    Say how much an answer takes in memory, in bytes. The log's lines count: with each byte of a
    head escaped, they are longer than all else.
    """
    return len(asked) + len(repeat.data) + repeat.logged.weight


def joined(repeats: Sequence[Repeat]) -> Repeat:
    """
    Make one of answers of the same status that leave together.

    @param repeats: at least one.
    """
    if len(repeats) == 1:
        return repeats[0]
    return Repeat(
        b"".join([repeat.data for repeat in repeats]),
        min([repeat.until for repeat in repeats]),
        None,
        LoggedAnswers(tuple(answer for repeat in repeats for answer in repeat.logged.answers)),
        repeats[0].tally,
        sum([repeat.content_bytes for repeat in repeats]),
        len(repeats),
    )
