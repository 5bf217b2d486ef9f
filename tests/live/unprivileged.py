"""
Run a command as a user without any privilege, who can still read the interpreter and the tree.

When the tests run as root these may lie where others cannot look (below /root, say). So in a mount
namespace of its own such a place is covered by an empty one, into which what is needed is mounted;
then this process gives up every privilege and becomes the command.

The user also has a /dev/net/tun that everybody may open, as udev makes it: where no udev runs, in
containers say, root alone may.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from netlab.lab.hosts import kernel
from tests.live.processes import TOP

#: The user "nobody" of all Linux systems.
NOBODY = 65534

#: The device that makes network devices, and what udev lets users do with it.
_TUN = Path("/dev/net/tun")
_TUN_MODE = 0o666


def obstacle(path: Path) -> Path | None:
    """
    Find the topmost folder on the way to a path that others may not enter.
    """
    for folder in (*reversed(path.parents), path):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


def open_tun(spare: Path) -> None:
    """
    Let others open the TUN device in this mount namespace, where the machine's own node does not.
    That node stays as it is.

    @param spare: where a node may be made.
    """
    found = _TUN.stat()
    if found.st_mode & _TUN_MODE == _TUN_MODE:
        return
    os.mknod(spare, stat.S_IFCHR | _TUN_MODE, found.st_rdev)
    spare.chmod(_TUN_MODE)  # whatever the umask took away
    kernel.bind(str(spare), str(_TUN))


def open_ways(paths: Sequence[Path]) -> None:
    """
    Let others reach some folders, and the TUN device, in a new mount namespace.
    """
    blocked = [(path, place) for path in paths if (place := obstacle(path)) is not None]
    kernel.unshare(kernel.NEW_MOUNTS)
    kernel.mount(None, "/", kernel.MOUNT_RECURSIVELY | kernel.MOUNT_PRIVATE)
    # Every system has this folder, and nothing in it is needed here.
    staging = Path("/mnt")
    kernel.mount("tmpfs", str(staging), 0, "mode=755")
    open_tun(staging / "tun")
    for number, (path, _) in enumerate(blocked):
        (staging / str(number)).mkdir()
        kernel.bind(str(path), str(staging / str(number)))
    for place in {place for _, place in blocked}:
        kernel.mount("tmpfs", str(place), 0, "mode=755")
    for number, (path, _) in enumerate(blocked):
        path.mkdir(parents=True, exist_ok=True)
        kernel.bind(str(staging / str(number)), str(path))


def main(command: Sequence[str]) -> None:
    """
    Become the command.
    """
    needed = {Path(sys.base_prefix), Path(sys.prefix), TOP}
    open_ways(sorted(path.resolve() for path in needed))
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        # This user may not write where measurements go.
        del os.environ[name]
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    os.execv(command[0], list(command))  # noqa: S606, a shell has no place here


if __name__ == "__main__":
    main(sys.argv[1:])
