"""
Tests for L{netlab.http1.twistd.tap}: from the command line to a server.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import bcrypt
from twisted.internet.address import IPv4Address
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.server.factory import HTTPServerFactory
from netlab.http1.twistd.options import Options
from netlab.http1.twistd.running import HTTPService
from netlab.http1.twistd.tap import makeService
from tests.http1.serving import NOW, ReceivedAnswer, ServerTestCase, get


class OptionsTests(SynchronousTestCase):
    """
    Command lines.
    """

    def parse(self, *arguments: str) -> Options:
        """
        Read a command line.
        """
        options = Options()
        options.parseOptions(arguments)
        self.addCleanup(options.root.close)
        return options

    def test_workers(self) -> None:
        """
        Workers share TCP, under TLS and behind a proxy too; what they cannot share is refused.
        """
        for place in ("tcp:0", "tcp6:0", "haproxy:tcp:0"):
            self.assertEqual(self.parse("-w", "2", "--listen", place)["workers"], 2)
        for place in ("unix:/sock", "haproxy:unix:/sock"):
            with self.assertRaisesRegex(UsageError, "workers cannot share it; listen on TCP"):
                self.parse("-w", "2", "--listen", place)
            self.parse("--listen", place)

    def test_reference_port(self) -> None:
        """
        The default place to listen is the reference port.
        """
        self.assertEqual([place for place, _ in self.parse().endpoints], ["tcp:8080"])

    def test_reference_timeout(self) -> None:
        """
        The default idle timeout is the reference's.
        """
        self.assertEqual(self.parse()["idle-timeout"], 1.0)

    def test_reference_redirect(self) -> None:
        """
        The default redirect is the reference's; one of the user's takes its place, and more add to
        that.
        """
        self.assertEqual(self.parse().routes, {(b"redirect",): b"/result.html"})
        options = self.parse("--redirect", "/a=/b?c=d", "--redirect", "/%41/b=https://host/x")
        self.assertEqual(options.routes, {(b"a",): b"/b?c=d", (b"A", b"b"): b"https://host/x"})

    def test_wrong_values(self) -> None:
        """
        A value that cannot be is refused while options are read, in one line that names the option.
        """
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        file = folder / "file"
        file.write_text("not:a hash\n")
        for option, value in (
            ("--listen", "nonsense"),
            ("--listen", "8080"),
            ("--admin", "nonsense"),
            ("--admin-host", "not a name"),
            ("--root", str(folder / "nothing")),
            ("--root", str(file)),
            ("--idle-timeout", "0"),
            ("--idle-timeout", "-1"),
            ("--head-timeout", "soon"),
            ("--drain-timeout", "1e3"),
            ("--max-connections", "0"),
            ("--max-request-line", "63"),
            ("--redirect", "/a"),
            ("--redirect", "a=/b"),
            ("--redirect", "/a=/b c"),
            ("--redirect", "/a=/b 302"),
            ("--redirect", "/a*=/b"),
            ("--redirect", "/a=/b\r\nX: y"),
            ("--redirects", str(folder / "nothing")),
            ("--basic-auth", str(file)),
            ("--basic-auth", str(folder / "nothing")),
            ("--access-log", str(folder)),
            ("--access-log", str(folder / "nothing" / "log")),
            ("--access-log-format", "xml"),
            ("--header", "no colon"),
            ("--header", "Content-Length: 1"),
            ("--header", "X: a\r\nY: b"),
            ("--cors", "example"),
            ("--cors", "https://host/path"),
            ("--not-found", "nothing.html"),
            ("--not-found", "../secret"),
            ("--cache-control", "a\nb"),
        ):
            try:
                self.parse(option, value)
            except UsageError as error:
                line = str(error)
            else:
                self.fail(f"{option} {value!r} is taken")
            self.assertTrue(line.startswith(f"{option} "), (option, value, line))
            self.assertTrue(line.isprintable(), line)
            self.assertEqual("line 1" in line, option == "--basic-auth" and value == str(file))

    def test_surplus(self) -> None:
        """
        A word too many is refused, and named.
        """
        with self.assertRaises(UsageError) as caught:
            self.parse("--hidden", "port\n8080", "more")
        line = "'port\\n8080': not an option; an option begins with --"
        self.assertEqual(str(caught.exception), line)

    def test_relative_paths(self) -> None:
        """
        Folders and files are opened when options are read: a daemon then changes its directory.
        """
        folder = Path(self.mktemp()).absolute()
        (folder / "pages").mkdir(parents=True)
        (folder / "pages" / "a").write_text("a")
        before = Path.cwd()
        os.chdir(folder)
        try:
            options = self.parse("--root", "pages", "--access-log", "log")
        finally:
            os.chdir(before)
        self.assertEqual(options.root.status((b"a",)).st_size, 1)
        assert options.log_file is not None
        self.assertEqual(options.log_file.path, str(folder / "log"))

    def test_help(self) -> None:
        """
        Each option is explained, in lines that are wrapped at spaces and nowhere else.
        """
        shown = str(Options())
        for line in shown.partition("Options:\n")[2].splitlines():
            self.assertNotRegex(line[35:], "  ")
        for option in ("--root", "--listen", "--idle-timeout", "--redirect", "--bare-headers"):
            self.assertIn(f"{option}", shown)


class ServiceTests(ServerTestCase):
    """
    The server that a command line makes.
    """

    def start(self, *arguments: str) -> HTTPService:
        """
        Start the service of a command line on a reactor in memory.
        """
        options = Options()
        options.parseOptions(arguments)
        self.addCleanup(options.root.close)
        self.reactor = MemoryReactorClock()
        self.reactor.rightNow = NOW
        # The endpoints of the parsed options belong to the real reactor.
        options.endpoints = [("tcp:8080", TCP4ServerEndpoint(self.reactor, 8080))]
        if options.admin_endpoint is not None:
            options.admin_endpoint = ("tcp:9090", TCP4ServerEndpoint(self.reactor, 9090))
        service = makeService(options, self.reactor)
        service.startService()
        self.factory = self.factory_on(8080)
        return service

    def factory_on(self, port: int) -> HTTPServerFactory:
        """
        Find the factory that listens on a port.
        """
        (factory,) = (server[1] for server in self.reactor.tcpServers if server[0] == port)
        assert isinstance(factory, HTTPServerFactory)
        return factory

    def get(self, path: str, *lines: str, method: str = "GET") -> ReceivedAnswer:
        """
        Ask for a path.
        """
        return self.ask_one(get(path, *lines, method=method))

    def test_demonstration(self) -> None:
        """
        Without options the demonstration pages are served, and the reference's redirect.
        """
        self.start()
        self.assertIn(b"<h1>Hello World</h1>", self.get("/").content)
        answer = self.get("/redirect")
        self.assertEqual((answer.status, answer.fields["Location"]), (301, "/result.html"))
        self.assertTrue(answer.will_close)

    def test_port(self) -> None:
        """
        The service knows its port.
        """
        (port,) = self.start().ports
        self.assertIsInstance(port.getHost(), IPv4Address)

    def test_options_star(self) -> None:
        """
        C{OPTIONS *} asks about the server as a whole.
        """
        self.start()
        answer = self.get("*", method="OPTIONS")
        self.assertEqual((answer.status, answer.fields["Allow"]), (204, "GET, HEAD, OPTIONS"))

    def test_bare(self) -> None:
        """
        With C{--bare-headers} redirects, errors and files are all bare.
        """
        self.start("--bare-headers")
        self.assertEqual(self.get("/").names, ["Connection", "Content-Length"])
        self.assertEqual(self.get("/redirect").names, ["Connection", "Location"])
        self.assertEqual(self.get("/missing").names, ["Connection"])

    def test_limits(self) -> None:
        """
        Limits and timeouts reach the machine.
        """
        self.start("--max-field-lines", "2", "--idle-timeout", "3", "--max-requests", "1")
        self.assertEqual(self.get("/", "A: b", "C: d").status, 431)
        self.assertTrue(self.get("/").will_close)
        client = self.connect()
        self.pass_time(2.9)
        self.assertFalse(client.is_ended)
        self.pass_time(0.2)
        self.assertTrue(client.is_ended)

    def test_admission(self) -> None:
        """
        So does the bound on connections.
        """
        self.start("--max-connections", "1")
        self.connect()
        self.assertEqual(self.get("/").status, 503)

    def test_fields(self) -> None:
        """
        C{--header} adds to every answer, C{--cors} lets pages of an origin read them.
        """
        self.start("--header", "X-Lab: yes", "--cors", "https://app.example")
        for path in ("/", "/missing", "/redirect"):
            answer = self.get(path, "Origin: https://app.example")
            self.assertEqual(answer.fields["X-Lab"], "yes")
            self.assertEqual(answer.fields["Access-Control-Allow-Origin"], "https://app.example")
        answer = self.get("/", "Origin: https://other.example")
        self.assertNotIn("Access-Control-Allow-Origin", answer.fields)

    def test_redirect_rules(self) -> None:
        """
        C{--redirects} reads rules from a file; those of C{--redirect} go before.
        """
        rules = Path(self.mktemp()).absolute()
        rules.write_text("/old/* /new/:splat 302\n/a /from-file\n")
        self.start("--redirects", str(rules), "--redirect", "/a=/from-option")
        answer = self.get("/old/x/y?z")
        self.assertEqual((answer.status, answer.fields["Location"]), (302, "/new/x/y?z"))
        self.assertEqual(self.get("/a").fields["Location"], "/from-option")
        self.assertIn(b"<h1>Hello World</h1>", self.get("/").content)

    def test_password(self) -> None:
        """
        With C{--basic-auth} nobody gets anything without a password, not even a redirect.
        """
        passwords = Path(self.mktemp()).absolute()
        hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4))
        passwords.write_bytes(b"user:" + hashed + b"\n")
        self.start("--basic-auth", str(passwords))
        for path in ("/", "/redirect", "/missing"):
            answer = self.get(path)
            self.assertEqual(answer.status, 401)
            self.assertTrue(answer.fields["WWW-Authenticate"].startswith("Basic realm="))

    def test_access_log(self) -> None:
        """
        The access log has a line for each answer once the server has stopped, in the format that
        was asked for.
        """
        path = Path(self.mktemp()).absolute()
        for name, start in (("combined", "192.0.2.7 - - ["), ("json", '{"peer":"192.0.2.7",')):
            service = self.start("--access-log", str(path), "--access-log-format", name)
            self.get("/")
            self.get("/missing")
            for client in self.clients:
                client.vanish()
            service.stopService()
            self.factory.doStop()
            lines = path.read_text(encoding="ascii").splitlines()
            self.assertEqual(len(lines), 2)
            for line in lines:
                self.assertTrue(line.startswith(start), line)
            path.unlink()
            self.clients.clear()

    def test_admin(self) -> None:
        """
        With C{--admin} metrics and health are on a port of their own, and not on the public one.
        """
        self.start("--admin", "tcp:9090")
        for path in ("/metrics", "/health"):
            self.assertEqual(self.get(path).status, 404)
        self.factory = self.factory_on(9090)
        for path in ("/metrics", "/health"):
            self.assertEqual(self.get(path).status, 200)
        self.assertEqual(self.get("/").status, 404)

    def test_admin_hosts(self) -> None:
        """
        The admin port is asked for by localhost, by this machine's name, by an address or by a name
        that was chosen, or says none; any other name may be an attacker's page that leads here.
        """
        self.patch(socket, "gethostname", lambda: "Web1")
        self.start("--admin", "tcp:9090", "--admin-host", "Metrics.Example")
        self.factory = self.factory_on(9090)
        for host, status in (
            ("localhost:9090", 200),
            ("127.0.0.1:9090", 200),
            ("192.0.2.7:9090", 200),
            ("[2001:db8::1]:9090", 200),
            ("web1:9090", 200),
            ("metrics.example", 200),
            ("evil.example:9090", 403),
            ("localhost.evil.example", 403),
            ("192.0.2.7.evil.example", 403),
            ("web1.evil.example", 403),
        ):
            for path in ("/metrics", "/health"):
                request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
                answer = self.ask_one(request)
                self.assertEqual(answer.status, status, host)
                if status == 403:
                    self.assertNotIn(b"netlab_", answer.content)
        self.assertEqual(self.ask_one(b"GET /health HTTP/1.0\r\n\r\n").status, 200)
