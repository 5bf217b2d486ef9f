"""
Tests for L{netlab.analysis.observations.surroundings}.
"""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.observations import surroundings
from netlab.analysis.observations.surroundings import Surroundings
from netlab.capture.icmp import IcmpError
from netlab.capture.records import Interface, Record
from netlab.capture.segments import Other

_ETHERNET = Interface(1)


def other(number: int, protocol: str, data: bytes = b"", key: bytes = b"") -> Other:
    """Make a frame."""
    record = Record(number, number, data, len(data), _ETHERNET)
    return Other(record, protocol, "", key, data, 0, len(data))


def arp(number: int, sender: int, target: int) -> Other:
    """Ask for a host."""
    head = b"\0\1\x08\0\6\4\0\1" + bytes(6)
    data = head + struct.pack(">I", sender) + bytes(6) + struct.pack(">I", target)
    return other(number, "ARP", data)


class BoundTests(SynchronousTestCase):
    """
    A capture cannot make it grow without end.
    """

    def test_layers(self) -> None:
        """
        So many protocols are counted by name.
        """
        seen = Surroundings()
        for number in range(1, 100):
            seen.observe_other(other(number, f"ethertype {number}"))
        self.assertEqual(len(seen.layers), surroundings.LAYERS_MAX)

    def test_errors(self) -> None:
        """
        So many ICMP errors are kept, of all conversations together.
        """
        self.patch(surroundings, "ERRORS_MAX", 3)
        seen = Surroundings()
        for number in range(1, 9):
            error = IcmpError(number, 0, 4, 3, 3, 0, b"", 6, b"", -1)
            seen.observe_other(other(number, "ICMP"), error, number % 2)
        self.assertEqual(len(seen.errors), 3)
        self.assertEqual([len(seen.errors_of(stream)) for stream in (0, 1, 2)], [1, 2, 0])

    def test_neighbours(self) -> None:
        """
        Where more hosts are heard than are kept, it is not known of any that it is silent.
        """
        self.patch(surroundings, "NEIGHBOURS_MAX", 4)
        seen = Surroundings()
        for number in range(1, 4):
            seen.observe_other(arp(number, number, 99))
        self.assertEqual(len(seen.unanswered_requests()), 3)
        for number in range(4, 9):
            seen.observe_other(arp(number, number, 99))
        self.assertEqual(seen.unanswered_requests(), ())

    def test_cut_segments(self) -> None:
        """
        So many pairs of ports are counted.
        """
        self.patch(surroundings, "CUT_MAX", 2)
        seen = Surroundings()
        for number in range(1, 9):
            seen.observe_other(other(number, "TCP", bytes(30), bytes(11) + bytes([number])))
        self.assertEqual(len(seen.cut_segments), 2)


class SilenceTests(SynchronousTestCase):
    """
    Which hosts do not answer ARP.
    """

    def test_who_asks_is_there(self) -> None:
        """
        A host that asks for another is there; one that probes for its own address asks for nobody.
        """
        seen = Surroundings()
        seen.observe_other(arp(1, 1, 2))
        seen.observe_other(arp(2, 2, 1))
        seen.observe_other(arp(3, 3, 3))
        self.assertEqual(seen.unanswered_requests(), [])
