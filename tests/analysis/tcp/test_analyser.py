"""
The figures and marks of segments. The rules are those of Wireshark's User's Guide, section "TCP
Analysis"; tests/oracle compares them with tshark itself.
"""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tcp.frames import Analysed, Mark
from netlab.analysis.tcp.limits import MemoryLimits
from tests.analysis.wire import ACK, FIN, MILLISECOND, PSH, RST, SYN, Wire
from tests.captures import frames


class AnalyserTestCase(SynchronousTestCase):
    """
    A wire between two ends.
    """

    def setUp(self) -> None:
        """Make the wire."""
        self.wire = Wire()

    def assertMarks(self, analysed: Analysed, *marks: Mark) -> None:
        """The segment has these marks and no others."""
        self.assertEqual(Mark(analysed.marks), sum(marks, Mark(0)))


class NumberTests(AnalyserTestCase):
    """
    Streams, relative numbers, windows.
    """

    def test_relative(self) -> None:
        """
        Relative numbers count from each end's initial sequence number.
        """
        self.wire.open()
        data = self.wire.client(1001, 5001, PSH | ACK, 33)
        self.assertEqual((data.seq, data.ack, data.len, data.nxtseq), (1, 1, 33, 34))
        self.assertEqual((data.seq_raw, data.ack_raw), (1001, 5001))
        answer = self.wire.server(5001, 1034, FIN | ACK)
        self.assertEqual((answer.seq, answer.ack, answer.nxtseq), (1, 34, 2))
        self.assertEqual((answer.src, answer.srcport), ("10.0.0.2", 80))
        self.assertEqual((answer.dst, answer.dstport), ("10.0.0.1", 4000))

    def test_withoutAck(self) -> None:
        """
        Where the ACK flag is not set, the field is shown as it is.
        """
        self.wire.open()
        self.assertEqual(self.wire.client(1001, 77, RST).ack, 77)

    def test_wrapAround(self) -> None:
        """
        Sequence numbers wrap around (RFC 9293 section 3.4).
        """
        self.wire.client(0xFFFFFFFF, 0, SYN)
        self.wire.server(5000, 0, SYN | ACK)
        data = self.wire.client(0, 5001, ACK, 10)
        self.assertEqual((data.seq, data.nxtseq, data.marks), (1, 11, 0))
        self.wire.client(10, 5001, ACK, 10)
        self.assertEqual(self.wire.server(5001, 20).acked_frame, 4)

    def test_middle(self) -> None:
        """
        Of a connection that was open before the capture, both ends' relative numbers begin with 1.
        """
        data = self.wire.client(1001, 5001, ACK, 10)
        self.assertEqual((data.seq, data.ack), (1, 1))
        self.assertEqual(self.wire.server(5001, 1011).ack, 11)
        self.assertEqual(data.conversation.opener, None)
        self.assertEqual(data.conversation.client.port, 4000)

    def test_streams(self) -> None:
        """
        Each pair of endpoints is a stream of its own, numbered from 0; the direction does not
        matter.
        """
        self.assertEqual(self.wire.client(1, 1).stream, 0)
        self.assertEqual(self.wire.send("10.0.0.1:4001", "10.0.0.2:80", 1, 1).stream, 1)
        self.assertEqual(self.wire.send("2001:db8::1:4000", "2001:db8::2:80", 1, 1).stream, 2)
        self.assertEqual(self.wire.server(1, 1).stream, 0)
        self.assertEqual(self.wire.analyser.streams, 3)

    def test_toItself(self) -> None:
        """
        A segment whose two endpoints are one (a land attack) makes no trouble.
        """
        for _ in range(3):
            found = self.wire.send("10.0.0.1:80", "10.0.0.1:80", 5, 0, SYN)
            self.assertEqual((found.stream, found.flow.index), (0, 0))

    def test_window(self) -> None:
        """
        Windows are scaled if both ends offered it, and never in a SYN (RFC 7323 section 2.2).
        """
        self.wire.open(shift=7)
        data = self.wire.client(1001, 5001, window=502)
        self.assertEqual((data.window_size_value, data.window_size), (502, 502 << 7))
        self.assertEqual(data.flow.rcv_wnd, 502 << 7)
        syn = self.wire.client(1000, 0, SYN, window=502)
        self.assertEqual(syn.window_size, 502)

    def test_scalingByOne(self) -> None:
        """
        If one end does not offer scaling, the other's offer does not count.
        """
        self.wire.client(1000, 0, SYN, options=frames.syn_options(1460, 7))
        self.wire.server(5000, 1001, SYN | ACK, options=frames.syn_options(1460))
        found = self.wire.client(1001, 5001, window=502)
        self.assertEqual((found.window_size, found.flow.window_shift), (502, -2))

    def test_excessiveShift(self) -> None:
        """
        A shift above 14 means 14 (RFC 7323 section 2.3).
        """
        self.wire.open(shift=15)
        self.assertEqual(self.wire.client(1001, 5001, window=1).window_size, 1 << 14)

    def test_offers(self) -> None:
        """
        What the SYNs offered is known of each end.
        """
        self.wire.open(shift=3)
        client, server = self.wire.analyser.conversations[0].flows
        self.assertEqual((client.iss, client.irs, server.iss), (1000, 5000, 5000))
        self.assertEqual((client.mss, client.sack_permitted, client.window_shift), (1460, True, 3))

    def test_variables(self) -> None:
        """
        SND.UNA, SND.NXT and RCV.NXT follow the segments (RFC 9293 section 3.3.1).
        """
        self.wire.open()
        self.wire.client(1001, 5001, ACK, 50)
        client, server = self.wire.analyser.conversations[0].flows
        self.assertEqual((client.snd_una, client.snd_nxt, client.rcv_nxt), (1001, 1051, 5001))
        self.wire.server(5001, 1051, ACK, 5)
        self.assertEqual((client.snd_una, server.snd_nxt, server.rcv_nxt), (1051, 5006, 1051))
        self.assertEqual((client.frames, client.payload_bytes), (3, 50))

    def test_secondAnswer(self) -> None:
        """
        After a second SYN with ACK and another number, frames are relative to the one before them,
        and those before the first to the last, as tshark's second pass shows it.
        """
        syn = self.wire.client(1000, 0, SYN)
        first = self.wire.server(5000, 1001, SYN | ACK)
        between = self.wire.client(1001, 5001)
        second = self.wire.server(7000, 1001, SYN | ACK)
        after = self.wire.client(1001, 7001)
        self.assertEqual([between.ack, after.ack, syn.seq], [1, 1, 0])
        self.assertEqual([first.seq, second.seq], [0, 0])
        self.assertMarks(second, Mark.REUSED_PORTS, Mark.LOST_SEGMENT)
        self.assertMarks(first, Mark.REUSED_PORTS)


