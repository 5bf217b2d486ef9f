"""
Tests for L{netlab.commands.handins}: one hand-in does not keep the others from being judged.
"""

from __future__ import annotations

import gzip
import os
import re
import struct
from pathlib import Path

import pytest

from netlab.analysis.expectations import references
from netlab.capture.faults import CaptureError
from netlab.capture.opening import Bounds
from netlab.commands import handins
from netlab.commands.handins import BOUNDS, HandIn, hand_ins
from tests.analysis.dialogue_script import Script
from tests.capture.streams import block, interface, pcap_header, section
from tests.captures.reference import exchange
from tests.test_cli import CommandTestCase

_EMPTY_FRAME = struct.pack("<IIII", 0, 0, 0, 0)


class ClassTests(CommandTestCase):
    """
    A folder with a right capture, and one by an attacker beside it.
    """

    def setUp(self) -> None:
        """
        Have the folder, and what lies outside it.
        """
        super().setUp()
        self.top = Path(self.mktemp()).absolute()
        self.folder = self.top / "submissions"
        self.folder.mkdir(parents=True)
        (self.folder / "right.pcap").write_bytes(exchange("echo").pcap())
        self.outside = self.top / "outside.pcap"
        self.outside.write_bytes(exchange("echo").pcap())

    def judged(self, *paths: str) -> list[str]:
        """
        Judge the folder, or what is named, and give the lines; the right one passes.
        """
        self.out.truncate(0)
        self.out.seek(0)
        named = [str(self.folder / path) for path in paths] or [str(self.folder)]
        self.assertEqual(self.status("verify", *named, "--exchange", "echo"), 1)
        lines = self.out.getvalue().splitlines()
        right = f"PASS  {self.folder}/right.pcap: echo, 5 of 5 as expected, conversation 0"
        self.assertIn(right, lines)
        return lines

    def assert_error(self, why: str, *paths: str) -> None:
        """
        The other one is an error, and says why.
        """
        lines = self.judged(*paths)
        self.assertEqual(lines[-1], "2 captures: 1 PASS, 1 ERROR")
        self.assertIn(why, " ".join(line for line in lines if line.startswith("ERROR")))

    def test_a_pipe(self) -> None:
        """
        A named pipe that nobody writes to is not waited for, found or named.
        """
        os.mkfifo(self.folder / "a.pcap")
        self.assert_error("it is no regular file")
        self.assert_error("it is no regular file", "a.pcap", "right.pcap")

    def test_standard_input(self) -> None:
        """
        Nor is standard input, which a link of any name leads to.
        """
        (self.folder / "a.pcap").symlink_to("/dev/stdin")
        self.assert_error("it is a link that leads out of the folder")

    def test_a_device(self) -> None:
        """
        A device is not opened.
        """
        (self.folder / "a.pcap").symlink_to("/dev/zero")
        self.assert_error("it is a link that leads out of the folder")
        self.assert_error("it is no regular file", "a.pcap", "right.pcap")

    def test_links_out_of_the_folder(self) -> None:
        """
        A link that leads out of the folder, by a path or by others of the folder's links, is not
        followed; one within it is.
        """
        (self.folder / "a.pcap").symlink_to(self.outside)
        self.assert_error("it is a link that leads out of the folder")
        (self.folder / "a.pcap").unlink()
        (self.folder / "up").symlink_to("..")
        (self.folder / "a.pcap").symlink_to("up/outside.pcap")
        self.assert_error("it is a link that leads out of the folder")
        (self.folder / "a.pcap").unlink()
        (self.folder / "a.pcap").symlink_to("up/submissions/right.pcap")
        self.assertEqual(self.status("verify", str(self.folder), "--exchange", "echo"), 0)

    def test_a_link_to_itself(self) -> None:
        """
        A circle of links is an error.
        """
        (self.folder / "a.pcap").symlink_to("b.cap")
        (self.folder / "b.cap").symlink_to("a.pcap")
        lines = self.judged()
        self.assertEqual(lines[-1], "3 captures: 1 PASS, 2 ERROR")

    def test_a_step_is_swapped(self) -> None:
        """
        A folder on the way that becomes a link after it was looked through is not followed.
        """
        (self.folder / "kim").mkdir()
        (self.folder / "kim" / "a.pcap").write_bytes(b"")
        (found,) = [one for one in hand_ins([str(self.folder)]) if "kim" in one.path]
        real = os.path.realpath(found.path)
        self.patch(os.path, "realpath", lambda path: real if path == found.path else path)
        (self.folder / "kim").rename(self.top / "kim")
        (self.top / "kim" / "a.pcap").write_bytes(exchange("echo").pcap())
        (self.folder / "kim").symlink_to(self.top / "kim")
        self.assertRaises(CaptureError, found.open)

    def test_empty_frames(self) -> None:
        """
        A small file of many frames, packed, is read so far and no farther.
        """
        bounds = BOUNDS._replace(frames_max=50)
        self.patch(handins, "BOUNDS", bounds)
        path = self.folder / "a.pcap"
        path.write_bytes(gzip.compress(pcap_header() + _EMPTY_FRAME * 51))
        self.assert_error("has more than 50 frames")
        path.write_bytes(gzip.compress(pcap_header() + _EMPTY_FRAME * 50))
        self.assertEqual(self.judged()[-1], "2 captures: 1 PASS, 1 FAIL")

    def test_bytes(self) -> None:
        """
        Bytes are bounded too, where there are no frames: of the file, and of what it is unpacked
        to; and what a file that has holes claims to be long.
        """
        right = (self.folder / "right.pcap").stat().st_size
        self.patch(handins, "BOUNDS", BOUNDS._replace(bytes_max=100_000))
        self.assertLess(right, 100_000)
        path = self.folder / "a.pcapng"
        blocks = section() + interface() + block(0x0BAD, b"") * 10_000
        for data in (blocks, gzip.compress(blocks), gzip.compress(b"") * 6000):
            path.write_bytes(data)
            self.assert_error("has more than 100,000 bytes, unpacked")
        with path.open("wb") as file:
            file.write(gzip.compress(section()))
            file.truncate(1 << 40)
        self.assert_error("has more than 100,000 bytes, unpacked")

    def test_the_bounds(self) -> None:
        """
        What stops an attacker stops no capture that a class hands in.
        """
        self.assertEqual(BOUNDS, Bounds(250_000, 256 << 20, 500_000))

    def test_packed_requests(self) -> None:
        """
        A capture of few frames, and of very many requests in them, is read so far and no farther.
        """
        self.patch(handins, "BOUNDS", BOUNDS._replace(parts_max=1000))
        script = Script().open().client("PSH ACK", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1500)
        (self.folder / "a.pcap").write_bytes(script.pcap())
        self.assert_error("has more than 1,000 HTTP messages, chunks and TLS records")

    def flatten(self) -> None:
        """
        Remove folders that are too deep for whoever removes a test's files.
        """
        top, below = self.folder / "a", self.folder / "b"
        while (top / "a").exists():
            (top / "a").rename(below)
            top.rmdir()
            below.rename(top)

    @pytest.mark.slow
    def test_deep_folders(self) -> None:
        """
        Folders within folders without end are not searched without end, and it is told.
        """
        self.addCleanup(self.flatten)
        where = os.open(self.folder, os.O_RDONLY)
        for _ in range(1500):
            os.mkdir("a", dir_fd=where)
            deeper = os.open("a", os.O_RDONLY, dir_fd=where)
            os.close(where)
            where = deeper
        os.close(where)
        self.assert_error("it is more than 64 folders deep")

    def test_many_files(self) -> None:
        """
        A student's folder of more captures, or of more entries, than anybody needs leaves the
        others' to be found.
        """
        self.patch(handins, "FILES_MAX", 3)
        for number in range(5):
            for student in ("a", "z"):
                (self.folder / student).mkdir(exist_ok=True)
                (self.folder / student / f"{number}.pcap").write_bytes(b"")
        lines = self.judged()
        self.assertEqual(lines[-1], "9 captures: 1 PASS, 8 ERROR")
        self.assertEqual(sum("it has more than 3 captures" in line for line in lines), 2)
        self.patch(handins, "FILES_MAX", 1000)
        self.patch(handins, "ENTRIES_MAX", 4)
        lines = self.judged()
        self.assertEqual(lines[-1], "11 captures: 1 PASS, 10 ERROR")
        self.assertEqual(sum("it has more than 4 entries" in line for line in lines), 2)

    def test_a_chain_of_links(self) -> None:
        """
        Links are followed as far as the system follows them.
        """
        for number in range(1500):
            (self.folder / f"{number}.pcap").symlink_to(f"{number + 1}.pcap")
        (self.folder / "1500.pcap").symlink_to("right.pcap")
        lines = self.judged()
        self.assertNotIn("a mistake of ours", " ".join(lines))
        passed, failed = map(int, re.findall(r"([0-9]+) (?:PASS|ERROR)", lines[-1]))
        self.assertEqual(passed + failed, 1502)
        self.assertLess(passed, 100)

    def test_a_folder_that_cannot_be_searched(self) -> None:
        """
        What is passed over is told.
        """
        (self.folder / "kim").mkdir()
        scandir = os.scandir

        def refuse(path: str) -> object:
            if path.endswith("kim"):
                raise PermissionError(13, "Permission denied")
            return scandir(path)

        self.patch(os, "scandir", refuse)
        self.assert_error("Permission denied")

    def test_a_mistake_of_ours(self) -> None:
        """
        If judging one fails by a mistake of netlab's, that is told, and the others are judged.
        """
        (self.folder / "a.pcap").write_bytes(exchange("redirect").pcap())
        judge = references.verify

        def mistaken(*arguments: object) -> object:
            if not seen:
                seen.append(1)
                raise ZeroDivisionError("no luck")
            return judge(*arguments)  # type: ignore[arg-type]

        seen: list[int] = []
        self.patch(references, "verify", mistaken)
        self.assert_error("a mistake of ours: ZeroDivisionError: no luck")
        self.assertIn("Traceback", self.err.getvalue())

    def test_what_is_named(self) -> None:
        """
        A file that is named may be a link to anywhere: who names it knows it.
        """
        (self.folder / "a.pcap").symlink_to(self.outside)
        path = str(self.folder / "a.pcap")
        self.assertEqual(list(hand_ins([path])), [HandIn(path)])
        self.assertEqual(self.status("verify", path, "--exchange", "echo"), 0)
