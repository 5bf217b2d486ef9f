"""
What a script's lines of options, and the command line, say of how it is to be played.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from netlab.tcp.script.language.errors import NotSupportedError, ScriptSyntaxError
from netlab.tcp.script.language.syntax import ScriptFlag

_MICROSECOND: Final = 1000

#: Options about the machine packetdrill runs on, which is not there.
_WITHOUT_MEANING: Final = frozenset(
    {
        "bind_port",
        "connect_port",
        "debug",
        "define",
        "gateway_ip",
        "init_scripts",
        "local_ip",
        "mss",
        "netmask_ip",
        "remote_ip",
        "send_omit_free",
        "speed",
        "verbose",
    }
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """
    How a script is to be played; the defaults are packetdrill's.

    @ivar ip_version: 4 or 6.
    @ivar mtu: bytes of the largest IP packet.
    @ivar tolerance: nanoseconds that something may come early or late.
    @ivar tolerance_permille: of the time since the event before; the larger of both counts.
    @ivar timestamp_tick: nanoseconds of one tick of outbound timestamps; 0 does not check them.
    @ivar echoes_are_scaled: an inbound TS ecr that no outbound TS val was stands for one counted
        from the first.
    @ivar segments_are_strict: one line is one segment, however long.
    @ivar secret: of the machine's numbers; public, so that a script gives the same each time.
    """

    ip_version: int = 4
    mtu: int = 1500
    tolerance: int = 4000 * _MICROSECOND
    tolerance_permille: int = 125
    timestamp_tick: int = 0
    echoes_are_scaled: bool = False
    segments_are_strict: bool = False
    secret: bytes = b"the host of a script, attacked by none"

    def timestamp_ticks(self, tolerance: int) -> int:
        """
        Tell how many ticks an outbound timestamp may be off; negative means any number.
        """
        return tolerance // self.timestamp_tick if self.timestamp_tick else -1

    def with_flags(self, flags: Iterable[ScriptFlag]) -> Configuration:
        """
        Take the options of a script.

        @raise NotSupportedError: an option that is not known, or a value that is not.
        """
        configuration = self
        for flag in flags:
            configuration = configuration._with(flag)
        return configuration

    def _with(self, flag: ScriptFlag) -> Configuration:
        line, name, value = flag
        if name == "ip_version":
            versions = {"ipv4": 4, "ipv6": 6}
            if value not in versions:
                raise NotSupportedError(line, f"--ip_version={value}")
            version = versions[value]
            return replace(self, ip_version=version)
        if name == "mtu":
            return replace(self, mtu=_number(flag, 68, 65_535))
        if name == "tolerance_usecs":
            return replace(self, tolerance=_number(flag, 0, 10**9) * _MICROSECOND)
        if name == "tolerance_percent":
            return replace(self, tolerance_permille=_permille(flag))
        if name == "tcp_ts_tick_usecs":
            return replace(self, timestamp_tick=_number(flag, 0, 10**9) * _MICROSECOND)
        if name == "tcp_ts_ecr_scaled":
            return replace(self, echoes_are_scaled=True)
        if name == "strict_segments":
            return replace(self, segments_are_strict=True)
        if name in _WITHOUT_MEANING:
            return self
        raise NotSupportedError(line, f"the option --{name}")


def _number(flag: ScriptFlag, lowest: int, highest: int) -> int:
    text = flag.value
    value = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else -1
    if not lowest <= value <= highest:
        raise ScriptSyntaxError(
            flag.line, f"--{flag.name}={text[:40]}: write {lowest} to {highest}"
        )
    return value


def _permille(flag: ScriptFlag) -> int:
    whole, _, fraction = flag.value.partition(".")
    digits = whole + (fraction + "0")[:1]
    return _number(flag._replace(value=digits), 0, 100_000)