class CompletenessTests(AnalyserTestCase):
    """
    C{tcp.completeness}.
    """

    def test_bits(self) -> None:
        """
        SYN 1, SYN-ACK 2, ACK 4, data 8, FIN 16, RST 32; each frame has that of the whole
        conversation.
        """
        first = self.wire.client(1000, 0, SYN)
        for send, expected in [
            (lambda: self.wire.server(5000, 1001, SYN | ACK), 3),
            (lambda: self.wire.client(1001, 5001), 7),
            (lambda: self.wire.client(1001, 5001, ACK, 5), 15),
            (lambda: self.wire.server(5001, 1006, FIN | ACK), 31),
            (lambda: self.wire.client(1006, 0, RST), 63),
        ]:
            send()
            self.assertEqual(first.completeness, expected)

    def test_middle(self) -> None:
        """
        What only the first frame of a conversation without its opening shows counts from the
        second frame on.
        """
        first = self.wire.client(1001, 5001, ACK, 5)
        second = self.wire.server(5001, 1006)
        self.assertEqual((first.completeness, second.completeness), (4, 12))


class RetransmissionTests(AnalyserTestCase):
    """
    Numbers that were seen before.
    """

    def setUp(self) -> None:
        """Open; the initial round trip time is 200 ms."""
        super().setUp()
        self.wire.open()

    def test_retransmission(self) -> None:
        """
        The same segment again, unacknowledged: a retransmission, with the time since the oldest.
        """
        self.wire.client(1001, 5001, ACK, 100)
        again = self.wire.client(1001, 5001, ACK, 100, after_ms=300)
        self.assertMarks(again, Mark.RETRANSMISSION)
        self.assertEqual((again.rto_ns, again.rto_frame), (300 * MILLISECOND, 4))

    def test_spurious(self) -> None:
        """
        The same again, acknowledged already: a spurious retransmission.
        """
        self.wire.client(1001, 5001, ACK, 100)
        self.wire.server(5001, 1101)
        again = self.wire.client(1001, 5001, ACK, 100)
        self.assertMarks(again, Mark.SPURIOUS_RETRANSMISSION)

    def test_fast(self) -> None:
        """
        After two duplicate ACKs and within 20 ms: a fast retransmission.
        """
        for after_ms, mark in [(19.9, Mark.FAST_RETRANSMISSION), (20, Mark.OUT_OF_ORDER)]:
            self.setUp()
            self.wire.client(1001, 5001, ACK, 100)
            self.wire.client(1101, 5001, ACK, 100)
            for _ in range(3):
                self.wire.server(5001, 1001, after_ms=1)
            again = self.wire.client(1001, 5001, ACK, 100, after_ms=after_ms)
            self.assertMarks(again, mark)

    def test_outOfOrder(self) -> None:
        """
        What comes after later data, within a round trip of it: out of order; after that it is a
        retransmission.
        """
        for after_ms, mark in [(199.9, Mark.OUT_OF_ORDER), (200, Mark.RETRANSMISSION)]:
            self.setUp()
            self.wire.client(1001, 5001, ACK, 100)
            lost = self.wire.client(1201, 5001, ACK, 100)
            self.assertMarks(lost, Mark.LOST_SEGMENT)
            late = self.wire.client(1101, 5001, ACK, 100, after_ms=after_ms)
            self.assertMarks(late, mark)

    def test_synAgain(self) -> None:
        """
        The same SYN again is a retransmission in the same stream.
        """
        self.setUp()
        again = Wire()
        again.client(1000, 0, SYN)
        found = again.client(1000, 0, SYN, after_ms=1000)
        self.assertMarks(found, Mark.RETRANSMISSION)
        self.assertEqual(found.stream, 0)

    def test_lost(self) -> None:
        """
        After a hole the bytes in flight are not known, until the other end acknowledges something.
        """
        lost = self.wire.client(1101, 5001, ACK, 100)
        self.assertMarks(lost, Mark.LOST_SEGMENT)
        self.assertEqual(lost.bytes_in_flight, None)
        self.wire.server(5001, 1001)
        self.assertEqual(self.wire.client(1201, 5001, ACK, 100).bytes_in_flight, 200)

    def test_ackLost(self) -> None:
        """
        An ACK of what was not captured.
        """
        self.assertMarks(self.wire.server(5001, 1101), Mark.ACK_LOST_SEGMENT)


