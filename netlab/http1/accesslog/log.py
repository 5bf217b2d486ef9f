"""
What is written down of each answer: it is counted, and has a line in the access log, buffered.
"""

from __future__ import annotations

from typing import Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from netlab.http1 import SERVER_NAME
from netlab.http1.accesslog.counters import Counters, Tally
from netlab.http1.accesslog.loglines import (
    CLEAN_BYTES,
    CombinedFormat,
    LineFormat,
    LoggedAnswer,
    LoggedAnswers,
    RequestTexts,
)
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import DateField

FLUSH_SECONDS: Final = 1.0
FLUSH_LINES: Final = 512
FLUSH_LINE_BYTES: Final = 8192
"""A line longer than this is written at once: escaped, the longest are of 100 KB."""

_AGENTS_MAX: Final = 256
_AGENT_MAX_BYTES: Final = 512

_log = Logger(namespace=SERVER_NAME)


class LogFile(Protocol):
    """
    Where lines go.
    """

    def write(self, data: bytes, /) -> object:
        """
        Write some lines.
        """

    def reopen(self) -> None:
        """
        Go on in the file that now has this name.
        """


class AccessLog:
    """
    Writes a line for each answer, some hundred at a time.
    """

    def __init__(
        self, file: LogFile, clock: IReactorTime, line_format: LineFormat | None = None
    ) -> None:
        """
        @param file: open for appending, unbuffered.
        @param clock: calls back to write what has gathered.
        @param line_format: the combined format unless told otherwise.
        """
        self._format = CombinedFormat() if line_format is None else line_format
        self._template = self._format.template
        self._nothing = self._format.nothing
        self._file = file
        self._clock = clock
        self._texts: list[bytes] = []
        # How many lines these are.
        self._waiting = 0
        self._call: IDelayedCall | None = None
        self._agents: dict[tuple[bytes, ...], bytes] = {}
        self._second = -1
        self._stamp = b""

    def add(
        self, peer: bytes, now: float, head: RequestHead | None, status: int, content_bytes: int
    ) -> None:
        """
        Add a line.

        @param peer: the peer's address; empty where it has none.
        @param now: when the answer was complete, in seconds since the epoch.
        @param head: the request's; None where none could be read.
        @param status: the answer's status.
        @param content_bytes: how many bytes of content were sent.
        """
        second = int(now)
        if second != self._second:
            self._set_second(second)
        request = referrer = agent = self._nothing
        if head is not None:
            index = head.fields.index
            raw = head.raw
            request = raw[: raw.find(b"\r\n")]
            # What is left when all that is clean is deleted.
            if request.translate(None, CLEAN_BYTES):
                request = self._format.quoted(request)
            else:
                request = b'"%b"' % request
            agents = index.get(b"user-agent")
            if agents is not None:
                agent = self._agents.get(agents) or self._quoted_agent(agents)
            if b"referer" in index:
                referrer = b", ".join(index[b"referer"])
                if not referrer or referrer.translate(None, CLEAN_BYTES):
                    referrer = self._format.quoted(referrer)
                else:
                    referrer = b'"%b"' % referrer
        line = self._template % (
            peer or b"-", self._stamp, request, status, content_bytes, referrer, agent
        )  # fmt: skip
        self._texts.append(line)
        self._waiting += 1
        if len(line) > FLUSH_LINE_BYTES:
            self._write()
        elif self._call is None or self._waiting >= FLUSH_LINES:
            self._see_to_it()

    def _quoted_agent(self, agents: tuple[bytes, ...]) -> bytes:
        """
        Write a user agent. There are few, and they are long.
        """
        quoted = self._format.quoted(b", ".join(agents))
        if len(quoted) <= _AGENT_MAX_BYTES:
            if len(self._agents) >= _AGENTS_MAX:
                self._agents.clear()
            self._agents[agents] = quoted
        return quoted

    def request_texts(self, head: RequestHead) -> RequestTexts:
        """
        Write what L{add_again} says of a request.
        """
        raw = head.raw
        fields = head.fields
        texts = (raw[: raw.find(b"\r\n")], fields.get(b"referer"), fields.get(b"user-agent"))
        request, referrer, agent = (
            self._nothing if text is None else self._format.quoted(text) for text in texts
        )
        return request, referrer, agent

    def add_again(self, peer: bytes, now: float, answers: LoggedAnswers) -> None:
        """
        Add the lines of answers that are sent again.

        @param peer: as for L{add}, and so is C{now}.
        """
        # (A clock may be set back.)
        if not answers.since <= now < answers.until or answers.peer != peer:
            second = int(now)
            if second != self._second:
                self._set_second(second)
            answers.text = b"".join([self._line(peer, answer) for answer in answers.answers])
            answers.since = float(self._second)
            answers.until = answers.since + 1.0
            answers.peer = peer
        self._texts.append(answers.text)
        self._waiting += answers.count
        if self._call is None or self._waiting >= FLUSH_LINES:
            self._see_to_it()

    def _set_second(self, second: int) -> None:
        if second < self._second:
            # The reactor's own timers go by a clock that was set back: do not wait for them.
            self.flush()
        self._second = second
        self._stamp = self._format.stamp(second)

    def _line(self, peer: bytes, answer: LoggedAnswer) -> bytes:
        (request, referrer, agent), status, content_bytes = answer
        return self._template % (
            peer or b"-", self._stamp, request, status, content_bytes, referrer, agent
        )  # fmt: skip

    def _see_to_it(self) -> None:
        """
        Write what has gathered, in a while, or now if it is much.
        """
        if self._call is None:
            self._call = self._clock.callLater(FLUSH_SECONDS, self._flush_later)
        elif self._waiting >= FLUSH_LINES:
            self._write()

    def flush(self) -> None:
        """
        Write what has gathered, now.
        """
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._write()

    def reopen(self) -> None:
        """
        Write what has gathered, then go on in the file that now has this name (logrotate).
        """
        self.flush()
        try:
            self._file.reopen()
        except OSError as error:
            _log.error("The access log stays in its old file: {error}", error=error)
        else:
            _log.info("The access log was opened anew")

    def _flush_later(self) -> None:
        self._call = None
        self._write()

    def _write(self) -> None:
        texts, self._texts = self._texts, []
        lines, self._waiting = self._waiting, 0
        if not texts:
            return
        try:
            self._file.write(b"".join(texts))
        except OSError as error:
            # A full disk must not stop the server; the lines are lost, and that is said.
            _log.error(
                "{count} lines of the access log are lost: {error}", count=lines, error=error
            )


