"""
Folders that results go to. They may have been prepared by somebody else: unpacked from an archive,
or made in a place that others may write to.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from io import FileIO
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from netlab.plainfile import open_plain

#: Bounds on a run's own files that are kept: how many, bytes in all, depth.
FILES_MAX: Final = 1000
FILES_MAX_BYTES: Final = 64 << 20
_DEPTH_MAX: Final = 16

#: How many names are tried for a file that is written aside; an earlier process of the same number
#: may have been killed while it wrote.
_ASIDE_MAX: Final = 100

_PIECE_BYTES: Final = 1 << 16
_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OTHERS_MAY_WRITE: Final = 0o022


class ResultsFolder:
    """
    A folder, held open: names in it are looked up beneath its descriptor and lead nowhere else.
    Files appear under their names when they are whole.

    As root, what is made is root's alone, and a folder that others own or may write to is refused.
    """

    def __init__(self, path: Path) -> None:
        """
        @param path: of the folder; it is made if need be, and may not itself be a link.
        @raise OSError: it cannot be made or opened, or is refused.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._take(path, str(path), None)

    def _take(self, path: Path, name: str, parent: int | None) -> None:
        self.path = path
        self._is_root = os.geteuid() == 0
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700 if self._is_root else 0o777, dir_fd=parent)
        try:
            self._descriptor = os.open(name, _FOLDER_FLAGS, dir_fd=parent)
        except NotADirectoryError:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISLNK(found.st_mode):
                why = "it is a symbolic link; name the folder that it leads to"
                raise OSError(errno.ELOOP, why, str(path)) from None
            raise
        found = os.fstat(self._descriptor)
        if self._is_root and (found.st_uid != 0 or found.st_mode & _OTHERS_MAY_WRITE):
            os.close(self._descriptor)
            why = "others own it or may write to it, and this runs as root"
            raise PermissionError(errno.EPERM, why, str(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def inside(self, name: str) -> ResultsFolder:
        """
        Open a folder in it, and make it if need be.

        @param name: one name, no path.
        @raise OSError: as for the class.
        """
        inner = ResultsFolder.__new__(ResultsFolder)
        inner._take(self.path / _one_name(name), name, self._descriptor)
        return inner

    def look_inside(self, name: str) -> ResultsFolder:
        """
        Open a folder in it for reading, no matter who owns it.

        @param name: one name, no path.
        @raise OSError: it cannot be opened, or is a link.
        """
        inner = ResultsFolder.__new__(ResultsFolder)
        inner.path = self.path / _one_name(name)
        inner._is_root = self._is_root
        inner._descriptor = os.open(name, _FOLDER_FLAGS, dir_fd=self._descriptor)
        return inner

    def folders(self, at_most: int) -> list[str]:
        """
        List the folders in it, by name.
        """
        with os.scandir(self._descriptor) as entries:
            found = (entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
            return sorted(islice(found, at_most))

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """
        Write a file aside, and give it its name when it is whole. What had the name before, a link
        too, is replaced and not followed.

        @raise OSError: it cannot be written; a folder has the name.
        """
        where = self._descriptor
        descriptor, aside = self._new_file()
        with open(descriptor, "wb") as file:
            try:
                file.writelines(pieces)
                file.flush()
                os.rename(aside, _one_name(name), src_dir_fd=where, dst_dir_fd=where)
            except BaseException as failure:
                os.unlink(aside, dir_fd=where)
                if isinstance(failure, OSError) and failure.filename == aside:
                    failure.filename = str(self.path / name)
                raise

    def _new_file(self) -> tuple[int, str]:
        """
        Make a file that was not there before.

        @return: its descriptor and its name.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        mode = 0o600 if self._is_root else 0o666
        for number in range(_ASIDE_MAX):
            aside = f".netlab-{os.getpid()}-{number}"
            with contextlib.suppress(FileExistsError):
                return os.open(aside, flags, mode, dir_fd=self._descriptor), aside
        why = "it is full of files named .netlab-…; remove them"
        raise FileExistsError(errno.EEXIST, why, str(self.path))

    def remove(self, names: Iterable[str]) -> None:
        """
        Remove files, as far as they are there.

        @raise OSError: one cannot be removed, or is a folder.
        """
        for name in names:
            try:
                os.unlink(_one_name(name), dir_fd=self._descriptor)
            except FileNotFoundError:
                continue

    def read(self, name: str, at_most: int) -> bytes:
        """
        Read a file.

        @raise OSError: it is not there, no regular file, or longer.
        """
        with open(open_plain(name, dir_fd=self._descriptor, follows=False), "rb") as file:
            data = file.read(at_most + 1)
        if len(data) > at_most:
            raise OSError(errno.EFBIG, f"it is longer than {at_most} bytes", str(self.path / name))
        return data

    def files(self, names: Sequence[str]) -> list[str]:
        """
        List those of some names that are regular files here.
        """
        found = []
        for name in names:
            try:
                mode = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mode
            except OSError:
                continue
            if stat.S_ISREG(mode):
                found.append(name)
        return found

    def keep(self, source: Path, names: Iterable[str], at_most: int | None = None) -> None:
        """
        Take over files that a run has left in a folder of its own, as far as they are there.

        @param at_most: how many bytes of each; None is all.
        @raise OSError: one cannot be read or written.
        """
        for name in names:
            try:
                descriptor = open_plain(str(source / name), follows=False)
            except FileNotFoundError:
                continue
            with open(descriptor, "rb", buffering=0) as file:
                self.write(name, _pieces(file, at_most))

    def keep_tree(self, source: Path) -> int:
        """
        Take over what a run's programs have written: regular files, in folders. What is here under
        other names stays.

        @return: how much was left out: links and the like, and what is beyond the bounds.
        @raise OSError: one cannot be written.
        """
        budget = _Budget()
        self._keep_tree(str(source), budget, 0)
        return budget.left_out

    def _keep_tree(self, source: str, budget: _Budget, depth: int) -> None:
        for entry in _entries(source, budget):
            if entry.is_dir(follow_symlinks=False) and depth < _DEPTH_MAX:
                with self.inside(entry.name) as inner:
                    inner._keep_tree(entry.path, budget, depth + 1)
            elif entry.is_file(follow_symlinks=False) and budget.takes(
                size := entry.stat(follow_symlinks=False).st_size
            ):
                # Who has it open may go on writing: what was counted is what is taken.
                self.keep(Path(source), [entry.name], size)
            else:
                budget.left_out += 1


class _Budget:
    """
    How much of a run's files may still be kept.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._files = FILES_MAX
        self._bytes = FILES_MAX_BYTES

    def takes(self, size: int) -> bool:
        """
        Spend what a file takes, if it is there.
        """
        if not self._files or size > self._bytes:
            return False
        self._files -= 1
        self._bytes -= size
        return True

    def takes_folder(self) -> bool:
        """
        Spend what a folder takes.
        """
        return self.takes(0)


def _entries(source: str, budget: _Budget) -> Iterator[os.DirEntry[str]]:
    if not budget.takes_folder():
        budget.left_out += 1
        return
    with os.scandir(source) as entries:
        yield from entries


def _pieces(file: FileIO, at_most: int | None) -> Iterator[bytes]:
    left = sys.maxsize if at_most is None else at_most
    while piece := file.read(min(_PIECE_BYTES, left)):
        left -= len(piece)
        yield piece


def _one_name(name: str) -> str:
    """
    @raise OSError: it is a path, which would lead elsewhere.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise OSError(errno.EINVAL, "it is no name of a file in a folder", name)
    return name
