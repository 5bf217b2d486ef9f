"""
Tests for L{netlab.commands.explaining} and C{netlab explain}.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation import explain
from netlab.analysis.tcp import figures, pipeline
from netlab.analysis.tcp.limits import MemoryLimits
from netlab.cli import main
from netlab.commands import explaining
from netlab.report import reading
from tests.captures.frames import ACK
from tests.captures.reference import exchange
from tests.captures.talk import Talk


class ExplainTestCase(SynchronousTestCase):
    """
    What the tests of the command share.
    """

    def setUp(self) -> None:
        """
        Read what goes to the terminal, and have a capture.
        """
        self.buffer = io.BytesIO()
        self.out = io.TextIOWrapper(self.buffer, encoding="utf-8")
        self.err = io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.capture = str(self.folder / "redirect.pcap")
        Path(self.capture).write_bytes(exchange("redirect").pcap())

    def status(self, *arguments: str) -> int:
        """
        Run C{netlab explain}, and give the exit status.
        """
        try:
            return main(("explain", *arguments))
        except SystemExit as leaving:
            return int(leaving.code or 0)

    def shown(self) -> bytes:
        """
        Give what went to standard output.
        """
        self.out.flush()
        return self.buffer.getvalue()


class FormatTests(ExplainTestCase):
    """
    The formats.
    """

    def test_standard_output(self) -> None:
        """
        Each format but pcapng goes to standard output unless a file is named.
        """
        for form, start in (
            ("terminal", b"redirect.pcap\n2 connections, 22 frames"),
            ("html", b"<!DOCTYPE html>"),
            ("svg", b"<svg "),
            ("markdown", b"# `redirect.pcap`\n"),
            ("json", b'{"format":"netlab-explain","version":2,"name":"redirect.pcap"'),
            ("pcapng", b"\x0a\x0d\x0d\x0a"),
        ):
            self.buffer.truncate(0)
            self.buffer.seek(0)
            self.assertEqual(self.status(self.capture, "--format", form), 0)
            self.assertTrue(self.shown().startswith(start), form)

    def test_a_file(self) -> None:
        """
        With -o the same goes into a file, and nothing to standard output.
        """
        for form in ("terminal", "html", "svg", "markdown", "json", "pcapng"):
            path = self.folder / f"report.{form}"
            self.assertEqual(self.status(self.capture, "--format", form, "-o", str(path)), 0)
            self.assertGreater(path.stat().st_size, 1000)
        self.assertEqual(self.shown(), b"")
        self.assertEqual(
            [each.name for each in self.folder.iterdir() if each.name.startswith(".")], []
        )

    def test_one_conversation(self) -> None:
        """
        --conversation tells that one alone, by its number, and still why it was needed.
        """
        self.assertEqual(self.status(self.capture, "--conversation", "1", "--format", "json"), 0)
        told = json.loads(self.shown())
        self.assertEqual([each["stream"] for each in told["conversations"]], [1])
        self.assertEqual(told["conversation_count"], 2)
        self.assertEqual([frame["number"] for frame in told["frames"]], list(range(12, 23)))
        self.assertIn(
            "Connection: close in #6", told["conversations"][0]["passages"][0]["sentence"]
        )

    def test_choices(self) -> None:
        """
        --host, --port, --from and --to choose; what makes no sense is refused with its cure.
        """
        for arguments, expected in (
            (("--port", "51490"), [1]),
            (("--host", "127.0.0.1"), None),
            (("--from", "0", "--to", "0"), [0]),
        ):
            self.buffer.truncate(0)
            self.buffer.seek(0)
            status = self.status(self.capture, *arguments, "--format", "json")
            if expected is None:
                self.assertEqual(status, 1)
                self.assertIn("none matches the given --host", self.err.getvalue())
                continue
            self.assertEqual(status, 0)
            told = json.loads(self.shown())["conversations"]
            self.assertEqual([each["stream"] for each in told], expected)
        for arguments, reason in (
            (("--host", "example.org"), "is not an address: give one such as 192.0.2.1"),
            (("--port", "65536"), "--port"),
            (("--from", "2", "--to", "1"), "--from 2 is after --to 1"),
            (("--from", "soon"), "--from"),
        ):
            self.assertEqual(self.status(self.capture, *arguments), 2)
            self.assertIn(reason, self.err.getvalue())

    def test_discretion(self) -> None:
        """
        --no-payload and --anonymise leave out of every format what they promise to.
        """
        for form in ("terminal", "html", "svg", "markdown", "json", "pcapng"):
            for option, secrets in (
                ("--no-payload", (b"Mozilla", b"result.html", b"Mozilla".hex().encode())),
                (
                    "--anonymise",
                    (b"Mozilla", b"result.html", b"192.168.1.224", bytes((192, 168, 1, 224))),
                ),
            ):
                self.buffer.truncate(0)
                self.buffer.seek(0)
                self.assertEqual(self.status(self.capture, "--format", form, option), 0)
                for secret in secrets:
                    self.assertNotIn(secret, self.shown(), (form, option))


class InputTests(ExplainTestCase):
    """
    Where captures come from.
    """

    def feed(self) -> None:
        """
        Put the capture on standard input.
        """
        data = Path(self.capture).read_bytes()
        self.patch(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    def test_standard_input(self) -> None:
        """
        C{-} is standard input, also for pcapng, which takes two readings.
        """
        self.feed()
        self.assertEqual(self.status("-"), 0)
        self.assertTrue(self.shown().startswith(b"standard input\n2 connections"))
        self.feed()
        told = self.folder / "told.pcapng"
        self.assertEqual(self.status("-", "--format", "pcapng", "-o", str(told)), 0)
        self.assertIn(b"GET /redirect (449 bytes)", told.read_bytes())

    def test_gzip(self) -> None:
        """
        A packed capture is read as it is.
        """
        packed = self.folder / "redirect.pcap.gz"
        packed.write_bytes(gzip.compress(Path(self.capture).read_bytes()))
        self.assertEqual(self.status(str(packed)), 0)
        self.assertIn(b"2 connections, 22 frames", self.shown())

    def test_progress(self) -> None:
        """
        A large capture shows how far its reading is, where somebody watches, and clears it away;
        through a pipe there is nothing of it.
        """

        class Watched(io.StringIO):
            def isatty(self) -> bool:
                return True

        self.patch(explaining, "_size", lambda path: 1 << 30)
        self.patch(reading, "_STEP_RECORDS", 1)
        self.assertEqual(self.status(self.capture), 0)
        self.assertEqual(self.err.getvalue(), "")
        watched = Watched()
        self.patch(sys, "stderr", watched)
        self.patch(os, "environ", {"TERM": "xterm", "COLUMNS": "80"})
        self.assertEqual(self.status(self.capture), 0)
        self.assertIn("reading", watched.getvalue())


class BadInputTests(ExplainTestCase):
    """
    Input that cannot be explained: one line, and an exit status.
    """

    def refused(self, status: int, text: str, *arguments: str) -> None:
        """
        The command ends with a status and one line which says so much.
        """
        self.err.truncate(0)
        self.err.seek(0)
        self.assertEqual(self.status(*arguments), status)
        line = self.err.getvalue()
        self.assertEqual(line.count("\n"), 1, line)
        self.assertIn(text, line)
        self.assertEqual(self.shown(), b"")

    def test_no_file(self) -> None:
        """
        A file that is not there, or is a folder.
        """
        self.refused(1, "cannot open", str(self.folder / "none"))
        self.refused(1, "Is a directory", str(self.folder))

    def test_no_capture(self) -> None:
        """
        A file that is something else, or empty.
        """
        path = self.folder / "text"
        path.write_bytes(b"hello, world, how are you\n")
        self.refused(1, "is neither pcap nor pcapng", str(path))
        path.write_bytes(b"")
        self.refused(1, "is empty", str(path))

    def test_no_tcp(self) -> None:
        """
        A capture without frames, or without TCP in any.
        """
        path = self.folder / "none.pcap"
        path.write_bytes(Talk().pcap())
        self.refused(1, "no frame at all", str(path))
        talk = Talk()
        talk.frames.append((0, b"\xff" * 12 + b"\x08\x06" + bytes(28)))
        path.write_bytes(talk.pcap())
        self.refused(1, "1 frames, none of them TCP", str(path))

    def test_no_such_conversation(self) -> None:
        """
        A conversation that the capture does not have; the line says which it has.
        """
        self.refused(1, "it has 0 to 1", self.capture, "--conversation", "2")
        self.refused(2, "--conversation 'x'", self.capture, "--conversation", "x")

    def test_format_by_name(self) -> None:
        """
        Without --format the name of the report chooses, and what it does not tell is text.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        for name, begin in (
            ("a.html", b"<!DOCTYPE html>"),
            ("a.SVG", b"<svg"),
            ("a.md", b"# "),
            ("a.json", b"{"),
            ("a.pcapng", b"\x0a\x0d\x0d\x0a"),
            ("a.txt", Path(self.capture).name.encode()),
        ):
            path = folder / name
            self.assertEqual(self.status(self.capture, "-o", str(path)), 0)
            self.assertTrue(path.read_bytes().startswith(begin), name)
        path = folder / "b.html"
        self.assertEqual(self.status(self.capture, "--format", "json", "-o", str(path)), 0)
        self.assertTrue(path.read_bytes().startswith(b"{"))

    def test_wrong_format(self) -> None:
        """
        A format that there is not.
        """
        self.refused(2, "--format", self.capture, "--format", "pdf")

    def test_no_room(self) -> None:
        """
        A file that cannot be written, or is the capture itself, which is left as it is.
        """
        nowhere = os.path.join(self.capture, "x")
        self.refused(1, "cannot write", self.capture, "--format", "html", "-o", nowhere)
        before = Path(self.capture).read_bytes()
        for form in ("pcapng", "terminal", "html"):
            self.refused(
                1, "is the capture itself", self.capture, "--format", form, "-o", self.capture
            )
        self.assertEqual(Path(self.capture).read_bytes(), before)


