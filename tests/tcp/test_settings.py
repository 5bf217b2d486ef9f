"""
Settings by their sysctls.
"""

from __future__ import annotations

import dataclasses
import re

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.experiments import fast_retransmit, zero_window
from netlab.tcp.settings import SettingError, Settings, unknown_sysctls


class SysctlTests(SynchronousTestCase):
    """
    Names and values.
    """

    def test_numbers(self) -> None:
        """
        One number, or as many as the default has, between any white space.
        """
        settings = Settings.from_sysctls(
            {"net.ipv4.tcp_sack": "0", "net.ipv4.tcp_rmem": "4096\t65536 65536"}
        )
        self.assertEqual((settings.tcp_sack, settings.tcp_rmem), (0, (4096, 65536, 65536)))

    def test_text(self) -> None:
        """
        A name is a name.
        """
        settings = Settings.from_sysctls({"net.ipv4.tcp_congestion_control": "reno"})
        self.assertEqual(settings.tcp_congestion_control, "reno")

    def test_faults(self) -> None:
        """
        What is no such value is refused, with the name and what to write.
        """
        for name, value in (
            ("net.ipv4.tcp_sack", "yes"),
            ("net.ipv4.tcp_sack", "1 2"),
            ("net.ipv4.tcp_sack", "-1"),
            ("net.ipv4.tcp_rmem", "4096"),
        ):
            error = self.assertRaises(SettingError, Settings.from_sysctls, {name: value})
            self.assertIn(name, str(error))

    def test_others(self) -> None:
        """
        Those of other parts of the system change nothing, and can be listed.
        """
        sysctls = {"net.core.somaxconn": "5", "net.ipv4.tcp_sack": "0", "net.ipv4.mtu": "9"}
        self.assertEqual(Settings.from_sysctls(sysctls), Settings(tcp_sack=0))
        self.assertEqual(unknown_sysctls(sysctls), ["net.core.somaxconn", "net.ipv4.mtu"])

    def test_experiments(self) -> None:
        """
        What experiments set is known.
        """
        for module in (fast_retransmit, zero_window):
            experiment = module.EXPERIMENT
            for sysctls in (experiment.client_sysctls, experiment.server_sysctls):
                self.assertEqual(unknown_sysctls(sysctls), [])

    def test_documented(self) -> None:
        """
        Each setting is described, but for those whose name says all.
        """
        described = set(re.findall(r"@ivar (\w+):", Settings.__doc__ or ""))
        names = {field.name for field in dataclasses.fields(Settings)}
        self.assertEqual(described - names, set())
        self.assertLess(len(names - described), 12)
