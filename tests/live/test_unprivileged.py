"""
The user without privilege that other tests become.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.live.processes import TOP

#: In a mount namespace of its own, puts a TUN device of another mode where the machine has its own.
_WITH_TUN = """
set -e
mount -t tmpfs none /mnt
mknod /mnt/tun c 10 200
chmod "$1" /mnt/tun
mount --bind /mnt/tun /dev/net/tun
umount --lazy /mnt
shift
exec "$@"
"""

_OPEN = """
import os
print(os.geteuid())
os.close(os.open("/dev/net/tun", os.O_RDWR))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("mode", ["600", "660", "666"])
def test_may_open_the_tun_device(mode: str) -> None:
    """
    Whatever the mode of the machine's TUN device, with udev and without, the user may open one, and
    the machine's stays as it is.
    """
    before = os.stat("/dev/net/tun").st_mode
    wrapped = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _WITH_TUN, "sh", mode]
    command = [sys.executable, "-m", "tests.live.unprivileged", sys.executable, "-c", _OPEN]
    done = subprocess.run(
        [*wrapped, *command], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.stdout) == ("", "65534\n")
    assert os.stat("/dev/net/tun").st_mode == before