class RepeatedAnswer(Protocol):
    """
    What is known of an answer, or of several that leave together, whenever it is sent again.

    @ivar tally: counts them.
    @ivar count: how many answers there are.
    @ivar content_bytes: how many bytes of content are sent.
    @ivar logged: their lines.
    """

    tally: Tally
    count: int
    content_bytes: int
    logged: LoggedAnswers


class AnswerRecorder:
    """
    Counts and logs answers: each of them here, and nowhere else. Times are by the clock of the
    connections.
    """

    __slots__ = ("_counters", "_date", "_log")

    def __init__(self, counters: Counters, log: AccessLog | None, date: DateField) -> None:
        """
        @param counters: count.
        @param log: gets a line for each answer; None for none.
        @param date: knows the difference of the two clocks.
        """
        self._counters = counters
        self._log = log
        self._date = date

    def record(
        self, peer: bytes, head: RequestHead | None, status: int, content_bytes: int, now: float
    ) -> None:
        """
        Count and log an answer.

        @param head: the request's; None where none could be read.
        @param content_bytes: how many bytes of content were sent.
        """
        counters = self._counters
        tally = counters.tallies.get(status) or counters.tally(status)
        tally.answers += 1
        tally.content_bytes += content_bytes
        log = self._log
        if log is not None:
            log.add(peer, now + self._date.offset, head, status, content_bytes)

    def record_again(self, peer: bytes, answer: RepeatedAnswer, now: float) -> None:
        """
        Count and log an answer that was sent again.
        """
        tally = answer.tally
        tally.answers += answer.count
        tally.content_bytes += answer.content_bytes
        log = self._log
        if log is not None:
            log.add_again(peer, now + self._date.offset, answer.logged)

    def record_part(self, peer: bytes, answer: RepeatedAnswer, sent: int, now: float) -> None:
        """
        Count and log an answer that was to be sent again, and was cut off.

        @param answer: a single one.
        @param sent: how many bytes of its content were sent.
        """
        answer.tally.answers += 1
        answer.tally.content_bytes += sent
        if self._log is not None:
            texts, status, _whole = answer.logged.answers[0]
            cut = LoggedAnswers(((texts, status, sent),))
            self._log.add_again(peer, now + self._date.offset, cut)

    def logged(self, head: RequestHead, status: int, content_bytes: int) -> LoggedAnswers:
        """
        Make what is logged of an answer whenever it is sent again.
        """
        texts = (b"", b"", b"") if self._log is None else self._log.request_texts(head)
        return LoggedAnswers(((texts, status, content_bytes),))
