"""
What can be known of hosts without making one.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.hosts.hosts import is_privileged
from netlab.lab.hosts.sysctls import SYSCTLS, settings


class PrivilegeTests(SynchronousTestCase):
    """
    The reader of capabilities.
    """

    def test_both_are_needed(self) -> None:
        """
        Only with CAP_SYS_ADMIN (21) and CAP_NET_ADMIN (12) can a process make hosts directly.
        """
        for effective, verdict in (
            ("000001ffffffffff", True),
            (f"{1 << 21 | 1 << 12:016x}", True),
            (f"{1 << 21:016x}", False),
            (f"{1 << 12:016x}", False),
            ("0000000000000000", False),
        ):
            status = f"Name:\tpython\nCapPrm:\t000001ffffffffff\nCapEff:\t{effective}\n"
            self.assertEqual(is_privileged(status), verdict, effective)
        self.assertFalse(is_privileged(""))


class SysctlTests(SynchronousTestCase):
    """
    The system settings of hosts.
    """

    def test_each_has_a_reason(self) -> None:
        """
        No setting is there twice or without a reason.
        """
        self.assertEqual(len({setting.name for setting in SYSCTLS}), len(SYSCTLS))
        self.assertTrue(all(setting.reason for setting in SYSCTLS))

    def test_changes(self) -> None:
        """
        An experiment's value replaces ours; a setting that we do not have is added.
        """
        merged = dict(settings({"net.ipv4.tcp_sack": "0", "net.ipv4.tcp_recovery": "0"}))
        self.assertEqual(merged["net.ipv4.tcp_sack"], "0")
        self.assertEqual(merged["net.ipv4.tcp_recovery"], "0")
        self.assertEqual(merged["net.ipv4.tcp_timestamps"], "0")

    def test_ipv6_goes_first(self) -> None:
        """
        IPv6 is switched off before anything else is set up that it could use.
        """
        self.assertEqual(settings()[0], ("net.ipv6.conf.all.disable_ipv6", "1"))
