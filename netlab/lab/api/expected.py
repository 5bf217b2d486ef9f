"""
What an experiment can expect of its captures, in one place: its author need not know the parts of
the analysis. C{netlab verify} judges by the same functions.
"""

from __future__ import annotations

from netlab.analysis.expectations.expectations import (
    Expectation,
    Who,
    answers_in_capitals,
    expect_of,
    opens,
    says,
    says_nothing,
)
from netlab.analysis.expectations.expected_closing import (
    closes_at_once,
    closes_both,
    closes_first,
    closes_idle,
    closes_second,
    closes_simultaneously,
    has_no_reset,
    is_reset,
)
from netlab.analysis.expectations.expected_http import answers, exchanges, requests
from netlab.analysis.expectations.expected_segments import (
    connections,
    cuts_into,
    grows_in_flight,
    has_marked,
    hears_after_fin,
    probes_zero_window,
    refuses,
    retransmits_at_once,
    retransmits_by_timer,
    reuses_ports,
    says_in_segments,
    selectively_acknowledges,
    waits_for_ack,
    waits_for_no_ack,
)
from netlab.analysis.expectations.expected_talk import (
    answers_after,
    answers_in_chunks,
    asks_apart,
    asks_on_one_only,
    asks_somewhere,
    continues,
    pipelines,
    statuses,
    withholds_content,
)
from netlab.analysis.expectations.expected_tls import (
    agrees_on_tls,
    is_opened,
    says_close_notify,
)
from netlab.analysis.expectations.references import EXCHANGES
from netlab.analysis.tcp.frames import Mark

__all__ = [
    "EXCHANGES",
    "Expectation",
    "Mark",
    "Who",
    "agrees_on_tls",
    "answers",
    "answers_after",
    "answers_in_capitals",
    "answers_in_chunks",
    "asks_apart",
    "asks_on_one_only",
    "asks_somewhere",
    "closes_at_once",
    "closes_both",
    "closes_first",
    "closes_idle",
    "closes_second",
    "closes_simultaneously",
    "connections",
    "continues",
    "cuts_into",
    "exchanges",
    "expect_of",
    "grows_in_flight",
    "has_marked",
    "has_no_reset",
    "hears_after_fin",
    "is_opened",
    "is_reset",
    "opens",
    "pipelines",
    "probes_zero_window",
    "refuses",
    "requests",
    "retransmits_at_once",
    "retransmits_by_timer",
    "reuses_ports",
    "says",
    "says_close_notify",
    "says_in_segments",
    "says_nothing",
    "selectively_acknowledges",
    "statuses",
    "waits_for_ack",
    "waits_for_no_ack",
    "withholds_content",
]
