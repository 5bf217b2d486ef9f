"""
Segments and times in the script's language, for messages.
"""

from __future__ import annotations

from netlab.capture.segments import Flag
from netlab.tcp.script.language import syntax
from netlab.tcp.script.language.syntax import NANOSECONDS, ScriptOption, ScriptSegment

_LETTERS = (
    (Flag.FIN, "F"),
    (Flag.SYN, "S"),
    (Flag.RST, "R"),
    (Flag.PSH, "P"),
    (Flag.URG, "U"),
    (Flag.ECE, "E"),
    (Flag.CWR, "W"),
    (Flag.AE, "A"),
    (Flag.ACK, "."),
)

_ECN = {0: "noecn", 1: "ect1", 2: "ect0", 3: "ce", -1: "ect01"}


def segment_text(segment: ScriptSegment) -> str:
    """
    Write a segment as a script does.
    """
    flags = "".join(letter for flag, letter in _LETTERS if segment.flags & flag) or "-"
    last = (segment.seq + segment.length) & 0xFFFFFFFF
    parts = ["<" if segment.is_inbound else ">"]
    if segment.ecn is not None:
        parts.append(f"[{_ECN[segment.ecn]}]")
    if segment.ttl is not None:
        parts.append(f"[ttl {segment.ttl}]")
    parts += [flags, f"{segment.seq}:{last}({segment.length})"]
    if segment.flags & Flag.ACK:
        parts.append(f"ack {segment.ack}")
    if segment.window is not None:
        parts.append(f"win {segment.window}")
    if segment.flags & Flag.URG:
        parts.append(f"urg {segment.urgent}")
    if segment.options is None:
        parts.append("<...>")
    elif segment.options:
        parts.append(f"<{','.join(map(option_text, segment.options))}>")
    return " ".join(parts)


def option_text(option: ScriptOption) -> str:
    """
    Write a TCP option as a script does.
    """
    kind, value = option
    number = int.from_bytes(value)
    if kind == syntax.TIMESTAMPS:
        return f"TS val {int.from_bytes(value[:4])} ecr {int.from_bytes(value[4:])}"
    if kind == syntax.SACK:
        edges = [int.from_bytes(value[at : at + 4]) for at in range(0, len(value), 4)]
        pairs = zip(edges[::2], edges[1::2], strict=False)
        return "sack " + " ".join(f"{left}:{right}" for left, right in pairs)
    if kind == syntax.EXPERIMENT and value.startswith(syntax.FAST_OPEN_EXPERIMENT):
        return f"FOEXP {value[2:].hex()}".strip()
    texts = {
        syntax.EOL: "eol",
        syntax.NOP: "nop",
        syntax.MSS: f"mss {number}",
        syntax.WINDOW_SCALE: f"wscale {number}",
        syntax.SACK_PERMITTED: "sackOK",
        syntax.FAST_OPEN: f"FO {value.hex()}".strip(),
        syntax.MD5: f"md5 {value.hex()}",
    }
    return texts.get(kind, f"option {kind} {value.hex()}")


def time_text(nanoseconds: int) -> str:
    """
    Write a time in seconds, to the microsecond.
    """
    return f"{nanoseconds // NANOSECONDS}.{nanoseconds % NANOSECONDS // 1000:06}"
