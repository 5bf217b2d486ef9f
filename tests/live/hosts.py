"""
Whether the laboratory can make hosts on this machine.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from netlab.lab.hosts.hosts import is_privileged


def _ways() -> list[str]:
    """
    List how hosts can be made on this machine: as root, and by a user without any privilege.

    That user needs a TUN device that it may open. Root gives it one (C{unprivileged.py}).
    """
    found = []
    if is_privileged(Path("/proc/self/status").read_text(encoding="ascii")):
        found.append("root")
    has_device = os.geteuid() == 0 or os.access("/dev/net/tun", os.R_OK | os.W_OK)
    unshared = subprocess.run(["unshare", "-Urn", "true"], check=False, capture_output=True)
    if has_device and unshared.returncode == 0:
        found.append("user")
    return found


WAYS = _ways()

NEEDS_HOSTS = pytest.mark.skipif(
    not WAYS, reason="hosts cannot be made: neither root's rights nor user namespaces with a TUN"
)
