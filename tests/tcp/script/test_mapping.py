"""
Tests for L{netlab.tcp.script.mapping}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.segments import Flag
from netlab.tcp.script.language.packets import option_bytes
from netlab.tcp.script.language.syntax import SACK, TIMESTAMPS, ScriptOption
from netlab.tcp.script.mapping import ScriptFlow, read_options

_ACK = int(Flag.ACK)
_SYN = int(Flag.SYN)


def flow() -> ScriptFlow:
    """
    Make a flow whose initial sequence numbers are 7 and 9 in the script, and near the end of what
    32 bits hold on the wire.
    """
    made = ScriptFlow((b"local", 1), (b"remote", 2))
    made.script_local_isn, made.live_local_isn = 7, 0xFFFF_FFF0
    made.script_remote_isn, made.live_remote_isn = 9, 0xFFFF_FFF8
    return made


class SequenceTests(SynchronousTestCase):
    """
    Sequence numbers.
    """

    def test_syn(self) -> None:
        """
        Those of a SYN are as the script writes them.
        """
        self.assertEqual(flow().seq_to_live(9, _SYN), 0xFFFF_FFF8)
        self.assertEqual(flow().ack_to_live(8, _SYN | _ACK), 0xFFFF_FFF1)
        self.assertEqual(flow().seq_to_script(0xFFFF_FFF0, _SYN), 7)

    def test_others(self) -> None:
        """
        Those of others count from the SYN's as 0, beyond the end of 32 bits too.
        """
        self.assertEqual(flow().seq_to_live(1, _ACK), 0xFFFF_FFF9)
        self.assertEqual(flow().seq_to_live(101, _ACK), 93)
        self.assertEqual(flow().ack_to_live(1, _ACK), 0xFFFF_FFF1)
        self.assertEqual(flow().seq_to_script(0xFFFF_FFF1, _ACK), 1)
        self.assertEqual(flow().ack_to_script(93, _ACK), 101)
        self.assertEqual(flow().quoted_to_live(17), 1)

    def test_without_ack(self) -> None:
        """
        Without the ACK flag the field means nothing and is as it is.
        """
        self.assertEqual(flow().ack_to_live(5, 0), 5)
        self.assertEqual(flow().ack_to_script(5, 0), 5)


class OptionTests(SynchronousTestCase):
    """
    Options.
    """

    def test_sack(self) -> None:
        """
        Blocks that arrive are of our numbers, those that leave are of the peer's.
        """
        blocks = ScriptOption(SACK, bytes.fromhex("0000000100000011"))
        (arriving,) = flow().options_to_live((blocks,), _ACK, is_scaled=False)
        self.assertEqual(arriving.value.hex(), "fffffff100000001")
        leaving = ScriptOption(SACK, bytes.fromhex("fffffff900000009"))
        (seen,) = flow().options_to_script((leaving,), _ACK)
        self.assertEqual(seen.value, blocks.value)

    def test_timestamps(self) -> None:
        """
        An echo stands for the timestamp that was seen where the script wrote that number.
        """
        made = flow()
        self.assertEqual(made.learn_timestamp(100, 5000), 100)
        self.assertEqual(made.learn_timestamp(200, 5050), 150)
        echo = ScriptOption(TIMESTAMPS, bytes.fromhex("00000001000000c8"))
        (option,) = made.options_to_live((echo,), _ACK, is_scaled=False)
        self.assertEqual(option.value, (1).to_bytes(4) + (5050).to_bytes(4))
        unknown = ScriptOption(TIMESTAMPS, bytes.fromhex("0000000100000096"))
        self.assertRaises(KeyError, made.options_to_live, (unknown,), _ACK, is_scaled=False)
        (scaled,) = made.options_to_live((unknown,), _ACK, is_scaled=True)
        self.assertEqual(scaled.value[4:], (5050).to_bytes(4))
        (syn,) = made.options_to_live((unknown,), _SYN, is_scaled=False)
        self.assertEqual(syn, unknown)

    def test_reading(self) -> None:
        """
        Options are cut as they were written; what is cut short, or says that it is shorter than its
        own head, does not loop.
        """
        data = bytes.fromhex("020405b4 0101 0402 00")
        self.assertEqual(option_bytes(read_options(data)), data)
        self.assertEqual(read_options(b"\x05"), (ScriptOption(5, b""),))
        self.assertEqual(
            read_options(b"\x05\x00\x01"), (ScriptOption(5, b""), ScriptOption(1, b""))
        )