class FiguresTests(ExplainTestCase):
    """
    What C{--format json} says of frames that are not told.
    """

    def test_large_capture(self) -> None:
        """
        Where a capture is told in summary, every frame still has its figures, the same ones.
        """
        self.assertEqual(self.status(self.capture, "--format", "json"), 0)
        whole = json.loads(self.shown())["frames"]
        self.patch(explain, "FRAMES_TOLD_MAX", 10)
        self.patch(explain, "FRAMES_OF_SUMMARY", 5)
        self.buffer.truncate(0)
        self.buffer.seek(0)
        self.assertEqual(self.status(self.capture, "--format", "json"), 0)
        frames = json.loads(self.shown())["frames"]
        self.assertEqual([frame["number"] for frame in frames], list(range(1, len(whole) + 1)))
        self.assertEqual(["sentence" in frame for frame in frames].index(False), 5)
        for frame, same in zip(frames[5:], whole[5:], strict=True):
            self.assertEqual((frame.pop("quoted"), frame.pop("findings")), (False, []))
            self.assertEqual(frame, {name: same[name] for name in frame})

    def test_anonymised(self) -> None:
        """
        Where addresses are replaced, they are replaced in these frames too.
        """
        self.patch(explain, "FRAMES_TOLD_MAX", 10)
        self.patch(explain, "FRAMES_OF_SUMMARY", 5)
        self.assertEqual(self.status(self.capture, "--format", "json", "--anonymise"), 0)
        self.assertNotIn(b"192.168.1.224", self.shown())
        self.assertEqual(len({frame["src"] for frame in json.loads(self.shown())["frames"]}), 1)


