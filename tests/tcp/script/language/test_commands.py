"""
Tests for L{netlab.tcp.script.language.commands}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.script.language.commands import COMMAND_MAX_CHARACTERS, DEFAULTS, sysctls_of
from netlab.tcp.script.language.errors import NotSupportedError, ScriptSyntaxError


class SysctlsOfTests(SynchronousTestCase):
    """
    What becomes of shell commands.
    """

    def test_settings(self) -> None:
        """
        All ways in which scripts set sysctls are read.
        """
        for text in (
            "sysctl -q net.ipv4.tcp_sack=0",
            "sysctl -e -q net/ipv4/tcp_sack=0",
            "sysctl -q -w 'net.ipv4.tcp_sack=0' > /dev/null 2>&1",
            "./set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0",
            "../common/set_sysctls.py \\\n  /proc/sys/net/ipv4/tcp_sack=0",
            "sysctl -q net.ipv4.tcp_sack=1; sysctl -q net.ipv4.tcp_sack=0 # off",
            "true && sysctl -q net.ipv4.tcp_sack=0",
            "sysctl -q net.ipv4.tcp_sack=0 &> /dev/null || rm -rf /",
        ):
            with self.subTest(text=text):
                self.assertEqual(sysctls_of(text, 1), {"net.ipv4.tcp_sack": "0"})

    def test_values(self) -> None:
        """
        Values of several numbers, computed ones, and hexadecimal ones as the kernel reads them.
        """
        self.assertEqual(
            sysctls_of('sysctl -q net.ipv4.tcp_rmem="4096 $((2*1024+1)) $((15*1024*1024))"', 1),
            {"net.ipv4.tcp_rmem": "4096 2049 15728640"},
        )
        self.assertEqual(
            sysctls_of("sysctl -q net.ipv4.tcp_fastopen=0x203", 1), {"net.ipv4.tcp_fastopen": "515"}
        )

    def test_defaults(self) -> None:
        """
        The kernel's file of defaults is known, and what follows it counts.
        """
        changed = sysctls_of("./defaults.sh\nsysctl -q net.ipv4.tcp_ecn=1", 1)
        self.assertEqual(changed, DEFAULTS | {"net.ipv4.tcp_ecn": "1"})

    def test_without_meaning(self) -> None:
        """
        What prepares a kernel, or tidies up after it, is passed over.
        """
        for text in (
            "",
            "\n\n",
            "# nothing",
            "ip tcp_metrics flush all > /dev/null 2>&1",
            "tc qdisc add dev tun0 root pfifo",
            "ethtool -K tun0 tso off gso off",
            "nstat -n",
            'nstat | grep TcpExtBeyondWindow | grep -q " 3 "',
            "/tmp/sysctl_restore_${PPID}.sh",
        ):
            with self.subTest(text=text):
                self.assertEqual(sysctls_of(text, 1), {})

    def test_all_else_is_refused(self) -> None:
        """
        Any other command is named, with its line, and not run.
        """
        for text in (
            "rm -rf /",
            "sysctl -q net.ipv4.tcp_sack",
            "sysctl -q net.ipv4.tcp_sack=$(cat /etc/passwd)",
            "sysctl -q net.ipv4.tcp_sack=`id`",
            "echo 1 | tee /proc/sys/net/ipv4/tcp_sack",
            "ip route change default mtu 1000",
            "tc qdisc add dev tun0 root pfifo limit 0",
            "ethtool -K tun0 tso off & rm x",
            "sysctl -q net.ipv4.tcp_sack=1 > /etc/passwd",
            "sysctl -q 'net.ipv4.tcp_sack=1",
            "sysctl -q net.ipv4.tcp_rmem=$((2**70))",
            "sysctl -q net.ipv4.tcp_rmem=$((__import__('os')))",
        ):
            with self.subTest(text=text):
                error = self.assertRaises(NotSupportedError, sysctls_of, f"\n{text}", 7)
                self.assertIn(error.line, {7, 8})

    def test_too_long(self) -> None:
        """
        A command has a longest length.
        """
        self.assertEqual(sysctls_of(" " * COMMAND_MAX_CHARACTERS, 1), {})
        text = " " * (COMMAND_MAX_CHARACTERS + 1)
        self.assertRaises(ScriptSyntaxError, sysctls_of, text, 1)

    @given(st.text(st.sampled_from("sysctl -qnet.ipv4=01$()*+\"'`\\\n;&|<>#/")))
    def test_any_text(self, text: str) -> None:
        """
        Any text gives settings or a refusal.
        """
        try:
            settings = sysctls_of(text, 1)
        except NotSupportedError:
            return
        self.assertTrue(all(isinstance(value, str) for value in settings.values()))
