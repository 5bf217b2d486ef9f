"""
The promises of L{tests.fuzz.promises} hold for what Hypothesis thinks of, and for what was kept.
"""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.promises import PROMISES

_HERE = Path(__file__).resolve().parent


def _dictionary() -> list[bytes]:
    """
    Read the words that mean something, from libFuzzer's dictionary.
    """
    text = (_HERE / "http.dict").read_text(encoding="ascii")
    return [
        word.encode("ascii").decode("unicode_escape").encode("latin-1")
        for word in re.findall(r'^"(.*)"$', text, re.MULTILINE)
    ]


#: Words that mean something, each other's neighbours by chance, with any bytes between them.
INPUTS = st.lists(
    st.one_of(st.sampled_from(_dictionary()), st.binary(max_size=12)), max_size=16
).map(b"".join)


class PromiseTests(SynchronousTestCase):
    """
    Events or one error, values within bounds, never another exception.
    """

    def test_kept(self) -> None:
        """
        What is in the corpus breaks no promise, and each promise has some.
        """
        for name, promise in PROMISES.items():
            kept = sorted((_HERE / "corpus" / name).iterdir())
            self.assertTrue(kept, name)
            for path in kept:
                with self.subTest(path=path):
                    promise(path.read_bytes())

    @settings(deadline=None)
    @given(INPUTS)
    def test_any(self, data: bytes) -> None:
        """
        Nor do any bytes.
        """
        for promise in PROMISES.values():
            promise(data)
