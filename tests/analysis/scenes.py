"""
Conversations put together by hand: who sent what, and when.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from netlab.analysis.observations.dialogue import Dialogue
from netlab.analysis.tcp.conversation import Conversation, Flow
from netlab.analysis.tcp.frames import Analysed
from netlab.capture.records import Interface, Record
from netlab.capture.segments import Flag, Segment

START_NS: Final = 1_700_000_000_000_000_000
SECOND_NS: Final = 1_000_000_000

CLIENT, SERVER = 0, 1

_FIN: Final = int(Flag.FIN | Flag.ACK)
_MASK: Final = (1 << 32) - 1


class Stage:
    """
    A capture under way: numbers frames, and knows the time.

    @ivar number: of the last frame.
    @ivar now_ns: since 1970.
    @ivar scenes: the conversations so far.
    """

    def __init__(self) -> None:
        self.number = 0
        self.now_ns = START_NS
        self.scenes: list[Scene] = []

    def wait(self, seconds: float) -> None:
        """
        Let time pass.
        """
        self.now_ns += round(seconds * SECOND_NS)

    def scene(self, port: int = 40000, server_port: int = 8080, client: int = 1) -> Scene:
        """
        Begin a conversation, without a frame yet.
        """
        scene = Scene(self, len(self.scenes), bytes((10, 0, 0, client)), port, server_port)
        self.scenes.append(scene)
        return scene

    def dialogues(self) -> list[Dialogue]:
        """
        End the capture.
        """
        for scene in self.scenes:
            scene.dialogue.finish()
        return [scene.dialogue for scene in self.scenes]


class Scene:
    """
    One conversation of a stage. Each frame comes a millisecond after the last.

    @ivar dialogue: what is made of it.
    @ivar watch: what is given each segment.
    @ivar sent: the next sequence numbers of client and server.
    """

    def __init__(
        self, stage: Stage, stream: int, client: bytes, port: int, server_port: int
    ) -> None:
        self.stage = stage
        flows = (Flow(0, client, port), Flow(1, bytes((10, 0, 0, 99)), server_port))
        self.conversation = Conversation(stream, flows, stage.number + 1)
        self.dialogue = Dialogue(self.conversation)
        self.watch: Callable[[Analysed], None] = self.dialogue.receive
        self.sent = [4_294_967_290, 700]
        self.seen = [700, 4_294_967_290]

    def send(
        self,
        who: int,
        flags: Flag | int,
        payload: bytes = b"",
        *,
        seq: int | None = None,
        marks: int = 0,
        knows: bool = True,
    ) -> int:
        """
        Send a segment.

        @param who: L{CLIENT} or L{SERVER}.
        @param flags: its flags.
        @param payload: its data.
        @param seq: its sequence number; C{None} takes the next.
        @param marks: what the analysis says of it.
        @param knows: whether it acknowledges all that the other has sent.
        @return: its frame's number.
        """
        stage = self.stage
        stage.number += 1
        stage.now_ns += SECOND_NS // 1000
        if knows:
            self.seen[who] = self.sent[1 - who]
        flow = self.conversation.flows[who]
        start = self.sent[who] if seq is None else seq
        key = flow.raw_address + flow.peer.raw_address
        key += flow.port.to_bytes(2) + flow.peer.port.to_bytes(2)
        record = Record(stage.number, stage.now_ns, payload, len(payload), Interface(1))
        ack = self.seen[who] & _MASK if flags & Flag.ACK else 0
        segment = Segment(
            record, key, flow.port, flow.peer.port, start & _MASK, ack, int(flags), 64240, b"",
            len(payload), payload, 0, 0, 0,
        )  # fmt: skip
        if seq is None:
            self.sent[who] += segment.seglen
        self.conversation.last_frame = stage.number
        if flags & Flag.SYN:
            self.conversation.opener = CLIENT
        self.watch(
            Analysed(segment, self.conversation, flow, marks, None, None, 0, None, 0, 0, None, 0)
        )
        return stage.number

    def open(self) -> None:
        """
        Shake hands.
        """
        self.send(CLIENT, Flag.SYN)
        self.send(SERVER, Flag.SYN | Flag.ACK)
        self.send(CLIENT, Flag.ACK)

    def say(self, who: int, payload: bytes) -> int:
        """
        Send data.
        """
        return self.send(who, Flag.PSH | Flag.ACK, payload)

    def fin(self, who: int, *, knows: bool = True) -> int:
        """
        Send FIN.
        """
        return self.send(who, _FIN, knows=knows)
