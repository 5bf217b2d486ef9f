"""
Tests for L{netlab.options}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import Options, UsageError
from twisted.trial.unittest import SynchronousTestCase

from netlab import options
from netlab.options import (
    ListeningOptions,
    byte_size,
    count,
    seconds,
    server_endpoint,
    tcp_description,
    tcp_port,
)


class ReaderTestCase(SynchronousTestCase):
    """
    What the tests of all readers share.
    """

    def assert_refused(self, read: Callable[[str], object], text: str, part: str) -> None:
        """
        The text is refused in one line which quotes it and says C{part}.
        """
        error = self.assertRaises(UsageError, read, text)
        line = str(error)
        self.assertIn(part, line)
        self.assertIn(ascii(text), line)
        self.assertTrue(line.isprintable(), line)


class SecondsTests(ReaderTestCase):
    """
    Durations.
    """

    def test_a_decimal_number_is_seconds(self) -> None:
        """
        Whole and decimal numbers are read, bounds included.
        """
        read = seconds("--wait", at_least=0.5, at_most=60)
        self.assertEqual(
            [read(text) for text in ("1", "0.5", "60", "1.25")], [1.0, 0.5, 60.0, 1.25]
        )

    def test_out_of_bounds(self) -> None:
        """
        Beyond a bound, the error names the bound.
        """
        read = seconds("--wait", at_least=0.5, at_most=60)
        self.assert_refused(read, "0.4", "--wait '0.4': too small; the least is 0.5")
        self.assert_refused(read, "61", "too large; the most is 60")

    def test_what_float_would_let_through(self) -> None:
        """
        Spellings that Python's C{float} knows and a command line does not mean are refused.
        """
        for text in ("nan", "inf", "-1", "+1", "1e3", "1_0", " 1", "1\n", "", ".", "1.", "१"):
            self.assert_refused(seconds("--wait"), text, "not a number of seconds")

    def test_control_characters(self) -> None:
        """
        A control character in the value is shown escaped.
        """
        self.assert_refused(seconds("--wait"), "\x1b[31m\nfake", "'\\x1b[31m\\nfake'")


class CountTests(ReaderTestCase):
    """
    Whole numbers.
    """

    def test_a_whole_number(self) -> None:
        """
        Digits are read as a number.
        """
        self.assertEqual([count("--n")(text) for text in ("0", "007", "12")], [0, 7, 12])

    def test_bounds(self) -> None:
        """
        Beyond a bound, the error names the bound, with its thousands set apart.
        """
        read = count("--n", at_least=1, at_most=5000)
        self.assert_refused(read, "0", "the least is 1")
        self.assert_refused(read, "5001", "the most is 5,000")

    def test_what_int_would_let_through(self) -> None:
        """
        Signs, underscores, spaces, other digits and absurd lengths are refused.
        """
        for text in ("-1", "+1", "1_0", " 1", "1\n", "", "1.0", "0x1", "१", "9" * 5000):
            self.assert_refused(count("--n"), text, "not a whole number")


class ByteSizeTests(ReaderTestCase):
    """
    Numbers of bytes.
    """

    def test_units(self) -> None:
        """
        k, M and G stand for powers of 1024, in either case.
        """
        sizes = [byte_size("--size")(text) for text in ("100", "64k", "1M", "1m", "1G")]
        self.assertEqual(sizes, [100, 65536, 1048576, 1048576, 1073741824])

    def test_refused(self) -> None:
        """
        Anything but digits and one unit is refused, and so is what lies out of bounds.
        """
        for text in ("", "k", "1kB", "1 k", "-1", "1.5k", "0x10"):
            self.assert_refused(byte_size("--size"), text, "not a number of bytes")
        self.assert_refused(byte_size("--size"), "0", "the least is 1")
        self.assert_refused(byte_size("--size", at_most=1000), "1k", "the most is 1,000")


class PortTests(ReaderTestCase):
    """
    TCP port numbers.
    """

    def test_bounds(self) -> None:
        """
        65535 is the last port; 0 is one only where the system may choose.
        """
        self.assertEqual(tcp_port("--port")("0"), 0)
        self.assertEqual(tcp_port("--port")("65535"), 65535)
        self.assert_refused(tcp_port("--port"), "65536", "write a number from 0 to 65535")
        self.assert_refused(tcp_port("--port", at_least=1), "0", "write a number from 1 to 65535")
        self.assert_refused(tcp_port("--port"), "http", "not a TCP port")


class EndpointTests(ReaderTestCase):
    """
    Endpoint descriptions.
    """

    def read(self, text: str) -> object:
        """
        Read a description for a reactor that listens nowhere.
        """
        return server_endpoint("--listen", text, MemoryReactorClock())

    def test_tcp(self) -> None:
        """
        A description becomes an endpoint that listens where it says.
        """
        reactor = MemoryReactorClock()
        endpoint = server_endpoint("--listen", "tcp:8080:interface=127.0.0.1", reactor)
        self.assertIsInstance(endpoint, TCP4ServerEndpoint)
        self.assertEqual(reactor.tcpServers, [])

    def test_a_bare_number(self) -> None:
        """
        A number alone is answered with the description that was probably meant.
        """
        self.assert_refused(self.read, "8080", "write tcp:8080")

    def test_wrong_descriptions(self) -> None:
        """
        What makes no sense to Twisted is refused in one line with an example, whatever exception
        its parsers stumble over.
        """
        for text in ("", "tcp", "tcp:", "tcp:http", "foo:1", "tcp:1:color=red", "tcp:1:2:3:4:5"):
            self.assert_refused(self.read, text, "such as tcp:8080")

    def test_impossible_ports(self) -> None:
        """
        A port beyond 65535 is refused while options are read, not when it is bound.
        """
        for text in ("tcp:65536", "tcp6:99999:interface=\\:\\:1", "tcp:port=70000", "tcp:-1"):
            self.assert_refused(self.read, text, "does not exist")

    def test_missing_parts(self) -> None:
        """
        TLS without pyOpenSSL names what to install; with it, the key file that cannot be read.
        """
        error = self.assertRaises(UsageError, self.read, "ssl:443:privateKey=/nonexistent.pem")
        self.assertRegex(
            str(error), r"needs the Python package \w+|No such file or directory: /nonexistent\.pem"
        )

    def test_description_of_an_address(self) -> None:
        """
        The description of an address and port quotes the colons of IPv6.
        """
        self.assertEqual(tcp_description("127.0.0.1", 80), "tcp:80:interface=127.0.0.1")
        self.assertEqual(tcp_description("::1", 0), "tcp6:0:interface=\\:\\:1")


class SomeOptions(ListeningOptions):
    """
    A server's options.
    """

    default_listen = "tcp:8080"


class Twistd(Options):
    """
    A command line of which that of a server is a part.
    """

    subCommands = [("some-server", None, SomeOptions, "Serves.")]  # noqa: RUF012


class ListeningOptionsTests(SynchronousTestCase):
    """
    The option that all servers share.
    """

    def parse(self, *arguments: str) -> list[str]:
        """
        Parse a command line and give the descriptions it leads to.
        """
        options = SomeOptions()
        options.parseOptions(arguments)
        return [description for description, _ in options.endpoints]

    def test_default(self) -> None:
        """
        Without --listen a server listens on its default.
        """
        self.assertEqual(self.parse(), ["tcp:8080"])

    def test_deferred_accept(self) -> None:
        """
        What --defer-accept says reaches each endpoint; without it nothing is deferred.
        """
        seconds: list[int] = []
        made = vars(options)["server_from_string"]

        def make(*arguments: Any, **keywords: Any) -> Any:
            seconds.append(keywords["defer_accept_seconds"])
            return made(*arguments, **keywords)

        self.patch(options, "server_from_string", make)
        self.parse("--listen=tcp:0", "--listen=tcp:1", "--defer-accept=5")
        self.parse()
        self.assertEqual(seconds, [5, 5, 0])

    def test_repeated(self) -> None:
        """
        Each --listen adds a place, and the default is not among them.
        """
        self.assertEqual(self.parse("--listen", "tcp:0", "--listen=tcp:1"), ["tcp:0", "tcp:1"])

    def test_address_first(self) -> None:
        """
        An address and a port may be written in the order that people are used to.
        """
        for text, place in (
            ("tcp:127.0.0.1:8080", "tcp:8080:interface=127.0.0.1"),
            ("tcp:localhost:0", "tcp:0:interface=127.0.0.1"),
            ("tcp:[::1]:8080", "tcp6:8080:interface=\\:\\:1"),
            ("haproxy:tcp:127.0.0.1:8080", "haproxy:tcp:8080:interface=127.0.0.1"),
        ):
            self.assertEqual(self.parse("--listen", text), [place])
        for text, problem in (
            ("tcp:127.0.0.1:99999", "port 99999 does not exist"),
            ("tcp:example.org:80", "'example.org' is not a number"),
        ):
            error = self.assertRaises(UsageError, self.parse, "--listen", text)
            self.assertIn(f"--listen {text!r}: ", str(error))
            self.assertIn(problem, str(error))

    def test_under_twistd(self) -> None:
        """
        What is wrong with the words behind twistd's subcommand ends the process with one line; it
        says where to read more, unless it says what to write.
        """
        for words, line in (
            (["--nonesuch"], "option --nonesuch not recognized; see twistd some-server --help"),
            (["--listen", "8080"], "--listen '8080': a bare number; write tcp:8080"),
        ):
            leaving = self.assertRaises(SystemExit, Twistd().parseOptions, ["some-server", *words])
            self.assertEqual(leaving.code, f"twistd some-server: {line}")
