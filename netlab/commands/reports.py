"""
Where the subcommands' reports go: standard output, or the file that C{-o} names.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from netlab.errors import KnownError

#: What the name of a report says about its format.
_FORMATS: Final = {
    ".html": "html",
    ".htm": "html",
    ".svg": "svg",
    ".md": "markdown",
    ".json": "json",
    ".pcapng": "pcapng",
}


def format_of(output: str | None, among: Collection[str]) -> str:
    """
    Choose a format by the name of the file that is to be written.

    @param output: The name; C{None} for standard output.
    @param among: The formats that there are.
    @return: One of them; C{terminal} if the name says nothing, or another one.
    """
    form = _FORMATS.get(os.path.splitext(output or "")[1].lower(), "terminal")
    return form if form in among else "terminal"


def refuse_capture(output: str | None, *captures: str) -> None:
    """
    See to it that a report does not replace the capture that it is about.

    @param output: The file to write; C{None} is standard output.
    @param captures: The files to read; C{-} is standard input.
    @raise KnownError: It is one of them.
    """
    if output is not None and any(_is_same(capture, output) for capture in captures):
        raise KnownError(f"{output} is the capture itself: name another file with -o")


@contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """
    Write a file whole or not at all: it appears under its name when it is complete.

    @param path: Its name.
    @raise KnownError: It cannot be written.
    """
    import tempfile

    folder = os.path.dirname(path) or "."
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            # A device or a pipe, such as /dev/stdout: nothing to rename.
            with open(path, "wb") as stream:
                yield stream
            return
        descriptor, temporary = tempfile.mkstemp(prefix=".netlab-", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(temporary, 0o666 & ~umask)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise KnownError(f"cannot write {path}: {error.strerror or error}") from error


def _is_same(one: str, two: str) -> bool:
    try:
        return os.path.samefile(one, two)
    except OSError:
        return False
