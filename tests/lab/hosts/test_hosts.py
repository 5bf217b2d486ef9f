"""
What can be known of hosts without making one.
"""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.hosts.hosts import environment, is_privileged
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


class EnvironmentTests(SynchronousTestCase):
    """
    What a program of the laboratory finds in its environment.
    """

    def test_it_is_named(self) -> None:
        """
        Nothing is passed on that is not named, and of search paths no place that depends on where
        the program stands.
        """
        self.patch(
            os,
            "environ",
            {
                "PATH": ":.:bin:/usr/bin::/bin:",
                "PYTHONPATH": ":.:src:/somewhere",
                "LANG": "C",
                "LC_ALL": "C.UTF-8",
                "SECRET": "x",
                "LD_PRELOAD": "/x.so",
                "HOME": "/root",
                "BASH_ENV": "/x",
                "PYTHONHOME": "/x",
            },
        )
        made = environment("/private")
        top = made.pop("PYTHONPATH").split(":")
        self.assertEqual((len(top), top[1]), (2, "/somewhere"))
        self.assertTrue(os.path.isabs(top[0]))
        self.assertEqual(
            made,
            {
                "PATH": "/usr/bin:/bin",
                "LANG": "C",
                "LC_ALL": "C.UTF-8",
                "HOME": "/private",
                "TMPDIR": "/private",
                "PYTHONSAFEPATH": "1",
                "PYTHONUNBUFFERED": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )

    def test_no_path(self) -> None:
        """
        Where no absolute place is named the system's own search path stands in.
        """
        self.patch(os, "environ", {"PATH": ".:bin"})
        self.assertEqual(environment("/private")["PATH"], os.defpath)


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
