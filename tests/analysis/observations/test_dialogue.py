"""
Tests for L{netlab.analysis.observations.dialogue}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.observations import dialogue as module
from netlab.analysis.observations.dialogue import TEXT_MAX_BYTES, Dialogue
from netlab.analysis.tcp.frames import Mark
from netlab.capture.segments import Flag
from netlab.report.reading import read_dialogues
from tests.analysis.scenes import CLIENT, SECOND_NS, SERVER, Scene, Stage
from tests.captures.faults import FOLDER

_GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
_ANSWER = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"


def _turns(dialogue: Dialogue) -> list[tuple[bool, int, int, int]]:
    return [
        (turn.from_client, turn.length, turn.first.frame, turn.last.frame)
        for turn in dialogue.turns
    ]


class DialogueTests(SynchronousTestCase):
    """
    A conversation is told in turns, and by how it ends.
    """

    def setUp(self) -> None:
        """
        One conversation.
        """
        self.stage = Stage()
        self.scene: Scene = self.stage.scene()

    def _finish(self) -> Dialogue:
        return self.stage.dialogues()[0]

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
        self.scene.open()
        self.scene.say(CLIENT, b"hello ")
        self.scene.send(SERVER, Flag.ACK)
        self.scene.say(CLIENT, b"there")
        self.scene.say(SERVER, b"HELLO")
        dialogue = self._finish()
        self.assertEqual(_turns(dialogue), [(True, 11, 4, 6), (False, 5, 7, 7)])
        self.assertEqual([turn.text for turn in dialogue.turns], [b"hello there", b"HELLO"])
        self.assertEqual(dialogue.bytes_said, 16)
        self.assertEqual(dialogue.is_repaired, False)

    def test_handshake(self) -> None:
        """
        The frames of the handshake are known, also where one was sent again.
        """
        self.scene.send(CLIENT, Flag.SYN)
        self.scene.send(CLIENT, Flag.SYN, seq=self.scene.sent[0] - 1, marks=Mark.RETRANSMISSION)
        self.scene.send(SERVER, Flag.SYN | Flag.ACK)
        self.scene.send(CLIENT, Flag.ACK)
        dialogue = self._finish()
        steps = (dialogue.syn, dialogue.syn_ack, dialogue.established)
        self.assertEqual([step.frame for step in steps if step], [1, 3, 4])
        self.assertEqual(dialogue.is_repaired, True)

    def test_retransmission(self) -> None:
        """
        Bytes that are sent again belong to the turn that they were first sent in.
        """
        self.scene.open()
        start = self.scene.sent[0]
        self.scene.say(CLIENT, b"hello")
        self.scene.say(SERVER, b"HELLO")
        self.scene.send(CLIENT, Flag.ACK, b"hello", seq=start, marks=Mark.RETRANSMISSION)
        self.assertEqual(_turns(self._finish()), [(True, 5, 4, 4), (False, 5, 5, 5)])

    def test_keep_alive(self) -> None:
        """
        The byte of a keep-alive is none that was said.
        """
        self.scene.open()
        self.scene.send(CLIENT, Flag.ACK, b"\0", seq=self.scene.sent[0] - 1, marks=Mark.KEEP_ALIVE)
        self.assertEqual(_turns(self._finish()), [])

    def test_idle_time(self) -> None:
        """
        A FIN's idle time counts from the last new byte of either end; an ACK does not count.
        """
        self.scene.open()
        self.scene.say(CLIENT, b"hello")
        self.scene.say(SERVER, b"HELLO")
        self.stage.wait(0.5)
        self.scene.send(CLIENT, Flag.ACK)
        self.stage.wait(0.5)
        self.scene.fin(SERVER)
        dialogue = self._finish()
        assert dialogue.server_fin is not None
        self.assertEqual(dialogue.server_fin.idle_ns, SECOND_NS + 2 * SECOND_NS // 1000)
        self.assertEqual(dialogue.client_fin, None)

    def test_idle_time_without_a_byte(self) -> None:
        """
        Where nothing was said, idle time counts from the handshake.
        """
        self.scene.open()
        self.stage.wait(1)
        self.scene.fin(SERVER)
        dialogue = self._finish()
        assert dialogue.server_fin is not None
        self.assertEqual(dialogue.server_fin.idle_ns, SECOND_NS + SECOND_NS // 1000)

    def test_close(self) -> None:
        """
        The end that has received the other's FIN before it sends its own closes second.
        """
        self.scene.open()
        self.scene.fin(SERVER)
        self.scene.fin(CLIENT)
        dialogue = self._finish()
        assert dialogue.server_fin is not None
        assert dialogue.client_fin is not None
        self.assertEqual(dialogue.server_fin.knows_other, False)
        self.assertEqual(dialogue.client_fin.knows_other, True)
        self.assertEqual(dialogue.is_simultaneous_close, False)

    def test_simultaneous_close(self) -> None:
        """
        FINs that cross on the way are a simultaneous close (RFC 9293 section 3.6, case 3).
        """
        self.scene.open()
        self.scene.fin(SERVER)
        self.scene.fin(CLIENT, knows=False)
        self.assertEqual(self._finish().is_simultaneous_close, True)

    def test_fin_is_counted_once(self) -> None:
        """
        A FIN that is sent again is the same FIN.
        """
        self.scene.open()
        self.scene.fin(SERVER)
        self.scene.send(
            SERVER, Flag.FIN | Flag.ACK, seq=self.scene.sent[1] - 1, marks=Mark.RETRANSMISSION
        )
        dialogue = self._finish()
        assert dialogue.server_fin is not None
        self.assertEqual(dialogue.server_fin.at.frame, 4)

    def test_reset(self) -> None:
        """
        Each end's first RST is known; what a RST carries is not said.
        """
        self.scene.open()
        self.scene.send(SERVER, Flag.RST | Flag.ACK, b"why")
        self.scene.send(SERVER, Flag.RST | Flag.ACK)
        dialogue = self._finish()
        self.assertEqual([reset and reset.frame for reset in dialogue.resets], [None, 4])
        self.assertEqual(dialogue.turns, [])

    def test_answer_that_ends_with_the_stream(self) -> None:
        """
        The reader of HTTP hears of the end when all bytes before the FIN have come, not before.
        """
        self.scene.open()
        self.scene.say(CLIENT, _GET)
        start = self.scene.sent[1]
        self.scene.sent[1] += len(_ANSWER)
        self.scene.fin(SERVER)
        self.scene.send(SERVER, Flag.ACK, _ANSWER, seq=start, marks=Mark.OUT_OF_ORDER)
        (one,) = self._finish().http.exchanges
        assert one.response is not None
        self.assertEqual((one.response.first_frame, one.response.end_frame), (6, 5))
        self.assertEqual(self._finish().http.fault, None)

    def test_middle(self) -> None:
        """
        Where the opening was not captured, the end that sends a request is the client and the end
        that sends a status line the server, whatever the ports.
        """
        for who, text in ((SERVER, _GET), (CLIENT, _ANSWER)):
            stage = Stage()
            scene = stage.scene(port=40000, server_port=8080)
            scene.say(who, text)
            (dialogue,) = stage.dialogues()
            self.assertEqual(dialogue.server.port, 40000)
            self.assertEqual(len(dialogue.http.exchanges), 1)

    def test_middle_of_another_protocol(self) -> None:
        """
        Where the opening was not captured and nothing tells, the higher port is the client's.
        """
        self.scene.say(SERVER, b"hello")
        self.assertEqual(_turns(self._finish()), [(False, 5, 1, 1)])

    def test_bounds(self) -> None:
        """
        Turns, and the text of each, are bounded; lengths are not.
        """
        self.patch(module, "TURNS_MAX", 2)
        self.scene.open()
        self.scene.say(CLIENT, bytes(TEXT_MAX_BYTES))
        self.scene.say(CLIENT, b"more")
        for who in (SERVER, CLIENT, SERVER):
            self.scene.say(who, b"hello")
        dialogue = self._finish()
        self.assertEqual([turn.length for turn in dialogue.turns], [TEXT_MAX_BYTES + 4, 5])
        self.assertEqual(len(dialogue.turns[0].text), TEXT_MAX_BYTES)
        self.assertEqual((dialogue.turns[0].is_whole, dialogue.turns[1].is_whole), (False, True))
        self.assertEqual(dialogue.has_more_turns, True)
