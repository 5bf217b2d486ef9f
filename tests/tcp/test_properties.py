"""
What holds of two machines whatever the link between them does to their packets.
"""

from __future__ import annotations

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.settings import Settings
from netlab.tcp.timers import MILLISECOND, NANOSECONDS
from tests.tcp.pair import NeverConnectedError, Pair, Weather
from tests.tcp.programs import Plan, run

WEATHER = st.builds(
    Weather,
    delay=st.sampled_from([1000, MILLISECOND, 20 * MILLISECOND, 150 * MILLISECOND]),
    jitter=st.sampled_from([0, 0, MILLISECOND, 30 * MILLISECOND]),
    loss=st.sampled_from([0.0, 0.01, 0.1, 0.3]),
    duplication=st.sampled_from([0.0, 0.1]),
    corruption=st.sampled_from([0.0, 0.05]),
    rate=st.sampled_from([0, 100_000, 1_250_000]),
    queue=st.sampled_from([5, 20, 100]),
    # After a minute the sky clears, so that everything comes to an end.
    ends=st.just(60 * NANOSECONDS),
)

SETTINGS = st.builds(
    Settings,
    tcp_sack=st.sampled_from([1, 0]),
    tcp_timestamps=st.sampled_from([1, 0]),
    tcp_window_scaling=st.sampled_from([1, 0]),
    tcp_recovery=st.sampled_from([1, 0, 2, 4]),
    tcp_early_retrans=st.sampled_from([3, 0]),
    tcp_ecn=st.sampled_from([2, 1, 0]),
    tcp_dsack=st.sampled_from([1, 0]),
    tcp_frto=st.sampled_from([2, 0]),
    tcp_congestion_control=st.sampled_from(["cubic", "reno"]),
    tcp_rmem=st.sampled_from(
        [(4096, 131072, 6291456), (4096, 4096, 20_000), (4096, 20_000, 20_000)]
    ),
)

PLAN = st.builds(
    Plan,
    sends=st.sampled_from([0, 1, 100, 5000, 60_000]),
    piece=st.sampled_from([65536, 1460, 100]),
    reads=st.sampled_from([65536, 1000]),
    reads_after=st.sampled_from([0, 0, 5 * NANOSECONDS, 100 * NANOSECONDS]),
    ends=st.sampled_from(["shutdown", "shutdown", "close", "abort"]),
    nodelay=st.booleans(),
)


class HostileLinkTests(SynchronousTestCase):
    """
    Any loss, order, duplication, delay and corruption; any programs.
    """

    @settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
    @given(WEATHER, SETTINGS, SETTINGS, PLAN, PLAN, st.integers(0, 2**32))
    def test_anything(
        self,
        weather: Weather,
        client: Settings,
        server: Settings,
        client_plan: Plan,
        server_plan: Plan,
        seed: int,
    ) -> None:
        """
        Each byte arrives once and in order, or the side that misses some is told; nothing leaves
        beyond the window; what is acknowledged was sent; timers are bounded; it ends
        (L{tests.tcp.programs}). After it neither host remembers anything.
        """
        pair = Pair(weather, client, server, seed)
        try:
            run(pair, client_plan, server_plan)
        except NeverConnectedError:
            event("never connected")
        self.assertIsNone(pair.next_time())

    @settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
    @given(WEATHER, SETTINGS, SETTINGS, PLAN, PLAN, st.integers(0, 2**32))
    def test_good_order(
        self,
        weather: Weather,
        client: Settings,
        server: Settings,
        client_plan: Plan,
        server_plan: Plan,
        seed: int,
    ) -> None:
        """
        Where both programs end their half and read on, everything arrives, and nobody is told of a
        fault, unless the link was so bad that patience ended.
        """
        weather = weather._replace(ends=20 * NANOSECONDS)
        pair = Pair(weather, client, server, seed)
        try:
            one, two = run(
                pair, client_plan._replace(ends="shutdown"), server_plan._replace(ends="shutdown")
            )
        except NeverConnectedError:
            event("never connected")
            return
        self.assertEqual(bytes(one.got), two.data)
        self.assertEqual(bytes(two.got), one.data)
        self.assertFalse(one.was_cut or two.was_cut)
