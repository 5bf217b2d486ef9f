"""
Captures that others have handed in: files and folders in which anything may lie.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from netlab.capture.faults import CaptureError
from netlab.capture.opening import Bounds
from netlab.plainfile import open_plain

#: What a folder's captures are called.
SUFFIXES: Final = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz", ".cap.gz")

#: What is read of one capture: some ten seconds at worst. An exchange has some dozen frames; what
#: else a machine says meanwhile, some thousand.
BOUNDS: Final = Bounds(frames_max=250_000, bytes_max=256 << 20, parts_max=500_000)

#: How deep a folder is searched, and how much is looked at in each folder at its top, which may be
#: one student's: captures, and entries of any kind.
DEPTH_MAX: Final = 64
FILES_MAX: Final = 1000
ENTRIES_MAX: Final = 100_000


class HandIn(NamedTuple):
    """
    A capture to be judged.

    @ivar path: where it is; C{-} is standard input.
    @ivar folder: the folder that it was found in and must not lead out of; empty for a file that
        was named.
    @ivar problem: why it cannot be looked at; empty if it can.
    """

    path: str
    folder: str = ""
    problem: str = ""

    def open(self) -> int | None:
        """
        Open it.

        @return: a descriptor, which is the caller's to close; C{None} for standard input.
        @raise CaptureError: it cannot be opened, is no regular file, or leads out of its folder.
        """
        if self.problem:
            raise CaptureError(f"cannot read {self.path}: {self.problem}")
        if self.path == "-":
            return None
        try:
            return _open_beneath(self.folder, self.path) if self.folder else open_plain(self.path)
        except OSError as error:
            raise CaptureError(f"cannot open {self.path}: {error.strerror or error}") from error


def hand_ins(paths: Sequence[str]) -> Iterator[HandIn]:
    """
    List captures: files as they are, and of folders all that are called so, at any depth.

    @param paths: files and folders.
    @raise CaptureError: a folder has none.
    """
    for path in paths:
        if not os.path.isdir(path):
            yield HandIn(path)
            continue
        found = sorted(_found(path))
        if not found:
            raise CaptureError(f"{path}: no capture in this folder ({', '.join(SUFFIXES)})")
        yield from found


def _found(top: str) -> Iterator[HandIn]:
    """
    Search a folder. Links to folders are not followed; what cannot be searched is a hand-in with a
    problem, so that nobody's is passed over in silence.
    """
    try:
        with os.scandir(top) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _found_in(entry.path, top)
                elif entry.name.lower().endswith(SUFFIXES):
                    yield HandIn(entry.path, top)
    except OSError as error:
        yield HandIn(top, top, error.strerror or str(error))


def _found_in(folder: str, top: str) -> Iterator[HandIn]:
    """
    Search one of the folders in it, within its bounds: what one student hands in leaves what the
    others do to be found.
    """
    files_left, entries_left = FILES_MAX, ENTRIES_MAX
    waiting = [(folder, 1)]
    while waiting:
        at, depth = waiting.pop()
        if depth > DEPTH_MAX:
            yield HandIn(at, top, f"it is more than {DEPTH_MAX} folders deep")
            continue
        try:
            with os.scandir(at) as entries:
                for entry in entries:
                    entries_left -= 1
                    if entries_left < 0:
                        yield HandIn(folder, top, f"it has more than {ENTRIES_MAX} entries")
                        return
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((entry.path, depth + 1))
                    elif entry.name.lower().endswith(SUFFIXES):
                        files_left -= 1
                        if files_left < 0:
                            yield HandIn(folder, top, f"it has more than {FILES_MAX} captures")
                            return
                        yield HandIn(entry.path, top)
        except OSError as error:
            yield HandIn(at, top, error.strerror or str(error))


def _open_beneath(folder: str, path: str) -> int:
    """
    Open what a path leads to, if that lies in a folder. Links are looked through first; then every
    step is taken from the one before and follows none, so that none can be put there meanwhile.

    @raise OSError: it cannot be opened, or lies elsewhere.
    """
    # Looking a chain of links through takes the system forty steps at most, and us any number.
    os.stat(path)
    top = os.path.realpath(folder)
    steps = os.path.relpath(os.path.realpath(path), top).split(os.sep)
    if os.pardir in steps:
        raise OSError(None, "it is a link that leads out of the folder")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    at = os.open(top, flags)
    try:
        for step in steps[:-1]:
            following = os.open(step, flags, dir_fd=at)
            os.close(at)
            at = following
        return open_plain(steps[-1], dir_fd=at, follows=False)
    finally:
        os.close(at)
