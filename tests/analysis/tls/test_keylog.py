"""
Tests for L{netlab.analysis.tls.keylog} and L{netlab.analysis.tls.keylogfile}.
"""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tls import keylog as module
from netlab.analysis.tls.keylog import KEYLOG_MAX_BYTES, Label, parse_keylog
from netlab.analysis.tls.keylogfile import KeyLogError, read_keylog

RANDOM = bytes(range(32))
MASTER = bytes(range(48))
LINE = b"CLIENT_RANDOM " + RANDOM.hex().encode() + b" " + MASTER.hex().encode()


class ParseTests(SynchronousTestCase):
    """
    Lines (RFC 9850 section 2).
    """

    def test_lines(self) -> None:
        """
        Secrets are found by the client's random; hexadecimal digits are of either case, lines end
        in LF or CR LF, and the last one may have no end.
        """
        secret = bytes(32)
        other = b"SERVER_TRAFFIC_SECRET_0 %s %s" % (RANDOM.hex().encode(), secret.hex().encode())
        for end in (b"\n", b"\r\n"):
            found = parse_keylog(LINE.upper() + end + other)
            self.assertEqual(
                dict(found.secrets(RANDOM)),
                {Label.MASTER: MASTER, Label.SERVER_APPLICATION: secret},
            )
            self.assertIn(RANDOM, found)
            self.assertEqual(len(found), 1)
        self.assertEqual(dict(found.secrets(bytes(32))), {})

    def test_passed_over(self) -> None:
        """
        Comments, other labels, and lines that are too long, too short or no hexadecimal hold no
        secret.
        """
        for line in (
            b"# " + LINE,
            LINE.replace(b"CLIENT_RANDOM", b"EXPORTER_SECRET"),
            LINE.replace(b"CLIENT_RANDOM", b"CLIENT_RANDOM_2"),
            LINE[:-1],
            LINE + b"00" * 200,
            LINE.replace(b" ", b"\t"),
            LINE.replace(b"00", b"0g", 1),
            b"CLIENT_RANDOM  " + LINE[14:],
            b"CLIENT_RANDOM " + bytes(31).hex().encode() + b" " + MASTER.hex().encode(),
        ):
            self.assertEqual(len(parse_keylog(line + b"\n")), 0, line)

    def test_first_counts(self) -> None:
        """
        Nothing that is appended replaces a secret.
        """
        found = parse_keylog(LINE + b"\n" + LINE[:-4] + b"0000\n")
        self.assertEqual(found.secrets(RANDOM)[Label.MASTER], MASTER)

    def test_bound(self) -> None:
        """
        Only so many connections' secrets are kept.
        """
        self.patch(module, "SESSIONS_MAX", 3)
        lines = [LINE.replace(RANDOM.hex().encode(), b"%064x" % number) for number in range(5)]
        found = parse_keylog(b"\n".join([*lines, *lines]))
        self.assertEqual(len(found), 3)
        self.assertEqual(found.left_out, 4)
        self.assertIn((2).to_bytes(32, "big"), found)

    @given(st.binary(max_size=2000))
    def test_any(self, data: bytes) -> None:
        """
        Arbitrary bytes around a line do it no harm, and make no secret by themselves.
        """
        found = parse_keylog(data.replace(b"CLIENT", b"") + b"\n" + LINE + b"\n" + data)
        self.assertEqual(found.secrets(RANDOM)[Label.MASTER], MASTER)


class FileTests(SynchronousTestCase):
    """
    What is wrong with a file is said in one line that names it.
    """

    def problem(self, path: object) -> str:
        """
        Read what cannot be read.
        """
        error = self.assertRaises(KeyLogError, read_keylog, str(path))
        text = str(error)
        self.assertIn(str(path), text)
        self.assertNotIn("\n", text)
        return text

    def test_faults(self) -> None:
        """
        A file that is not there, a folder, an empty file, and one without a secret.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        empty = folder / "empty"
        empty.write_bytes(b"")
        text = folder / "text"
        text.write_bytes(b"no secret\n" * 100)
        self.assertIn("No such file", self.problem(folder / "none"))
        self.assertIn("director", self.problem(folder))
        self.assertIn("holds no secret", self.problem(empty))
        self.assertIn("SSLKEYLOGFILE", self.problem(text))

    def test_too_long(self) -> None:
        """
        A file beyond the bound is refused, however long it is: no more than that is read.
        """
        path = Path(self.mktemp())
        with path.open("wb") as file:
            file.write(LINE + b"\n")
            os.truncate(file.fileno(), KEYLOG_MAX_BYTES + 1)
        self.assertIn("longer than 64 MiB", self.problem(path))

    def test_read(self) -> None:
        """
        A key log is read.
        """
        path = Path(self.mktemp())
        path.write_bytes(LINE + b"\n")
        self.assertIn(RANDOM, read_keylog(str(path)))
