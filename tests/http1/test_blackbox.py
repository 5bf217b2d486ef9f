"""
The cases of tests/blackbox in memory: whole, and byte by byte. C{tests/live/test_blackbox.py} tries
them over real sockets.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.http1.resources.beneath import Root
from netlab.http1.resources.resource import Router
from netlab.http1.resources.responses import Pages
from netlab.http1.resources.static import StaticFiles
from tests.blackbox.answers import read_answers
from tests.blackbox.case import PROBE, After, Case
from tests.blackbox.judge import Happened, Names, bytes_of, judge
from tests.blackbox.tables import STANDARD
from tests.blackbox.tree import MODIFIED_DATE, make_tree
from tests.http1.serving import ServerTestCase

_BYTE_BY_BYTE_MAX_BYTES = 2000


class BlackBoxTestCase(ServerTestCase):
    """
    A server of the cases' folder.
    """

    def setUp(self) -> None:
        """
        Serve the folder, at a time when its files have long been there.
        """
        super().setUp()
        self.reactor.rightNow = 1_600_000_000.0
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        root = Root(make_tree(folder))
        self.addCleanup(root.close)
        pages = Pages()
        clock: Any = self.reactor
        self.serve(Router({}, StaticFiles(root, clock.seconds), pages))
        etag = self.ask_one(b"HEAD /text.txt HTTP/1.1\r\nHost: a\r\n\r\n").fields["ETag"]
        self.names = Names(etag.encode(), MODIFIED_DATE)


class BlackBoxTests(BlackBoxTestCase):
    """
    Every case, against the protocol and the files.
    """

    def try_case(self, case: Case, *, is_cut: bool) -> list[str]:
        """
        Run a case as a client would, and judge what comes back.
        """
        client = self.connect()
        data = bytes_of(case, self.names)
        if is_cut:
            client.send(*[data[at : at + 1] for at in range(len(data))])
        else:
            client.send(data)
        self.take_turns()
        if case.after is After.SHUT and not client.is_ended:
            client.shut()
        happened = Happened(client.received, client.is_ended, client.transport.is_aborted)
        client.vanish()
        return judge(case, happened, is_ours=True)

    def check(self, *, is_cut: bool) -> None:
        """
        Run all cases, and say of each one that fails what is wrong.
        """
        wrong = {
            f"{case.name} (RFC {case.rule})": problems
            for group in STANDARD
            for case in group.cases
            if (not is_cut or len(case.sends) <= _BYTE_BY_BYTE_MAX_BYTES)
            if (problems := self.try_case(case, is_cut=is_cut))
        }
        self.assertEqual(wrong, {})

    def test_whole(self) -> None:
        """
        Each case comes out right when its bytes come in one delivery.
        """
        self.check(is_cut=False)

    def test_again(self) -> None:
        """
        The second time, when heads and answers are remembered, all is as the first time.
        """
        self.check(is_cut=False)
        self.check(is_cut=False)

    def test_byte_by_byte(self) -> None:
        """
        So it does when they come one by one.
        """
        self.check(is_cut=True)

    def test_names(self) -> None:
        """
        No two cases have one name, so that a failure says which it is.
        """
        names = [case.name for group in STANDARD for case in group.cases]
        self.assertEqual(len(names), len(set(names)))


#: Made by chance for each multipart answer.
_BOUNDARY = re.compile(rb"[0-9a-f]{32}")

_SHORT_CASES = [
    case for group in STANDARD for case in group.cases if len(case.sends) <= _BYTE_BY_BYTE_MAX_BYTES
]
_ODD_BYTES = st.sampled_from(
    [b"", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b"\x00", b":", b",", b";", b"0", b"\xff"]
)


class MutatedCaseTests(BlackBoxTestCase):
    """
    Cases with some bytes replaced by odd ones: what comes of them is not known, but what may not.
    """

    @settings(max_examples=200, deadline=None)
    @given(
        st.sampled_from(_SHORT_CASES),
        st.lists(st.tuples(st.floats(0, 1), st.integers(0, 2), _ODD_BYTES), min_size=1, max_size=3),
        st.floats(0, 1),
    )
    def test_mutated(
        self, case: Case, mutations: list[tuple[float, int, bytes]], where: float
    ) -> None:
        """
        The answers are whole and well-formed, none follows one that says close, they are the same
        however the bytes are cut, and nothing is logged as a failure. (Whether content that waits
        for a 100 has come with its head makes a difference, and may.)
        """
        data = bytes_of(case, self.names) + PROBE
        for place, length, odd in mutations:
            at = int(place * len(data))
            data = data[:at] + odd + data[at + length :]
        cut = 1 + int(where * len(data))
        whole, in_two = self.connect(), self.connect()
        whole.send(data)
        in_two.send(*filter(None, (data[:cut], data[cut:])))
        self.take_turns()
        if b"100-continue" not in data.lower():
            received = [_BOUNDARY.sub(b"", client.received) for client in (whole, in_two)]
            self.assertEqual(received[0], received[1])
            self.assertEqual(whole.is_ended, in_two.is_ended)
        if b"HEAD" not in data:
            answers, _ = read_answers(whole.received, [], is_ended=whole.is_ended)
            self.assertEqual([answer.faults for answer in answers], [[] for _ in answers])
            self.assertFalse(any(answer.says_close for answer in answers[:-1]))
            if answers and answers[-1].says_close:
                self.assertTrue(whole.is_ended)
        for client in (whole, in_two):
            client.vanish()
        self.clients.clear()
        self.assertEqual(self.failures(), [])