class AckTests(AnalyserTestCase):
    """
    What ACKs acknowledge, and bytes in flight.
    """

    def setUp(self) -> None:
        """Open."""
        super().setUp()
        self.wire.open()

    def test_handshake(self) -> None:
        """
        In the handshake each end acknowledges the other's SYN; the initial round trip time is from
        SYN to the first ACK.
        """
        wire = Wire()
        wire.client(1000, 0, SYN)
        answer = wire.server(5000, 1001, SYN | ACK, after_ms=70)
        ack = wire.client(1001, 5001, after_ms=30)
        self.assertEqual((answer.acked_frame, answer.rtt_ns), (1, 70 * MILLISECOND))
        self.assertEqual((ack.acked_frame, ack.rtt_ns), (2, 30 * MILLISECOND))
        self.assertEqual(ack.conversation.initial_rtt_ns, 100 * MILLISECOND)

    def test_cumulative(self) -> None:
        """
        An ACK of several segments is one to the last of them, and none if it ends within one.
        """
        self.wire.client(1001, 5001, ACK, 100)
        self.wire.client(1101, 5001, ACK, 100)
        self.wire.client(1201, 5001, ACK, 100)
        self.assertEqual(self.wire.server(5001, 1201).acked_frame, 5)
        self.assertEqual(self.wire.server(5001, 1250).acked_frame, 0)
        self.assertEqual(self.wire.client(1301, 5001, ACK, 10).bytes_in_flight, 61)
        self.assertEqual(self.wire.server(5001, 1301).acked_frame, 6)

    def test_oldestCounts(self) -> None:
        """
        Of segments that end alike, the oldest is the one that is acknowledged.
        """
        self.wire.client(1001, 5001, ACK, 100)
        self.wire.client(1001, 5001, ACK, 100, after_ms=500)
        ack = self.wire.server(5001, 1101, after_ms=50)
        self.assertEqual((ack.acked_frame, ack.rtt_ns), (4, 550 * MILLISECOND))

    def test_flight(self) -> None:
        """
        Bytes in flight are those sent and not acknowledged, less what SACK names; FIN counts none.
        """
        self.assertEqual(self.wire.client(1001, 5001, ACK, 100).bytes_in_flight, 100)
        self.assertEqual(self.wire.client(1101, 5001, ACK, 300).bytes_in_flight, 400)
        sack = b"\x01\x01\x05\x0a" + struct.pack(">II", 1201, 1251)
        self.wire.server(5001, 1101, options=sack)
        self.assertEqual(self.wire.client(1401, 5001, FIN | ACK, 10).bytes_in_flight, 260)

    def test_pushed(self) -> None:
        """
        Bytes are counted since the last PSH, the segment with PSH included.
        """
        sizes = [(ACK, 10, 10), (PSH | ACK, 5, 15), (PSH | ACK, 7, 7), (ACK, 3, 3), (ACK, 1, 4)]
        seq = 1001
        for flags, size, expected in sizes:
            found = self.wire.client(seq, 5001, flags, size)
            self.assertEqual(found.push_bytes_sent, expected)
            seq += size

    def test_duplicates(self) -> None:
        """
        Bare repetitions of an ACK are numbered, and name the frame they repeat.
        """
        self.wire.client(1001, 5001, ACK, 100)
        for count in (1, 2, 3):
            found = self.wire.server(5001, 1001)
            self.assertMarks(found, Mark.DUPLICATE_ACK)
            self.assertEqual((found.duplicate_ack_number, found.duplicate_ack_frame), (count, 2))

    def test_multipath(self) -> None:
        """
        With a kind of Multipath TCP option that is new to the connection, the next ACK is no
        duplicate (RFC 8684 section 4).
        """
        self.wire.server(5001, 1001, options=b"\x1e\x04\x20\x00")
        self.assertMarks(self.wire.server(5001, 1001))
        self.assertMarks(self.wire.server(5001, 1001), Mark.DUPLICATE_ACK)


