"""
Tests for L{netlab.tcp.script.language.packets}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.script.language.cursor import TokenCursor
from netlab.tcp.script.language.errors import NotSupportedError, ScriptSyntaxError
from netlab.tcp.script.language.packets import option_bytes, read_packet
from netlab.tcp.script.language.syntax import ScriptICMP, ScriptSegment
from netlab.tcp.script.language.texts import segment_text
from netlab.tcp.script.language.tokens import TokenKind, tokenise


def read(text: str) -> ScriptSegment | ScriptICMP:
    """
    Read a packet that is all of a text.
    """
    cursor = TokenCursor(tokenise(text))
    packet = read_packet(cursor)
    assert cursor.peek().kind is TokenKind.END, cursor.peek()
    return packet


def segment(text: str) -> ScriptSegment:
    """
    Read a TCP segment.
    """
    packet = read(text)
    assert isinstance(packet, ScriptSegment)
    return packet


class SegmentTests(SynchronousTestCase):
    """
    TCP segments.
    """

    def test_all_of_one(self) -> None:
        """
        Each part has its field.
        """
        found = segment("< [ect0] 5000>8080 P. 1:1001(1000) ack 7 win 257 urg 3 <nop,nop,nop,nop>")
        self.assertTrue(found.is_inbound)
        self.assertEqual((found.ecn, found.ports), (2, (5000, 8080)))
        self.assertEqual((found.flags, found.seq, found.length), (0x18, 1, 1000))
        self.assertEqual((found.ack, found.window, found.urgent), (7, 257, 3))

    def test_reading_what_was_written(self) -> None:
        """
        A segment's text is what it was read from.
        """
        for text in (
            "> S 0:0(0) <mss 1460,sackOK,TS val 10 ecr 0,nop,wscale 7>",
            "> SEW 0:0(0)",
            "> - 5:5(0)",
            "> FP. 1:1001(1000) ack 1",
            "> R. 1:1(0) ack 9 win 0",
            "> . 1:1(0) ack 1 <nop,nop,sack 3:4 1:2>",
            "> S 0:0(0) <FO 0123456789abcdef,nop,nop>",
            "> S 0:0(0) <FO,nop,nop>",
            "> S 0:0(0) <FOEXP aabb,nop,nop>",
            "> [ect01] . 1:1(0) ack 1 <...>",
            "> [ce] . 4294967295:1(2) ack 1",
            "> U. 1:2(1) ack 1 urg 1",
            "> . 1:1(0) ack 1 <md5 000102030405060708090a0b0c0d0e0f,eol,nop>",
        ):
            with self.subTest(text=text):
                self.assertEqual(segment_text(segment(text)), text)

    def test_options_on_the_wire(self) -> None:
        """
        Options are written by their kind, length and value (RFC 9293 section 3.1).
        """
        found = segment("> S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 2,nop,wscale 7>")
        assert found.options is not None
        self.assertEqual(
            option_bytes(found.options).hex(), "020405b40402080a000000010000000201030307"
        )

    def test_window_may_be_left_open(self) -> None:
        """
        Without win, any window will do; without <>, there are no options; <...> are any.
        """
        self.assertEqual(segment("> . 1:1(0) ack 1").window, None)
        self.assertEqual(segment("> . 1:1(0) ack 1").options, ())
        self.assertEqual(segment("> . 1:1(0) ack 1 <...>").options, None)

    def test_nonsense(self) -> None:
        """
        Numbers that do not add up or do not fit, flags that TCP has not, options that are not whole
        words: each is an error.
        """
        for text in (
            "> . 1:1001(999)",
            "> . 4294967296:4294967296(0)",
            "> . 0:70000(70000)",
            "> X 0:0(0)",
            "> 0:0(0)",
            "> S 0:0(0) win 65536",
            "> S 0:0(0) <mss 65536,nop,nop>",
            "> S 0:0(0) <wscale 7>",
            "> S 0:0(0) <FO xyz>",
            "> S 0:0(0) <TS val 1>",
            "> S 0:0(0) <sack>",
            "> S 0:0(0) <mss 1460",
            "< S 0:0(0) <...>",
            "< [ect01] S 0:0(0)",
            "> S 0:0(0) <md5 " + "00" * 41 + ">",
        ):
            with self.subTest(text=text):
                self.assertRaises(ScriptSyntaxError, segment, text)

    def test_not_supported(self) -> None:
        """
        What the language has and this does not is said so.
        """
        for text in (
            "> udp (100)",
            "< ipv4 192.0.2.1 > 192.0.2.2: . 1:1(0)",
            "< gre: . 1:1(0)",
            "> S.5 0:0(0)",
            "> P5. 0:0(0)",
            "> [tos 0x20] . 1:1(0)",
            "> S 0:0(0) <ECN e1b 1>",
            "< . 1:1(0) {mut tcp 3 4}",
            "> icmp unreachable",
            "< icmp unreachable [udp (8)]",
            "< icmp echo_request id 5",
        ):
            with self.subTest(text=text):
                self.assertRaises(NotSupportedError, read, text)


class ICMPTests(SynchronousTestCase):
    """
    ICMP messages.
    """

    def test_fragmentation_needed(self) -> None:
        """
        A message names its kind, its code, the MTU and the segment that it quotes.
        """
        self.assertEqual(
            read("< icmp unreachable frag_needed mtu 1200 [1:1461(1460)]"),
            ScriptICMP("unreachable", "frag_needed", 1200, 1, 1460),
        )

    def test_least(self) -> None:
        """
        All but the kind may be left away.
        """
        self.assertEqual(read("< icmp unreachable"), ScriptICMP("unreachable", "", None, 0, 0))
