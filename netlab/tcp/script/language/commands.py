"""
The shell commands of a script. None is ever run: those that set sysctls are read as such, those
that have no meaning for a TCP without a kernel are passed over, and any other is refused.
"""

from __future__ import annotations

import ast
import re
import shlex
from typing import Final

from netlab.tcp.script.language.errors import NotSupportedError, ScriptSyntaxError

COMMAND_MAX_CHARACTERS: Final = 16_384

#: What C{defaults.sh}, which the kernel's scripts begin with, makes of the sysctls.
DEFAULTS: Final = {
    "net.ipv4.tcp_rmem": "4096 540000 15728640",
    "net.ipv4.tcp_wmem": "4096 262144 4194304",
    "net.ipv4.tcp_timestamps": "1",
    "net.ipv4.tcp_syn_retries": "5",
    "net.ipv4.tcp_synack_retries": "5",
    "net.ipv4.tcp_frto": "2",
    "net.ipv4.tcp_sack": "1",
    "net.ipv4.tcp_dsack": "1",
    "net.ipv4.tcp_fack": "0",
    "net.ipv4.tcp_reordering": "3",
    "net.ipv4.tcp_congestion_control": "cubic",
    "net.ipv4.tcp_slow_start_after_idle": "0",
    "net.ipv4.tcp_early_retrans": "4",
    "net.ipv4.tcp_recovery": "1",
    "net.ipv4.tcp_tso_win_divisor": "3",
    "net.ipv4.tcp_ecn": "0",
    "net.ipv4.tcp_pacing_ss_ratio": "200",
    "net.ipv4.tcp_pacing_ca_ratio": "120",
    "net.ipv4.tcp_notsent_lowat": "4294967295",
    "net.ipv4.tcp_fastopen": "3",
    "net.ipv4.tcp_fastopen_key": "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4",
    "net.ipv4.tcp_syncookies": "1",
}

#: Programs by what they would do to a kernel and do not need to do here: caches that are empty, a
#: queue and a network card that are not there, counters that nobody reads, waiting that is virtual.
_WITHOUT_MEANING: Final = (
    ("ip", "tcp_metrics", "flush"),
    ("tc", "qdisc"),
    ("ethtool",),
    ("true",),
)

_DEFAULTS_FILES: Final = frozenset({"defaults.sh", "set_defaults.sh"})
_SETTING_FILES: Final = frozenset({"set_sysctls.py", "set_sysctl.py"})

_ARITHMETIC: Final = re.compile(r"\$\(\(([^()$`]{1,80}|[^$`]{1,80})\)\)")
_NO_OUTPUT: Final = re.compile(r"[\d&]?>{1,2}\s*(?:/dev/null|&\d)")
_SETTING: Final = re.compile(r"[a-z0-9_./*-]+=.*", re.DOTALL)
#: The kernel takes numbers in hexadecimal, too.
_HEXADECIMAL: Final = re.compile(r"\b0x([0-9a-fA-F]{1,8})\b")
_PROC: Final = "/proc/sys/"


def sysctls_of(text: str, line: int) -> dict[str, str]:
    """
    Read a command for the sysctls that it sets.

    @param line: of the script where it stands.
    @return: dotted names and values, the later setting of a name counting; empty where the command
        has no meaning here.
    @raise NotSupportedError: it would do something else.
    """
    if len(text) > COMMAND_MAX_CHARACTERS:
        raise ScriptSyntaxError(line, f"a command of more than {COMMAND_MAX_CHARACTERS} characters")
    text = _ARITHMETIC.sub(lambda found: str(_computed(found[1], line)), text.replace("\\\n", " "))
    text = _NO_OUTPUT.sub(" ", text)
    settings: dict[str, str] = {}
    for offset, row in enumerate(text.split("\n")):
        if row.split()[:1] == ["nstat"]:
            # Counters of a kernel that is not there: neither set nor looked at.
            continue
        for command in _commands(row, line + offset):
            settings.update(_settings(command, line + offset))
    return settings


def _computed(expression: str, line: int) -> int:
    # $((15*1024*1024)) of a shell, which for these signs is as in Python.
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError) as error:
        raise NotSupportedError(line, f"the shell's arithmetic {expression!r}") from error
    return _integer(tree.body, line)


def _integer(node: ast.expr, line: int) -> int:
    match node:
        case ast.Constant(value=int() as value):
            result: int = value
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            result = _integer(left, line) * _integer(right, line)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            result = _integer(left, line) + _integer(right, line)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            result = _integer(left, line) - _integer(right, line)
        case _:
            raise NotSupportedError(line, "this arithmetic of the shell")
    if result.bit_length() > 64:
        raise NotSupportedError(line, "a number of more than 64 bits in the shell's arithmetic")
    return result


def _commands(row: str, line: int) -> list[list[str]]:
    lexer = shlex.shlex(row, posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = list(lexer)
    except ValueError as error:
        raise NotSupportedError(line, f"the shell command {row.strip()[:80]!r}") from error
    commands: list[list[str]] = [[]]
    is_alternative = False
    for word in words:
        if word in {";", "&&", "||"}:
            # What follows || is for when the other fails, and none does.
            is_alternative = word == "||"
            commands.append([])
        elif is_alternative:
            continue
        elif set(word) & set("|<>&"):
            raise NotSupportedError(line, f"the shell command {row.strip()[:80]!r}")
        else:
            commands[-1].append(word)
    return [command for command in commands if command]


def _settings(command: list[str], line: int) -> dict[str, str]:
    program = command[0].rpartition("/")[2]
    if program.startswith("sysctl_restore_"):
        return {}
    if any(set(word) & set("$`") for word in command):
        raise NotSupportedError(line, "what a shell would put in place of $ and `")
    if program in _DEFAULTS_FILES:
        return dict(DEFAULTS)
    if program == "sysctl":
        return _assignments([word for word in command[1:] if not word.startswith("-")], line)
    if program in _SETTING_FILES:
        return _assignments(command[1:], line)
    if command[:2] == ["tc", "qdisc"] and "limit" in command:
        raise NotSupportedError(line, "a queue that drops packets (tc qdisc … limit)")
    if any(tuple(command[: len(words)]) == words for words in _WITHOUT_MEANING):
        return {}
    raise NotSupportedError(line, f"the shell command {' '.join(command)[:80]!r}")


def _assignments(words: list[str], line: int) -> dict[str, str]:
    settings = {}
    for word in words:
        if not _SETTING.fullmatch(word):
            raise NotSupportedError(line, f"sysctl {word[:80]!r}, which sets nothing")
        name, _, value = word.partition("=")
        name = name.removeprefix(_PROC).strip("/").replace("/", ".")
        settings[name] = _HEXADECIMAL.sub(lambda found: str(int(found[1], 16)), value.strip())
    return settings