class WindowTests(AnalyserTestCase):
    """
    Windows that are full, closed and opened; keep-alives.
    """

    def setUp(self) -> None:
        """Open."""
        super().setUp()
        self.wire.open(shift=1)

    def test_update(self) -> None:
        """
        The same numbers with another window: an update.
        """
        self.assertMarks(self.wire.client(1001, 5001, window=900), Mark.WINDOW_UPDATE)
        self.assertMarks(self.wire.client(1001, 5001, window=0), Mark.ZERO_WINDOW)

    def test_full(self) -> None:
        """
        Data up to the edge of the scaled window fills it.
        """
        self.wire.server(5001, 1001, window=50)
        self.assertMarks(self.wire.client(1001, 5001, ACK, 99))
        self.assertMarks(self.wire.client(1100, 5001, ACK, 1), Mark.WINDOW_FULL)

    def test_fullAtOnce(self) -> None:
        """
        The window of a SYN is not scaled, also not for the data that follow it at once.
        """
        wire = Wire()
        options = frames.syn_options(1460, 1)
        wire.client(1000, 0, SYN, options=options)
        wire.server(5000, 1001, SYN | ACK, options=options, window=50)
        self.assertMarks(wire.client(1001, 5001, ACK, 50), Mark.WINDOW_FULL)

    def test_probe(self) -> None:
        """
        One byte into a closed window is a probe, and what repeats the closed window its ACK.
        """
        self.wire.server(5001, 1001, window=0)
        probe = self.wire.client(1001, 5001, ACK, 1)
        self.assertMarks(probe, Mark.ZERO_WINDOW_PROBE)
        ack = self.wire.server(5001, 1001, window=0)
        self.assertMarks(ack, Mark.ZERO_WINDOW, Mark.ZERO_WINDOW_PROBE_ACK)
        again = self.wire.client(1001, 5001, ACK, 1, after_ms=1000)
        self.assertMarks(again, Mark.ZERO_WINDOW_PROBE)

    def test_keepAlive(self) -> None:
        """
        The last number again, with one byte or none, is a keep-alive, and the bare ACK that follows
        the other way its ACK.
        """
        self.wire.client(1001, 5001, ACK, 10)
        self.wire.server(5001, 1011)
        for payload in (0, 1):
            self.assertMarks(self.wire.client(1010, 5001, ACK, payload), Mark.KEEP_ALIVE)
            self.assertMarks(self.wire.server(5001, 1011), Mark.KEEP_ALIVE_ACK)
        self.assertMarks(self.wire.server(5001, 1011, window=7), Mark.WINDOW_UPDATE)


