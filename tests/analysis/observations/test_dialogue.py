"""
Tests for L{netlab.analysis.observations.dialogue}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.expectations.expectations import SECOND_NS
from netlab.analysis.observations import dialogue as module
from netlab.analysis.observations.dialogue import TEXT_MAX_BYTES, Dialogue
from netlab.report.reading import read_dialogues
from tests.analysis.dialogue_script import CLIENT, SERVER, Script
from tests.captures.faults import FOLDER

_GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
_ANSWER = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"


def opened() -> Script:
    """
    Shake hands; sequence numbers wrap soon.
    """
    return Script(isn=(4_294_967_290, 700)).open(rtt=0.001)


def read(script: Script) -> Dialogue:
    """
    Read the one conversation.
    """
    (dialogue,) = script.dialogues()
    return dialogue


def _turns(dialogue: Dialogue) -> list[tuple[bool, int, int, int]]:
    return [
        (turn.from_client, turn.length, turn.first.frame, turn.last.frame)
        for turn in dialogue.turns
    ]


class DialogueTests(SynchronousTestCase):
    """
    A conversation is told in turns, and by how it ends.
    """

    def test_several_answers(self) -> None:
        """
        Of SYN-ACKs with different numbers the stream begins with the one that the client took:
        nothing of it is missing.
        """
        for name in ("f53_another_syn_ack", "f53_another_syn_ack_and_the_first_again"):
            (found,) = read_dialogues(str(FOLDER / f"{name}.pcap")).dialogues
            told = [(turn.from_client, turn.length, turn.missing) for turn in found.turns]
            self.assertEqual(told, [(True, 10, 0), (False, 10, 0)], name)

    def test_turns(self) -> None:
        """
        What an end says in several segments is one turn until the other end speaks; sequence
        numbers may wrap around within it.
        """
        script = opened().client("PSH ACK", b"hello ").server("ACK")
        dialogue = read(script.client("PSH ACK", b"there").server("PSH ACK", b"HELLO"))
        self.assertEqual(_turns(dialogue), [(True, 11, 4, 6), (False, 5, 7, 7)])
        self.assertEqual([turn.text for turn in dialogue.turns], [b"hello there", b"HELLO"])
        self.assertEqual(dialogue.bytes_said, 16)
        self.assertEqual(dialogue.is_repaired, False)

    def test_handshake(self) -> None:
        """
        The frames of the handshake are known, also where one was sent again.
        """
        script = Script().client("SYN").client("SYN", seq=0, after=1)
        dialogue = read(script.server("SYN ACK").client("ACK"))
        steps = (dialogue.syn, dialogue.syn_ack, dialogue.established)
        self.assertEqual([step.frame for step in steps if step], [1, 3, 4])
        self.assertEqual(dialogue.is_repaired, True)

    def test_retransmission(self) -> None:
        """
        Bytes that are sent again belong to the turn that they were first sent in.
        """
        script = opened().client("PSH ACK", b"hello").server("PSH ACK", b"HELLO")
        script.client("ACK", b"hello", seq=1, after=0.3)
        self.assertEqual(_turns(read(script)), [(True, 5, 4, 4), (False, 5, 5, 5)])

    def test_keep_alive(self) -> None:
        """
        The byte of a keep-alive is none that was said.
        """
        self.assertEqual(_turns(read(opened().client("ACK", b"\0", seq=0, after=75))), [])

    def test_idle_time(self) -> None:
        """
        A FIN's idle time counts from the last new byte of either end; an ACK does not count.
        """
        script = opened().client("PSH ACK", b"hello").server("PSH ACK", b"HELLO")
        dialogue = read(script.client("ACK", after=0.5).server("FIN ACK", after=0.5))
        assert dialogue.server_fin is not None
        self.assertEqual(dialogue.server_fin.idle_ns, SECOND_NS)
        self.assertEqual(dialogue.client_fin, None)

    def test_idle_time_without_a_byte(self) -> None:
        """
        Where nothing was said, idle time counts from the handshake.
        """
        dialogue = read(opened().server("FIN ACK", after=1))
        assert dialogue.server_fin is not None
        self.assertEqual(dialogue.server_fin.idle_ns, SECOND_NS)

    def test_close(self) -> None:
        """
        The end that has received the other's FIN before it sends its own closes second.
        """
        dialogue = read(opened().server("FIN ACK").client("FIN ACK"))
        assert dialogue.server_fin is not None
        assert dialogue.client_fin is not None
        self.assertEqual(dialogue.server_fin.knows_other, False)
        self.assertEqual(dialogue.client_fin.knows_other, True)
        self.assertEqual(dialogue.is_simultaneous_close, False)

    def test_simultaneous_close(self) -> None:
        """
        FINs that cross on the way are a simultaneous close (RFC 9293 section 3.6, case 3).
        """
        dialogue = read(opened().server("FIN ACK", arrives=False).client("FIN ACK"))
        self.assertEqual(dialogue.is_simultaneous_close, True)

    def test_fin_is_counted_once(self) -> None:
        """
        A FIN that is sent again is the same FIN.
        """
        dialogue = read(opened().server("FIN ACK").server("FIN ACK", seq=1, after=0.3))
        assert dialogue.server_fin is not None
        self.assertEqual(dialogue.server_fin.at.frame, 4)

    def test_reset(self) -> None:
        """
        Each end's first RST is known; what a RST carries is not said.
        """
        dialogue = read(opened().server("RST ACK", b"why").server("RST ACK"))
        self.assertEqual([reset and reset.frame for reset in dialogue.resets], [None, 4])
        self.assertEqual(dialogue.turns, [])

    def test_answer_that_ends_with_the_stream(self) -> None:
        """
        The reader of HTTP hears of the end when all bytes before the FIN have come, not before.
        """
        script = opened().client("PSH ACK", _GET)
        script.server("FIN ACK", seq=1 + len(_ANSWER), arrives=False)
        dialogue = read(script.server("ACK", _ANSWER))
        (one,) = dialogue.http.exchanges
        assert one.response is not None
        self.assertEqual((one.response.first_frame, one.response.end_frame), (6, 5))
        self.assertEqual(dialogue.http.fault, None)

    def test_middle(self) -> None:
        """
        Where the opening was not captured, the end that sends a request is the client and the end
        that sends a status line the server, whatever the ports.
        """
        for who, text in ((SERVER, _GET), (CLIENT, _ANSWER)):
            dialogue = read(Script().begins().send(who, "PSH ACK", text))
            self.assertEqual(dialogue.server.port, 40000)
            self.assertEqual(len(dialogue.http.exchanges), 1)

    def test_middle_of_another_protocol(self) -> None:
        """
        Where the opening was not captured and nothing tells, the higher port is the client's.
        """
        script = Script().begins().server("PSH ACK", b"hello")
        self.assertEqual(_turns(read(script)), [(False, 5, 1, 1)])

    def test_bounds(self) -> None:
        """
        Turns, and the text of each, are bounded; lengths are not.
        """
        self.patch(module, "TURNS_MAX", 2)
        script = opened().client("ACK", bytes(TEXT_MAX_BYTES)).client("PSH ACK", b"more")
        for who in (SERVER, CLIENT, SERVER):
            script.send(who, "PSH ACK", b"hello")
        dialogue = read(script)
        self.assertEqual([turn.length for turn in dialogue.turns], [TEXT_MAX_BYTES + 4, 5])
        self.assertEqual(len(dialogue.turns[0].text), TEXT_MAX_BYTES)
        self.assertEqual((dialogue.turns[0].is_whole, dialogue.turns[1].is_whole), (False, True))
        self.assertEqual(dialogue.has_more_turns, True)