class SummaryTests(ExplainTestCase):
    """
    C{--summary}.
    """

    def test_no_frame_is_told(self) -> None:
        """
        Conversations are told in full and frames are not, in every format but pcapng.
        """
        for form in explaining.FORMATS[:-1]:
            self.buffer.truncate(0)
            self.buffer.seek(0)
            self.assertEqual(self.status(self.capture, "--summary", "--format", form), 0, form)
            shown = b" ".join(self.shown().split())
            self.assertIn(b"is answered by 301 Moved Permanently", shown, form)
            self.assertNotIn(b"The initial sequence number", shown, form)
            self.assertNotIn(b"more frame", shown, form)
            self.assertEqual(b"summarised only" in shown, form not in ("json", "svg"), form)

    def test_json(self) -> None:
        """
        JSON has an empty list of frames, and says how many there are.
        """
        self.assertEqual(self.status(self.capture, "--summary", "--format", "json"), 0)
        document = json.loads(self.shown())
        self.assertEqual(document["frames"], [])
        self.assertEqual({each["frames_told"] for each in document["conversations"]}, {0})
        self.assertEqual(
            sum(each["frame_count"] for each in document["conversations"]), document["frame_count"]
        )

    def test_pcapng(self) -> None:
        """
        Comments for each frame and no frame told do not go together.
        """
        self.assertEqual(self.status(self.capture, "--summary", "--format", "pcapng"), 1)
        self.assertIn("leave out --summary", self.err.getvalue())


class LimitTests(ExplainTestCase):
    """
    How much is remembered while a capture is read.
    """

    def test_figures_of_every_frame_are_thorough(self) -> None:
        """
        Where every frame's figures are asked for, or one conversation, as much is remembered as
        Wireshark does, however many frames there are; else only while each frame is told.
        """
        self.patch(pipeline, "STREAMING", MemoryLimits(unacked_max=5))
        self.patch(reading, "THOROUGH_FRAMES", 10)
        talk = Talk().open()
        for _ in range(30):
            talk.send("c", ACK, b"x")
        Path(self.capture).write_bytes(talk.pcap())
        self.assertEqual(self.status(self.capture, "--format", "json"), 0)
        document = json.loads(self.shown())
        self.assertEqual(document["frames"][-1]["bytes_in_flight"], 30)
        self.assertNotIn("outstanding", json.dumps(document["passages"]))
        for arguments, is_limited in ((("--conversation", "0"), False), ((), True)):
            self.buffer.truncate(0)
            self.buffer.seek(0)
            self.assertEqual(self.status(self.capture, *arguments), 0)
            self.assertEqual(b"5 segments outstanding" in self.shown(), is_limited)

    def test_figures_that_are_left_out(self) -> None:
        """
        Where there are too many frames to keep the figures of all, the report says of how many.
        """
        self.patch(figures, "FIGURES_MAX", 7)
        self.assertEqual(self.status(self.capture, "--format", "json"), 0)
        document = json.loads(self.shown())
        left = document["frame_count"] - 7
        self.assertIn(f"Of {left} frames no figures are here", json.dumps(document["passages"]))