class ConversationTests(AnalyserTestCase):
    """
    Where a conversation begins, and what belongs to it.
    """

    def test_reuse(self) -> None:
        """
        A SYN with a new number between the same ports begins a new stream.
        """
        self.wire.open()
        again = self.wire.client(9000, 0, SYN)
        self.assertMarks(again, Mark.REUSED_PORTS)
        self.assertEqual((again.stream, again.seq), (1, 0))
        self.assertEqual(self.wire.server(7000, 9001, SYN | ACK).stream, 1)
        self.assertEqual(again.completeness, 3)

    def test_quoted(self) -> None:
        """
        What an ICMP error quotes belongs to its conversation and changes no number.
        """
        self.wire.open()
        inner = frames.ip_packet(
            frames.Segment("10.0.0.1", "10.0.0.2", 4000, 80, 9999, 8888, ACK, b"data")
        )
        outer = struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(inner), 0, 0, 64, 1, 0)
        packet = outer + bytes([10, 9, 9, 9, 10, 0, 0, 1]) + b"\3\1" + bytes(6) + inner
        found = self.wire.frame(packet)
        self.assertEqual((found.stream, found.marks, found.seq, found.len), (0, 0, 9999, 0))
        self.assertEqual(found.conversation.quoted, 1)
        self.assertEqual(found.flow.snd_nxt, 1001)

    def test_copies(self) -> None:
        """
        Where every frame is captured twice, the copies are counted; a retransmission is none.
        """
        for seq in (1001, 1011, 1021):
            for _ in range(2):
                self.wire.send(
                    "10.0.0.1:4000", "10.0.0.2:80", seq, 1, ACK, 10, after_ms=1, identification=seq
                )
        self.wire.client(1021, 1, ACK, 10, after_ms=1)
        self.wire.client(1021, 1, ACK, 10, after_ms=300)
        conversation = self.wire.analyser.conversations[0]
        self.assertEqual((conversation.copies, conversation.flows[0].frames), (3, 8))

    def test_shortHeader(self) -> None:
        """
        A TCP header that claims less than its 20 bytes is followed, but its flags are not believed.
        """
        self.wire.open()
        packet = bytearray(
            frames.ip_packet(frames.Segment("10.0.0.1", "10.0.0.2", 4000, 80, 1001, 5001, RST))
        )
        packet[32] = 0x40
        found = self.wire.frame(bytes(packet))
        self.assertEqual((found.len, found.completeness), (4, 7))
        self.assertEqual(found.flow.reset_frame, 0)


