"""
Sending answers again: to requests whose bytes have been answered before, and may be answered in the
same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.http1.accesslog.loglines import LoggedAnswer, LoggedAnswers
from netlab.http1.resources.files import FileRange
from netlab.http1.resources.responses import ContentSource, Response
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.server.repeats import HEAD_MAX_BYTES, FileRepeat, Repeat, joined
from netlab.http1.server.sender import PIECE_BYTES, sender_for

if TYPE_CHECKING:
    from netlab.http1.server.factory import HTTPServerFactory
    from netlab.http1.server.protocol import HTTPServerProtocol


# Answers that are known


def answer_known(connection: HTTPServerProtocol, data: bytes, now: float) -> bytes:
    """
    Answer the requests at the beginning of a delivery whose answers are known.

    @return: what is left of the delivery.
    """
    repeats = connection.factory.repeats
    machine = connection.machine
    # One request, or several that have come in one delivery before.
    known_whole = repeats.find(data, now)
    if known_whole is not None and machine.repeat_exchanges(now, known_whole.count):
        _send_again(connection, known_whole, now)
        return b""
    last = repeats.find_last(data, now)
    if last is not None and machine.repeat_last_exchange():
        _send_again(connection, last, now)
        connection.lose()
        return b""
    file = repeats.find_file(data, now)
    if file is not None and machine.begin_repeat():
        _send_file_again(connection, *file)
        return b""
    # Otherwise head by head, with the answers sent in few pieces.
    known: list[Repeat] = []
    is_one_piece = True
    out_bytes = 0
    begin = 0
    while not connection.is_write_blocked:
        end = data.find(b"\r\n\r\n", begin) + 4
        if end < 4:
            break
        repeat = repeats.find(data[begin:end], now)
        if repeat is None or not machine.repeat_exchanges(now):
            break
        begin = end
        if known and (out_bytes > PIECE_BYTES or repeat.tally is not known[0].tally):
            _send_again(connection, joined(known), now)
            known.clear()
            is_one_piece = False
            out_bytes = 0
        known.append(repeat)
        out_bytes += len(repeat.data)
    if known:
        burst = joined(known)
        _send_again(connection, burst, now)
        if burst.count > 1 and is_one_piece and begin == len(data):
            repeats.keep_burst(data, burst)
    return data[begin:]


def _send_again(connection: HTTPServerProtocol, repeat: Repeat, now: float) -> None:
    """
    Send a repeated answer, count it and log it.
    """
    connection.transport.write(repeat.data)  # type: ignore[union-attr]
    count_again(connection.factory, connection.peer, repeat, now)


def count_again(factory: HTTPServerFactory, peer: bytes, repeat: Repeat, now: float) -> None:
    """
    Count and log a repeated answer.

    @param peer: who got it.
    """
    repeat.tally.answers += repeat.count
    repeat.tally.content_bytes += repeat.content_bytes
    log = factory.access_log
    if log is not None:
        log.add_again(peer, now, repeat.logged)


def finish_last(connection: HTTPServerProtocol, repeat: Repeat, sent: int) -> None:
    """
    Send the rest of the only answer of a connection, then close.

    @param sent: how many bytes of the answer were sent before the connection had a protocol.
    """
    if not connection.machine.repeat_last_exchange():
        # Refused in the meantime: a second answer behind the half of one would look like its rest.
        connection.abort()
        return
    connection.transport.write(repeat.data[sent:])  # type: ignore[union-attr]
    count_again(connection.factory, connection.peer, repeat, connection.factory.seconds())
    connection.lose()


def _send_file_again(
    connection: HTTPServerProtocol, repeat: FileRepeat, content: FileRange
) -> None:
    """
    Send a large file again.
    """
    transport = connection.transport
    assert transport is not None
    factory = connection.factory

    def done(why: Exception | None) -> None:
        content.close()
        if why is not None:
            connection.sender_failed(why)
            part, status, _ = repeat.logged.answers[0]
            factory.count(connection.peer, (part, status, sender.sent))
            return
        connection.take_back()
        now = factory.seconds()
        connection.machine.end_repeat(now)
        repeat.tally.answers += 1
        repeat.tally.content_bytes += sender.sent
        if factory.access_log is not None:
            factory.access_log.add_again(connection.peer, now, repeat.logged)
        if connection.machine.must_close:
            connection.close_in_order()
        elif has_begun:
            connection.advance()

    def progressed(sent: int) -> None:
        if has_begun:
            connection.expect_progress()

    has_begun = False
    sender = sender_for(transport, content, done, progressed, factory.bystanders.are_there)
    connection.hand_over_to(sender)
    sender.begin(repeat.data)
    has_begun = True
    if connection.sender is sender:
        connection.expect_progress()


# Answers that become known


def repeatable_until(
    connection: HTTPServerProtocol, head: RequestHead, response: Response, now: float
) -> float:
    """
    Say until when an answer may be sent again to the same request head.

    @return: a time that has passed where it may not.
    """
    if (
        len(head.raw) > HEAD_MAX_BYTES
        or connection.machine.promised_content_bytes != 0
        # Over TLS and without it, it has two answers.
        or head.target.is_https
        or connection.factory.shows_requests
    ):
        return 0.0
    if response.repeat_until <= now and response.renew is not None:
        return response.renew(now)
    return response.repeat_until


def keep(
    factory: HTTPServerFactory,
    head: RequestHead,
    response: Response,
    until: float,
    data: bytes,
    logged: LoggedAnswer,
    *,
    is_last: bool,
) -> None:
    """
    Remember an answer that went out in one piece.

    @param until: what L{repeatable_until} has said.
    @param data: all of the answer.
    @param logged: how it stands in the log.
    @param is_last: whether it ends the connection because the request head asked for that.
    """
    _, status, sent = logged
    tally = factory.counters.tally(status)
    repeat = Repeat(data, until, response.renew, LoggedAnswers((logged,)), tally, sent)
    factory.repeats.keep(head.raw, repeat, is_last=is_last)


def keep_file(
    connection: HTTPServerProtocol,
    head: RequestHead,
    response: Response,
    source: ContentSource,
    data: bytes,
) -> None:
    """
    Remember an answer with a large file, if it may be sent again.

    @param data: the head of the answer.
    """
    factory = connection.factory
    now = factory.seconds()
    if not isinstance(source, FileRange) or not connection.machine.is_persistent:
        return
    until = repeatable_until(connection, head, response, now)
    if until <= now:
        return
    part = (b"", b"") if factory.access_log is None else factory.access_log.request_part(head)
    logged = LoggedAnswers(((part, response.status, source.length),))
    tally = factory.counters.tally(response.status)
    repeat = FileRepeat(data, until, response.renew, logged, tally, source)
    factory.repeats.keep_file(head.raw, repeat)
