"""
Run two machines over hostile links by seed, as L{tests.tcp.test_properties} does, but thousands::

    python -m tests.tcp.hostile 1000            # seeds 0 to 999
    python -m tests.tcp.hostile 1 4711          # seed 4711 alone

A seed that fails is printed as the command that shows it.
"""

from __future__ import annotations

import sys
from random import Random

from netlab.tcp.settings import Settings
from netlab.tcp.timers import MILLISECOND, NANOSECONDS
from tests.tcp.pair import NeverConnectedError, Pair, Weather
from tests.tcp.programs import Plan, run

_ALTERNATIVES = {
    "tcp_sack": (0, 1),
    "tcp_timestamps": (0, 1),
    "tcp_window_scaling": (0, 1),
    "tcp_recovery": (0, 1, 2, 7),
    "tcp_early_retrans": (0, 3),
    "tcp_ecn": (0, 1, 2),
    "tcp_dsack": (0, 1),
    "tcp_frto": (0, 2),
    "tcp_congestion_control": ("reno", "cubic"),
    "tcp_rmem": ((4096, 4096, 200_000), (4096, 20_000, 20_000)),
}


def scenario(seed: int) -> tuple[Pair, Plan, Plan]:
    """
    Draw a link, two hosts' settings and two programs.
    """
    chance = Random(seed)
    weather = Weather(
        delay=chance.choice([0, 1, 10, 100]) * MILLISECOND + 1000,
        jitter=chance.choice([0, 0, 1, 20]) * MILLISECOND,
        loss=chance.choice([0, 0, 0.01, 0.1, 0.3]),
        duplication=chance.choice([0, 0, 0.1]),
        corruption=chance.choice([0, 0, 0.05]),
        rate=chance.choice([0, 0, 100_000, 1_250_000]),
        queue=chance.choice([5, 20, 100]),
        ends=chance.choice([10, 60, 1 << 30]) * NANOSECONDS,
    )
    pair = Pair(weather, _settings(chance), _settings(chance), seed)
    return pair, _plan(chance), _plan(chance)


def _settings(chance: Random) -> Settings:
    chosen = {
        name: chance.choice(values)
        for name, values in _ALTERNATIVES.items()
        if chance.random() < 0.4
    }
    # The values have the types of their settings.
    return Settings(**chosen)  # type: ignore[arg-type]


def _plan(chance: Random) -> Plan:
    piece = chance.choice([65536, 65536, 1460, 100, 1])
    sends = chance.choice([0, 1, 100, 5000, 100_000])
    return Plan(
        sends=min(sends, 5000 * piece),
        piece=piece,
        reads=chance.choice([1000, 65536]),
        reads_after=chance.choice([0, 0, 0, 5, 200]) * NANOSECONDS,
        ends=chance.choice(["shutdown", "shutdown", "shutdown", "close", "abort"]),
        nodelay=chance.random() < 0.5,
    )


def main() -> None:
    """
    Run as many as were asked for.
    """
    count, first = (int(word) for word in [*sys.argv[1:3], "1", "0"][:2])
    failed = never = 0
    for seed in range(first, first + count):
        pair, client, server = scenario(seed)
        try:
            run(pair, client, server)
            assert pair.next_time() is None, "something is left over"
        except NeverConnectedError:
            never += 1
        except AssertionError as error:
            failed += 1
            print(f"python -m tests.tcp.hostile 1 {seed}: {error}")  # noqa: T201
    print(f"{count} scenarios, {never} without a connection, {failed} failed")  # noqa: T201
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
