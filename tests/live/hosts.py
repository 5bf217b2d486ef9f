"""
Whether the laboratory can make hosts on this machine.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from netlab.lab.hosts.hosts import is_privileged


def _ways() -> list[str]:
    """
    List how hosts can be made on this machine: as root, and by a user without any privilege.
    """
    found = []
    if is_privileged(Path("/proc/self/status").read_text(encoding="ascii")):
        found.append("root")
    if not subprocess.run(["unshare", "-Urn", "true"], check=False, capture_output=True).returncode:
        found.append("user")
    return found


WAYS = _ways()

NEEDS_HOSTS = pytest.mark.skipif(
    not WAYS, reason="hosts cannot be made: neither root's rights nor user namespaces"
)
