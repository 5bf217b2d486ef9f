"""
C{netlab explain}: a capture in, a report out.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from netlab.analysis.claims.choice import ALL, Choice
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.story import CaptureStory
from netlab.analysis.tcp.figures import FigureStore
from netlab.analysis.tls.keylog import KeyLog
from netlab.analysis.tls.keylogfile import read_keylog
from netlab.commands.outcome import OutputError
from netlab.commands.reports import refuse_capture, written
from netlab.errors import KnownError
from netlab.plaintext import plain
from netlab.report.reading import Reading, read_story

_FILE_COLUMNS: Final = 100
"""How wide a report is that is written into a file and not to a terminal."""

FORMATS: Final = ("terminal", "html", "svg", "markdown", "json", "pcapng")


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """
    What is asked for.

    @ivar path: The capture; C{-} is standard input.
    @ivar format: One of L{FORMATS}.
    @ivar output: The file to write; C{None} is standard output.
    @ivar choice: What of it is explained.
    @ivar tells_frames: Whether frames are explained one by one, or only conversations.
    @ivar shows_payload: Whether payloads may be shown.
    @ivar anonymises: Whether addresses are replaced.
    @ivar tells_all: Whether conversations of a large capture are reported in which nothing went
        wrong.
    @ivar keylog: A file with secrets of TLS, or C{None}.
    """

    path: str
    format: str = "terminal"
    output: str | None = None
    choice: Choice = ALL
    tells_frames: bool = True
    shows_payload: bool = True
    anonymises: bool = False
    keylog: str | None = None
    tells_all: bool = False


def explain(options: ExplainOptions) -> int:
    """
    Read, tell, and write.

    @return: The exit status.
    @raise KnownError: The capture cannot be read, or the report not be written.
    """
    refuse_capture(options.output, options.path)
    keylog = None if options.keylog is None else read_keylog(options.keylog)
    discretion = Discretion(options.shows_payload, options.anonymises)
    name = discretion.capture_name(_name(options))
    if options.format == "pcapng":
        if not options.tells_frames:
            raise KnownError("pcapng has a comment for each frame: leave out --summary")
        _annotate(options, discretion, keylog)
        return 0
    figures = FigureStore() if options.format == "json" and options.tells_frames else None
    with _progress(options.path) as progress:
        story = read_story(
            options.path,
            discretion,
            choice=options.choice,
            tells_frames=options.tells_frames,
            figures=figures,
            progress=progress,
            keylog=keylog,
            # What programs read is not abridged.
            tells_all=options.tells_all or options.format == "json",
        ).story
    if options.format == "terminal":
        from rich.console import Console

        from netlab.report import terminal

        if options.output is None:
            with _standard_output():
                terminal.show(story, name, Console(file=sys.stdout, highlight=False))
        else:
            with written(options.output) as stream:
                file = io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
                console = Console(file=file, width=_FILE_COLUMNS, highlight=False)
                terminal.show(story, name, console)
                file.detach()
        return 0
    pieces = _pieces(options.format, story, name, figures, discretion)
    _write(options.output, (piece.encode("utf-8", "backslashreplace") for piece in pieces))
    return 0


def _pieces(
    form: str, story: CaptureStory, name: str, figures: FigureStore | None, discretion: Discretion
) -> Iterator[str]:
    """
    Write a report, importing what it takes and nothing else.
    """
    if form == "html":
        from netlab.report import html

        return html.pieces(story, name)
    if form == "markdown":
        from netlab.report import markdown

        return markdown.pieces(story, name)
    if form == "svg":
        from netlab.report import svg

        return iter((svg.render(story, name),))
    from netlab.report import json

    return json.pieces(story, name, figures, discretion)


def _name(options: ExplainOptions) -> str:
    if options.path == "-":
        return "standard input"
    return plain(os.path.basename(options.path))


def _annotate(options: ExplainOptions, discretion: Discretion, keylog: KeyLog | None) -> None:
    """
    Write the capture with comments, which takes two readings of it.
    """
    from netlab.capture.opening import open_capture
    from netlab.report import annotate

    if options.output is None and sys.stdout.isatty():
        raise KnownError("pcapng is no text for a terminal: name a file with -o")
    with _seekable(options.path) as path:
        with _progress(path) as progress:
            reading: Reading = read_story(
                path,
                discretion,
                choice=options.choice,
                progress=progress,
                keylog=keylog,
                tells_all=options.tells_all,
            )
        with open_capture(path) as reader:
            _write(
                options.output,
                annotate.pieces(reader, reading.interfaces, reading.story, discretion),
            )


@contextmanager
def _seekable(path: str) -> Iterator[str]:
    """
    Give a file that can be read twice: standard input and pipes are copied to a temporary one.
    """
    if path != "-" and os.path.isfile(path):
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="netlab-", suffix=".pcapng") as copy:
        try:
            if path == "-":
                shutil.copyfileobj(sys.stdin.buffer, copy)
            else:
                with open(path, "rb") as stream:
                    shutil.copyfileobj(stream, copy)
        except OSError as error:
            raise KnownError(f"cannot read {path}: {error.strerror or error}") from error
        copy.flush()
        yield copy.name


@contextmanager
def _progress(path: str) -> Iterator[Callable[[int], None] | None]:
    """
    Show how far the reading is, where somebody watches and it takes long enough to see.
    """
    size = _size(path)
    if not sys.stderr.isatty() or size < 1 << 22:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    total = None if path.endswith(".gz") else size
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=total)
        yield lambda offset: bar.update(task, completed=offset)


def _size(path: str) -> int:
    """
    Tell a regular file's size, and 0 for anything else.
    """
    try:
        found = os.stat(path)
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _write(output: str | None, pieces: Iterator[bytes]) -> None:
    if output is None:
        with _standard_output():
            sys.stdout.flush()
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        return
    with written(output) as stream:
        for piece in pieces:
            stream.write(piece)


@contextmanager
def _standard_output() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {error.strerror}") from error
