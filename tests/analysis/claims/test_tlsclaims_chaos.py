"""
Captures of TLS from which frames are missing, or have come twice or late: nothing is claimed that
what really happened refutes.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation.story import ConversationStory
from netlab.analysis.words.sentences import sentence
from tests.analysis.claims.test_tlsclaims import in_tls, kinds, told
from tests.analysis.tls.played import REQUEST, RESPONSE, Played, Terms, http_exchange
from tests.captures.talk import Talk

PLAYED: dict[str, Played] = {
    "1.2": http_exchange(Terms("1.2", alpn=(b"http/1.1",))),
    "1.3": http_exchange(Terms(alpn=(b"http/1.1",))),
}

#: What did not happen: both ends agreed, said close_notify, and closed by FIN.
NEVER = {
    "alerts.sent",
    "alerts.ended",
    "alerts.no-close-notify",
    "alerts.hello-refused",
    "alerts.hello-unanswered",
    "alerts.answered-without-tls",
    "alerts.hidden-refusal",
    "tls.reset-after-close-notify",
    "tls.resumed",
    "tls.not-resumed",
    "tls.retry",
    "tls.early-data",
    "tls.key-update",
    "tls.certificate-none",
    "tls.certificate-request",
    "tls.renegotiated",
    "tls.suite-not-opened",
    "tls.keys-missing",
    "tls.keys-wrong",
}


def damaged(talk: Talk, seed: int, losses: float, lateness: float) -> Talk:
    """
    Lose frames, and let some come later or twice.
    """
    chance = random.Random(seed)
    kept = [frame for frame in talk.frames if chance.random() >= losses]
    order = [
        (index + (chance.random() * 4 if chance.random() < lateness else 0), data)
        for index, (_, data) in enumerate(kept)
        for _ in range(2 if chance.random() < lateness / 4 else 1)
    ]
    order.sort(key=lambda each: each[0])
    start = talk.frames[0][0]
    talk.frames[:] = [(start + number * 1_000_000, data) for number, (_, data) in enumerate(order)]
    return talk


class ChaosTests(SynchronousTestCase):
    """
    A connection without a fault, captured with some.
    """

    @settings(deadline=None, max_examples=150)
    @given(
        st.sampled_from(sorted(PLAYED)),
        st.booleans(),
        st.integers(0, 1 << 32),
        st.sampled_from([0.0, 0.05, 0.2, 0.5]),
        st.sampled_from([0.0, 0.1]),
        st.sampled_from("cs"),
    )
    @pytest.mark.slow
    def test_nothing_refuted(
        self, version: str, has_keys: bool, seed: int, losses: float, lateness: float, closer: str
    ) -> None:
        """
        No fault is claimed, no number is higher than the truth, and no name another one.
        """
        played = PLAYED[version]
        talk = damaged(played.captured().close(closer), seed, losses, lateness)
        if not talk.frames:
            return
        conversation = told(talk, played.keylog_bytes if has_keys else None)
        self.assertEqual(kinds(conversation) & NEVER, set())
        self._check_figures(conversation)
        # The one request was answered: it cannot wait for an answer whose request is not there.
        http = {each.kind for each in conversation.claims if each.topic == "http"}
        self.assertFalse({"http.unanswered", "http.request-not-captured"} <= http)
        for claim in in_tls(conversation):
            self.assertTrue(sentence(claim).endswith("."))

    def _check_figures(self, conversation: ConversationStory) -> None:
        sizes = {"client": len(REQUEST), "server": len(RESPONSE)}
        for claim in in_tls(conversation):
            figures = claim.figures
            match claim.kind:
                case "tls.client-hello":
                    self.assertIn(
                        figures.get("server_name_text", "www.example.com"), ("www.example.com",)
                    )
                case "tls.application-data":
                    self.assertLessEqual(int(figures["records"]), 1)
                    self.assertLessEqual(int(figures.get("bytes", 0)), sizes[claim.who])
                case "tls.certificate":
                    self.assertEqual(figures["subject_text"], "www.example.com")
                case _:
                    pass
