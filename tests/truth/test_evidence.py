"""
Each rule refutes what its kind's frames do not show, and lets pass what they do.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.truth.claimed import Claimed
from tests.truth.evidence import evidence_lacks
from tests.truth.frames import ACK, FIN, PSH, RST, SYN, Frame

_CLIENT, _SERVER = ("192.0.2.1", "40000"), ("192.0.2.2", "80")

#: Number, sender, flags, first number, ACK, bytes, window, time to live, identification.
_LINES = (
    (1, "c", SYN, 100, 0, 0, 1000, 64, 1),
    (2, "c", SYN, 100, 0, 0, 1000, 64, 2),
    (3, "s", SYN | ACK, 500, 101, 0, 1000, 52, 1),
    (4, "c", ACK, 101, 501, 0, 1000, 64, 3),
    (5, "c", ACK | PSH, 101, 501, 3, 1000, 64, 4),
    (6, "s", ACK, 501, 104, 0, 1000, 52, 2),
    (7, "s", ACK, 501, 104, 0, 1000, 52, 3),
    (8, "s", ACK, 501, 104, 0, 1000, 52, 3),
    (9, "s", ACK, 501, 104, 10, 1000, 52, 4),
    (10, "c", ACK, 104, 511, 0, 0, 64, 5),
    (11, "s", ACK, 510, 104, 1, 1000, 52, 5),
    (12, "c", ACK, 104, 511, 0, 0, 64, 6),
    (13, "s", RST, 500_000, 0, 0, 0, 240, 9999),
    (14, "c", ACK | FIN, 104, 511, 0, 1000, 64, 7),
    (15, "s", ACK, 511, 105, 20, 1000, 52, 6),
    (16, "c", RST, 105, 0, 0, 0, 64, 0),
    (17, "s", ACK | FIN, 531, 105, 0, 1000, 52, 7),
)

TALK = {
    number: Frame(
        number, number * 10**9, 0, _CLIENT if who == "c" else _SERVER,
        _SERVER if who == "c" else _CLIENT, flags, seq, ack, size, window, ttl, ip_id,
        b"x" * size, False,
    )
    for number, who, flags, seq, ack, size, window, ttl, ip_id in _LINES
}  # fmt: skip


def lacking(kind: str, *frames: int, **figures: Any) -> str | None:
    """
    Say what a claim's frames do not show.
    """
    claim = Claimed(kind, frames, "seen", figures, "", (), "", "", 0, _CLIENT)
    return evidence_lacks(claim, TALK, list(TALK.values()))


class EvidenceTests(SynchronousTestCase):
    """
    One true and one false claim of each kind.
    """

    def assert_told_apart(self, kind: str, true: Any, false: Any) -> None:
        """
        Expect the first to stand, and the second to be refuted.
        """
        self.assertIsNone(lacking(kind, *true[0], **true[1]), (kind, true))
        self.assertIsNotNone(lacking(kind, *false[0], **false[1]), (kind, false))

    def test_kinds(self) -> None:
        """
        What is true is let pass, and what is false is not.
        """
        odd = {"ttl": 240, "usual_ttl": 52}
        cases: tuple[tuple[str, Any, Any], ...] = (
            ("opening.syn-lost", ((1, 2, 3), {}), ((1, 3), {})),
            ("acks.duplicate", ((7,), {}), ((6,), {})),
            ("copies.copy", ((8,), {"original_frame": 7}), ((7,), {"original_frame": 6})),
            ("delays.server", ((5, 9), {"asked_frame": 5}), ((9, 11), {"asked_frame": 9})),
            ("delays.pushes", ((5,), {"pushes": 1}), ((5,), {"pushes": 2})),
            ("keepalives.probe", ((11,), {}), ((9,), {})),
            ("keepalives.answer", ((11, 12), {"probe_frame": 11}), ((9, 11), {"probe_frame": 9})),
            ("windows.probe-answered", ((12,), {}), ((14,), {})),
            ("resets.outside-window", ((12, 13), odd), ((15, 16), {})),
            ("resets.other-sender", ((13,), odd), ((13,), {"ttl": 52, "usual_ttl": 52})),
            ("resets.goes-on", ((13, 14, 15), {}), ((13, 14), {})),
            ("resets.data-after-close", ((14, 15, 16), {"answered_frame": 15}),
             ((14, 12, 16), {"answered_frame": 9})),
            ("resets.answers-a-segment", ((15, 16), {}), ((9, 16), {})),
            ("closes.half-close", ((14, 15, 17), {}), ((17, 17), {})),
            ("gaps.not-captured", ((12,), {}), ((13,), {})),
        )  # fmt: skip
        for kind, true, false in cases:
            self.assert_told_apart(kind, true, false)

    def test_both_closed(self) -> None:
        """
        TIME-WAIT needs a FIN of each end.
        """
        claim = Claimed("closes.time-wait", (14,), "follows", {}, "", (), "", "", 0, _CLIENT)
        self.assertIsNone(evidence_lacks(claim, TALK, list(TALK.values())))
        self.assertIsNotNone(evidence_lacks(claim, TALK, list(TALK.values())[:16]))

    def test_frames_that_are_not_there(self) -> None:
        """
        Of frames that are no segments nothing is said here.
        """
        self.assertIsNone(lacking("copies.copy", 99, original_frame=7))
