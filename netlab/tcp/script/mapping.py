"""
Between a script's numbers and the machine's: sequence numbers from 0, timestamps as it pleases.
"""

from __future__ import annotations

import enum

from netlab.capture.segments import Flag
from netlab.tcp.script.language import syntax
from netlab.tcp.script.language.syntax import ScriptOption

MASK = 0xFFFFFFFF


class FlowPhase(enum.Enum):
    """
    How far the script has seen a connection come.
    """

    LISTENING = "listening"
    CONNECTING = "connect called"
    SYN_SENT = "SYN sent"
    SYN_RECEIVED = "SYN received"
    SYN_ACK_SENT = "SYN-ACK sent"
    OPEN = "open"


class ScriptFlow:
    """
    One connection as the script sees it: its ends and both initial sequence numbers.

    In a script the numbers of a SYN are as they are written, and those of every other segment count
    from the SYN's as 0.

    @ivar local: address and port of the machine under test, as bytes and integer.
    @ivar remote: address and port of the script's side.
    """

    def __init__(self, local: tuple[bytes, int], remote: tuple[bytes, int]) -> None:
        self.phase = FlowPhase.CONNECTING
        self.local = local
        self.remote = remote
        self.script_local_isn = 0
        self.script_remote_isn = 0
        self.live_local_isn = 0
        self.live_remote_isn = 0
        self._timestamps: dict[int, int] = {}
        self._first_timestamps: tuple[int, int] | None = None

    def _local_offset(self, flags: int) -> int:
        # What a number of ours has more on the wire than in the script.
        return self.live_local_isn - (self.script_local_isn if flags & Flag.SYN else 0)

    def _remote_offset(self, flags: int) -> int:
        return self.live_remote_isn - (self.script_remote_isn if flags & Flag.SYN else 0)

    def seq_to_live(self, seq: int, flags: int) -> int:
        """
        Translate the sequence number of an inbound segment.
        """
        return (seq + self._remote_offset(flags)) & MASK

    def ack_to_live(self, ack: int, flags: int) -> int:
        """
        Translate the acknowledgement number of an inbound segment.
        """
        return (ack + self._local_offset(flags)) & MASK if flags & Flag.ACK else ack

    def quoted_to_live(self, seq: int) -> int:
        """
        Translate the sequence number that an ICMP message quotes.
        """
        return (seq + self._local_offset(0)) & MASK

    def seq_to_script(self, seq: int, flags: int) -> int:
        """
        Translate the sequence number of an outbound segment.
        """
        return (seq - self._local_offset(flags)) & MASK

    def ack_to_script(self, ack: int, flags: int) -> int:
        """
        Translate the acknowledgement number of an outbound segment.
        """
        return (ack - self._remote_offset(flags)) & MASK if flags & Flag.ACK else ack

    def options_to_live(
        self, options: tuple[ScriptOption, ...], flags: int, *, is_scaled: bool
    ) -> tuple[ScriptOption, ...]:
        """
        Translate the options of an inbound segment.

        @param is_scaled: an echo that no outbound timestamp was counts from the first of them.
        @raise KeyError: there is such an echo, which it names, and it does not.
        """
        translated = []
        for option in options:
            value = option.value
            if option.kind == syntax.SACK:
                value = _shifted(value, self._local_offset(flags))
            elif option.kind == syntax.TIMESTAMPS and flags & Flag.ACK:
                echo = self._echo(int.from_bytes(value[4:]), is_scaled=is_scaled)
                value = value[:4] + echo.to_bytes(4)
            translated.append(option._replace(value=value))
        return tuple(translated)

    def _echo(self, echo: int, *, is_scaled: bool) -> int:
        if echo not in self._timestamps and is_scaled and self._first_timestamps is not None:
            script, live = self._first_timestamps
            return (live + echo - script) & MASK
        return self._timestamps[echo]

    def options_to_script(
        self, options: tuple[ScriptOption, ...], flags: int
    ) -> tuple[ScriptOption, ...]:
        """
        Translate the options of an outbound segment, its timestamps apart.
        """
        return tuple(
            option._replace(value=_shifted(option.value, -self._remote_offset(flags)))
            if option.kind == syntax.SACK
            else option
            for option in options
        )

    def learn_timestamp(self, script: int, live: int) -> int:
        """
        Note that a timestamp of the script stands for one of the machine's.

        @return: what the machine's would be in the script, counting from the first one.
        """
        self._timestamps[script] = live
        if self._first_timestamps is None:
            self._first_timestamps = script, live
        first_script, first_live = self._first_timestamps
        return (first_script + live - first_live) & MASK


def _shifted(blocks: bytes, offset: int) -> bytes:
    return b"".join(
        ((int.from_bytes(blocks[at : at + 4]) + offset) & MASK).to_bytes(4)
        for at in range(0, len(blocks) - 3, 4)
    )


def read_options(data: bytes) -> tuple[ScriptOption, ...]:
    """
    Cut the bytes of a segment's options into options.
    """
    options = []
    at = 0
    while at < len(data):
        kind = data[at]
        if kind in {syntax.EOL, syntax.NOP}:
            options.append(ScriptOption(kind, b""))
            at += 1
            continue
        length = max(2, data[at + 1]) if at + 1 < len(data) else 2
        options.append(ScriptOption(kind, data[at + 2 : at + length]))
        at += length
    return tuple(options)
