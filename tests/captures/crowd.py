"""
Captures of many conversations, few of which go wrong.
"""

from __future__ import annotations

from tests.captures.frames import ACK, PSH, RST
from tests.captures.talk import Talk

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

CALM = 30
"""How many conversations without a fault come first; then those that L{crowd} names."""

REFUSED, RESET, REPEATED, SLOW = range(CALM, CALM + 4)
"""The numbers of those that go wrong."""


def crowd(calm: int = CALM) -> Talk:
    """
    Make conversations one after the other: first calm ones, then one that is refused, one that is
    reset, one in which a segment is sent again after 300 ms, and one whose server takes 3 s.

    @param calm: How many calm ones come first.
    """
    talk = Talk()
    port = 40000

    def another() -> Talk:
        nonlocal port
        port += 1
        return talk.again(port, (port * 7919, port * 104729))

    for _ in range(calm):
        talk = another().open()
        talk.say("c", REQUEST).say("s", ANSWER).close("c")
    talk = another()
    talk.send("c", 0x02)
    talk.send("s", RST | ACK)
    talk = another().open().say("c", REQUEST)
    talk.send("s", RST | ACK)
    talk = another().open()
    start = talk.next["c"]
    talk.send("c", PSH | ACK, REQUEST)
    talk.send("c", PSH | ACK, REQUEST, seq=start, after_ms=300)
    talk.say("s", ANSWER).close("c")
    talk = another().open().say("c", REQUEST)
    talk.send("s", PSH | ACK, ANSWER, after_ms=3000)
    return talk.close("c")
