"""
The three-way handshake.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.events import Closed, Connected, Refused, TimedOut
from netlab.tcp.segment import Reason
from netlab.tcp.states import TCPState
from tests.tcp.dialogue import PEER_ISN, Dialogue


class ActiveTests(SynchronousTestCase):
    """
    The machine opens.
    """

    def test_three_way(self) -> None:
        """
        SYN, SYN-ACK, ACK (RFC 9293 section 3.5, figure 6).
        """
        talk = Dialogue(self)
        talk.connect()
        self.assertIs(talk.connection.state, TCPState.SYN_SENT)
        talk.says("S", 0, reason=Reason.HANDSHAKE, win=64240)
        talk.wait(30)
        talk.peer("S", 0, 1, options=talk.syn_options())
        talk.says("A", 1, 1, reason=Reason.HANDSHAKE)
        self.assertIs(talk.connection.state, TCPState.ESTABLISHED)
        self.assertEqual(talk.events(), [Connected()])
        self.assertEqual(talk.connection.info(talk.now).rtt, 30_000)

    def test_options(self) -> None:
        """
        The SYN offers MSS, SACK, timestamps and a window shift of 7, as Linux does.
        """
        talk = Dialogue(self)
        talk.connect()
        options = talk.options_of(talk.says("S"))
        self.assertEqual((options.mss, options.window_shift), (1460, 7))
        self.assertTrue(options.sack_permitted)
        assert options.timestamps is not None
        self.assertEqual(options.timestamps[1], 0)

    def test_options_off(self) -> None:
        """
        What the settings switch off is not offered.
        """
        talk = Dialogue(self, tcp_sack=0, tcp_timestamps=0, tcp_window_scaling=0, mtu=576)
        talk.connect()
        packet = talk.says("S")
        self.assertEqual(packet.segment.options, b"\x02\x04\x02\x18")

    def test_data_go_with_the_ack(self) -> None:
        """
        What was written before carries the handshake's ACK.
        """
        talk = Dialogue(self)
        talk.connect()
        talk.says("S")
        talk.write(b"GET")
        talk.peer("S", 0, 1, options=talk.syn_options())
        talk.says("PA", 1, 1, 3, reason=Reason.DATA)
        talk.silent()

    def test_refused(self) -> None:
        """
        A reset that acknowledges the SYN ends it (RFC 9293 section 3.10.7.3); one that does not is
        dropped.
        """
        talk = Dialogue(self)
        talk.connect()
        talk.says("S")
        talk.peer("R", 0)
        talk.peer("R", 0, 2)
        self.assertIs(talk.connection.state, TCPState.SYN_SENT)
        talk.peer("R", 0, 1)
        self.assertEqual(talk.events(), [Refused(), Closed()])
        talk.silent()
        self.assertIsNone(talk.stack.deadline)

    def test_unacceptable_ack(self) -> None:
        """
        A SYN-ACK of something that was not sent is reset with its acknowledgment number (RFC 9293
        section 3.5.2): an old duplicate, and the peer will drop the connection it belonged to.
        """
        talk = Dialogue(self)
        talk.connect()
        talk.says("S")
        talk.peer("S", 0, 5)
        talk.says("R", 5, reason=Reason.RESET)
        self.assertIs(talk.connection.state, TCPState.SYN_SENT)

    def test_no_syn(self) -> None:
        """
        An ACK alone changes nothing.
        """
        talk = Dialogue(self)
        talk.connect()
        talk.says("S")
        talk.peer("", 0, 1)
        talk.silent()
        self.assertIs(talk.connection.state, TCPState.SYN_SENT)

    def test_syn_timeouts(self) -> None:
        """
        The SYN leaves again after 1, 3, 7 … seconds, and is given up after C{tcp_syn_retries}
        (RFC 6298 section 2.1 and 5.5; Linux's 127 s for 6).
        """
        talk = Dialogue(self, tcp_syn_retries=3)
        talk.connect()
        talk.says("S", at=0)
        talk.wait(20_000)
        for at in (1000, 3000, 7000):
            talk.says("S", 0, at=at, reason=Reason.RETRANSMISSION_TIMEOUT)
        talk.silent()
        self.assertEqual(talk.events(), [TimedOut(), Closed()])

    def test_linear_timeouts(self) -> None:
        """
        With C{tcp_syn_linear_timeouts} the first ones do not double.
        """
        talk = Dialogue(self, tcp_syn_retries=1, tcp_syn_linear_timeouts=2)
        talk.connect()
        talk.wait(20_000)
        for at in (0, 1000, 2000, 3000):
            talk.says("S", 0, at=at)
        talk.silent()

    def test_window_after_lost_syns(self) -> None:
        """
        After two lost SYNs the sender begins with one segment (RFC 5681 section 3.1).
        """
        talk = Dialogue(self)
        talk.connect()
        talk.wait(3500)
        talk.forget()
        talk.peer("S", 0, 1, options=talk.syn_options())
        talk.says("A")
        talk.write(5000)
        talk.says("A", 1, 1, 1460)
        talk.silent()

    def test_simultaneous(self) -> None:
        """
        Both open at once: SYNs cross, and each answers with a SYN-ACK (RFC 9293 section 3.5, figure
        7).
        """
        talk = Dialogue(self)
        talk.connect()
        talk.says("S", 0)
        talk.peer("S", 0, options=talk.syn_options())
        talk.says("SA", 0, 1)
        self.assertIs(talk.connection.state, TCPState.SYN_RECEIVED)
        talk.peer("S", 0, 1, options=talk.syn_options())
        self.assertIs(talk.connection.state, TCPState.ESTABLISHED)
        talk.silent()
        talk.peer("P", 1, 1, b"hello")
        self.assertEqual(talk.read(), b"hello")

    def test_close_before_the_answer(self) -> None:
        """
        A connection that is closed in SYN-SENT is no more; an answer is reset.
        """
        talk = Dialogue(self)
        talk.connect()
        talk.says("S")
        talk.close()
        talk.silent()
        talk.peer("S", 0, 1)
        talk.says("R", 1)

    def test_shutdown_before_the_answer(self) -> None:
        """
        A half-close waits until the connection is established (RFC 9293 section 3.10.4).
        """
        talk = Dialogue(self)
        talk.connect()
        talk.says("S")
        talk.write(b"x")
        talk.shutdown()
        talk.peer("S", 0, 1, options=talk.syn_options())
        talk.says("FPA", 1, 1, 1, reason=Reason.CLOSE)
        self.assertIs(talk.connection.state, TCPState.FIN_WAIT_1)

    def test_small_mss(self) -> None:
        """
        A peer that asks for segments of 1 byte gets C{tcp_min_snd_mss}: what it asks for would cost
        us forty times what it costs it.
        """
        talk = Dialogue(self)
        talk.open(mss=1, times=False)
        talk.write(100)
        talk.says("A", 1, 1, 48)

    def test_no_mss(self) -> None:
        """
        Without the option it is 536 (RFC 9293 section 3.7.1).
        """
        talk = Dialogue(self)
        talk.open(mss=None, sack=False)
        talk.write(600)
        talk.says("A", 1, 1, 536)


class PassiveTests(SynchronousTestCase):
    """
    The peer opens.
    """

    def test_three_way(self) -> None:
        """
        The connection can be accepted when the SYN-ACK is acknowledged.
        """
        talk = Dialogue(self)
        talk.listen()
        talk.peer("S", 0, options=talk.syn_options(times=True, shift=3))
        packet = talk.says("SA", None, 1, win=65160)
        options = talk.options_of(packet)
        self.assertEqual((options.mss, options.window_shift), (1460, 7))
        talk.iss = packet.segment.seq
        self.assertIsNone(talk.listener.accept())
        talk.peer("", 1, 1)
        talk.accept()
        self.assertEqual(talk.events(), [Connected()])
        self.assertIs(talk.connection.state, TCPState.ESTABLISHED)

    def test_options_of_both(self) -> None:
        """
        What the peer does not offer is not used: no timestamps, no shift of the window.
        """
        talk = Dialogue(self)
        talk.listen()
        talk.peer("S", 0, options=b"\x02\x04\x05\xb4")
        packet = talk.says("SA", win=64240)
        self.assertEqual(packet.segment.options, b"\x02\x04\x05\xb4")

    def test_syn_again(self) -> None:
        """
        A SYN that comes again is answered again, but not more often than twice a second.
        """
        talk = Dialogue(self)
        talk.listen()
        options = talk.syn_options()
        talk.peer("S", 0, options=options)
        talk.iss = talk.says("SA").segment.seq
        talk.wait(10)
        talk.peer("S", 0, options=options)
        talk.says("SA", 0, 1, reason=Reason.HANDSHAKE)
        talk.peer("S", 0, options=options)
        talk.silent()

    def test_synack_timeouts(self) -> None:
        """
        The SYN-ACK leaves again C{tcp_synack_retries} times; then the connection is forgotten.
        """
        talk = Dialogue(self, tcp_synack_retries=2)
        talk.listen()
        talk.peer("S", 0, options=talk.syn_options())
        talk.wait(30_000)
        for at in (0, 1000, 3000):
            talk.says("SA", at=at)
        talk.silent()
        self.assertEqual(talk.listener.half_open, {})

    def test_wrong_ack(self) -> None:
        """
        An ACK of something else than the SYN is reset (RFC 9293 section 3.10.7.4, fifth).
        """
        talk = Dialogue(self)
        talk.listen()
        talk.peer("S", 0, options=talk.syn_options())
        talk.iss = talk.says("SA").segment.seq
        talk.peer("", 1, 2)
        talk.says("R", 2)
        self.assertEqual(len(talk.listener.half_open), 1)

    def test_reset(self) -> None:
        """
        A reset in SYN-RECEIVED ends the connection; the listener goes on (RFC 9293 section
        3.10.7.4, second).
        """
        talk = Dialogue(self)
        talk.listen()
        talk.peer("S", 0, options=talk.syn_options())
        talk.says("SA")
        talk.peer("R", 1)
        self.assertEqual(talk.listener.half_open, {})
        talk.peer("S", 0, options=talk.syn_options())
        talk.says("SA")

    def test_data_in_the_third_segment(self) -> None:
        """
        Data may come with the ACK.
        """
        talk = Dialogue(self)
        talk.listen()
        talk.peer("S", 0, options=talk.syn_options())
        talk.iss = talk.says("SA").segment.seq
        talk.peer("P", 1, 1, b"hi")
        talk.accept()
        self.assertEqual(talk.read(), b"hi")

    def test_wrapped_numbers(self) -> None:
        """
        The peer's numbers wrap within the first 256 bytes, and nobody notices.
        """
        self.assertGreater(PEER_ISN + 400, 1 << 32)
        talk = Dialogue(self)
        talk.serve()
        talk.peer("P", 1, 1, 400)
        talk.says("A", 1, 401)
        talk.peer("P", 401, 1, 400)
        talk.says("A", 1, 801)
        self.assertEqual(len(talk.read()), 800)


class ECNTests(SynchronousTestCase):
    """
    Negotiation of RFC 3168.
    """

    def test_asked(self) -> None:
        """
        With C{tcp_ecn} = 1 the SYN asks; an answer with ECE alone agrees (section 6.1.1).
        """
        talk = Dialogue(self, tcp_ecn=1)
        talk.connect()
        talk.says("SEW")
        talk.peer("SE", 0, 1, options=talk.syn_options())
        talk.says("A")
        self.assertTrue(talk.connection.negotiated.has_ecn)

    def test_echoed_flags(self) -> None:
        """
        A peer that sends back both bits does not understand them.
        """
        talk = Dialogue(self, tcp_ecn=1)
        talk.connect()
        talk.says("SEW")
        talk.peer("SEW", 0, 1, options=talk.syn_options())
        self.assertFalse(talk.connection.negotiated.has_ecn)

    def test_not_again(self) -> None:
        """
        A SYN that leaves again does not ask (section 6.1.1.1).
        """
        talk = Dialogue(self, tcp_ecn=1)
        talk.connect()
        talk.says("SEW")
        talk.wait(1000)
        talk.says("S")

    def test_accepted(self) -> None:
        """
        With 2, the default, it is accepted; with 0 it is not.
        """
        for value, flags in ((2, "SAE"), (0, "SA")):
            talk = Dialogue(self, tcp_ecn=value)
            talk.listen()
            talk.peer("SEW", 0, options=talk.syn_options())
            talk.says(flags)
