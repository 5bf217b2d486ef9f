"""
Files made of answers: the one place that turns a URL into a name, and content into a file.

Neither a server nor a list of URLs can make us write outside one folder, or over anything there
but a plain file; and a file is replaced by a complete answer or not at all.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from types import TracebackType
from typing import Final, Self
from urllib.parse import unquote_to_bytes

from netlab.errors import KnownError

_INDEX: Final = b"index.html"


class SavingError(KnownError):
    """
    An answer cannot be kept; the text says which and why.
    """


def output_name(target: bytes) -> bytes:
    """
    Find the name under which to save what a request asked for: the path's last segment, decoded
    once; C{index.html} where the path ends in a slash.

    @param target: path and query as they were asked for. The target of a redirect is no good here:
        then the server would choose the name.
    @raise SavingError: no harmless file has that name.
    """
    path = target.partition(b"?")[0]
    name = unquote_to_bytes(path.rpartition(b"/")[2]) or _INDEX
    if name.startswith(b"."):
        # Also what begins as . and .. do: .bashrc, .profile, .netrc.
        raise SavingError(f"not saved: the name {_show(name)} begins with a dot")
    if b"/" in name or b"\\" in name:
        raise SavingError(f"not saved: the name {_show(name)} holds a slash or a backslash")
    if any(byte < 0x20 or byte == 0x7F for byte in name):
        raise SavingError(f"not saved: the name {_show(name)} holds a control character")
    return name


class OutputFolder:
    """
    The folder that answers are saved in.
    """

    def __init__(self, path: str) -> None:
        """
        @param path: an existing folder.
        @raise SavingError: it is none.
        """
        if not os.path.isdir(path):
            raise SavingError(f"{path} is not a folder: make it first, or name another one")
        self._path: Final = os.fsencode(path)

    def create(self, name: bytes) -> NewFile:
        """
        Begin a file; it appears under its name when it is complete.

        @param name: as L{output_name} makes it.
        @raise SavingError: there can be no such file, or something stands in its place that is no
            file. A symbolic link there will be replaced and not followed.
        """
        path = os.path.join(self._path, name)
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            mode = stat.S_IFREG
        except OSError as error:
            raise _cannot(path, error) from error
        if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
            raise SavingError(f"cannot write {_show(path)}: something there is not a file")
        return NewFile(self._path, path)


class NewFile:
    """
    A file that is being written aside, in the same folder. Leaving the C{with} statement removes
    it unless it has been kept.
    """

    def __init__(self, folder: bytes, path: bytes) -> None:
        """
        @param folder: where to write aside.
        @param path: what L{keep} will replace.
        @raise SavingError: nothing can be written there.
        """
        self._path = path
        self._aside: bytes | None = os.path.join(
            folder, b".netlab-%b.part" % os.urandom(8).hex().encode("ascii")
        )
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(self._aside, flags, 0o666)
        except OSError as error:
            raise _cannot(path, error) from error
        # Unbuffered: what cannot be written is known at once, and closing cannot fail for it again.
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._aside is not None:
            # Nothing of it is wanted; it may even have gone with its folder.
            with suppress(OSError):
                self._file.close()
            with suppress(FileNotFoundError):
                os.unlink(self._aside)

    def write(self, data: bytes) -> None:
        """
        Write a piece.

        @raise SavingError: the disk is full, or broken.
        """
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise _cannot(self._path, error) from error

    def keep(self) -> None:
        """
        The file is complete: put it in its place, whatever file stood there.

        @raise SavingError: that did not work.
        """
        assert self._aside is not None
        try:
            self._file.close()
            os.replace(self._aside, self._path)
        except OSError as error:
            raise _cannot(self._path, error) from error
        self._aside = None


def _cannot(path: bytes, error: OSError) -> SavingError:
    return SavingError(f"cannot write {_show(path)}: {error.strerror or error}")


def _show(name: bytes) -> str:
    """
    Write a name in ASCII, and not at full length where that is absurd.
    """
    text = ascii(os.fsdecode(name))[1:-1]
    return text if len(text) <= 100 else f"{text[:97]}..."