class LimitTests(SynchronousTestCase):
    """
    L{MemoryLimits}.
    """

    def test_open(self) -> None:
        """
        Of too many open conversations, the most silent of the oldest is forgotten and named; its
        later segments are a new one.
        """
        wire = Wire(MemoryLimits(open_max=20))
        for port in range(20):
            wire.send(f"10.0.0.1:{port}", "10.0.0.2:80", 1, 1, ACK, 5)
        wire.send("10.0.0.1:0", "10.0.0.2:80", 6, 1, ACK, 5)
        wire.send("10.0.0.1:20", "10.0.0.2:80", 1, 1, ACK, 5)
        (fault,) = wire.analyser.faults.kept
        self.assertEqual((fault.rule, fault.number), ("forgotten", 2))
        streams = [conversation.stream for conversation in wire.analyser.conversations]
        self.assertEqual(streams, [0, *range(2, 21)])
        self.assertEqual(wire.send("10.0.0.1:0", "10.0.0.2:80", 11, 1).stream, 0)
        self.assertEqual(wire.send("10.0.0.1:1", "10.0.0.2:80", 6, 1).stream, 21)

    def test_closed(self) -> None:
        """
        A conversation that is over is remembered for a while, so that what crossed its end still
        belongs to it, and then forgotten; what comes of it then is named.
        """
        wire = Wire(MemoryLimits(open_max=5, closed_max=3))
        for port in range(10):
            wire.send(f"10.0.0.1:{port}", "10.0.0.2:80", 1, 0, SYN)
            wire.send(f"10.0.0.1:{port}", "10.0.0.2:80", 2, 1, RST | ACK)
        self.assertEqual(wire.send("10.0.0.2:80", "10.0.0.1:9", 1, 2).stream, 9)
        self.assertEqual(wire.analyser.faults.kept, [])
        self.assertEqual(wire.send("10.0.0.2:80", "10.0.0.1:0", 1, 2).stream, 10)
        (fault,) = wire.analyser.faults.kept
        self.assertEqual((fault.rule, fault.number), ("forgotten", 22))
        self.assertIn("Conversation 10 begins without a SYN", fault.text)
        wire.send("10.0.0.3:1", "10.0.0.2:80", 1, 0, SYN)
        self.assertEqual(len(wire.analyser.faults.kept), 1)
        self.assertEqual(len(wire.analyser.conversations), 5)

    def test_tiny(self) -> None:
        """
        Tiny connections without end, closed or left open, between ever new ports or the same ones,
        fill a bounded memory.
        """
        limits = MemoryLimits(open_max=50, closed_max=10)
        wire = Wire(limits)
        for number in range(3000):
            host = f"10.0.{number % 1000 // 250}.{number % 250}"
            wire.send(f"{host}:{number}", "10.9.0.2:80", number * 7 + 1, 0, SYN)
            if number % 2:
                wire.send(f"{host}:{number}", "10.9.0.2:80", number * 7 + 2, 1, RST)
        self.assertLessEqual(len(wire.analyser.conversations), 60)
        self.assertLessEqual(len(wire.analyser._flows), 120)
        reused = Wire(limits)
        for number in range(1000):
            reused.client(number * 7 + 1, 0, SYN)
        self.assertLessEqual(len(reused.analyser.conversations), 11)
        self.assertEqual(reused.analyser.streams, 1000)

    def test_unacked(self) -> None:
        """
        Of segments that nobody acknowledges a bounded number is remembered.
        """
        wire = Wire(MemoryLimits(unacked_max=50))
        for number in range(200):
            last = wire.client(1001 + number * 10, 1, ACK, 10)
        self.assertEqual(len(last.flow.unacked), 50)
        self.assertEqual(last.bytes_in_flight, 500)
        (fault,) = wire.analyser.faults.kept
        self.assertEqual((fault.rule, fault.number), ("unacknowledged", 51))

    def test_unacked_as_wireshark(self) -> None:
        """
        Where as many are remembered as Wireshark does, more are no fault: its figures are the same.
        """
        wire = Wire()
        for number in range(10_005):
            last = wire.client(1001 + number * 10, 1, ACK, 10)
        self.assertEqual(last.bytes_in_flight, 100_000)
        self.assertEqual(wire.analyser.faults.kept, [])

    def test_fewer_from_now_on(self) -> None:
        """
        Where the limits sink, what is beyond them is forgotten bit by bit.
        """
        wire = Wire()
        for port in range(20):
            wire.send(f"10.0.0.1:{port}", "10.0.0.2:80", 1, 1, ACK, 5)
        wire.analyser.remember(MemoryLimits(open_max=5))
        for port in range(20, 40):
            wire.send(f"10.0.0.1:{port}", "10.0.0.2:80", 1, 1, ACK, 5)
        self.assertEqual(len(wire.analyser.conversations), 5)
