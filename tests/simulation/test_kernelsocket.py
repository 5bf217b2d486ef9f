"""
Tests for L{netlab.simulation.kernelsocket} and L{netlab.simulation.kernel}.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from netlab.simulation.kernelsocket import KernelSocket, SocketPhase
from netlab.simulation.process import Process
from tests.simulation.hosts import CLIENT, PORT, SERVER, connected_pair, two_hosts


class KernelSocketTests(SynchronousTestCase):
    """
    Tests for L{KernelSocket}.
    """

    def setUp(self) -> None:
        """
        Make two hosts.
        """
        self.network = two_hosts()
        self.client = Process(self.network.hosts["client"], "client")
        self.server = Process(self.network.hosts["server"], "server")

    def assert_error(self, number: int, call: Callable[[], object]) -> None:
        """
        A call fails with an error number.
        """
        error = self.assertRaises(OSError, call)
        self.assertEqual(errno.errorcode[error.errno or 0], errno.errorcode[number])

    def new(self, process: Process) -> KernelSocket:
        """
        Make a socket.
        """
        return process.open_socket(socket.AF_INET)

    def test_connect_and_talk(self) -> None:
        """
        A connection is under way until its handshake is complete; then bytes go both ways.
        """
        listening = self.new(self.server)
        listening.bind((SERVER, PORT))
        listening.listen(5)
        self.assert_error(errno.EWOULDBLOCK, listening.accept)
        client = self.new(self.client)
        self.assertEqual(client.connect_ex((SERVER, PORT)), errno.EINPROGRESS)
        self.assertEqual(client.connect_ex((SERVER, PORT)), errno.EALREADY)
        self.assertFalse(client.is_writable)
        self.network.run_for(0.01)
        self.assertEqual(client.connect_ex((SERVER, PORT)), errno.EISCONN)
        accepted, address = listening.accept()
        self.assertEqual(address, client.getsockname())
        self.assertEqual(accepted.getsockname(), (SERVER, PORT))
        self.assertEqual(client.getpeername(), (SERVER, PORT))
        self.assert_error(errno.EWOULDBLOCK, lambda: accepted.recv(10))
        self.assertEqual(client.send(b"hello"), 5)
        self.network.run_for(0.01)
        self.assertTrue(accepted.is_readable)
        self.assertEqual(accepted.recv(3), b"hel")
        self.assertEqual(accepted.recv(10), b"lo")

    def test_refused(self) -> None:
        """
        Where nobody listens a connection is refused; the error is told once.
        """
        client = self.new(self.client)
        client.connect_ex((SERVER, PORT))
        self.network.run_for(0.01)
        self.assertTrue(client.is_writable)
        read = client.getsockopt
        self.assertEqual(read(socket.SOL_SOCKET, socket.SO_ERROR), errno.ECONNREFUSED)
        self.assertEqual(read(socket.SOL_SOCKET, socket.SO_ERROR), 0)

    def test_end_of_stream(self) -> None:
        """
        After the peer's FIN what has come is read, then nothing; the other way is still open.
        """
        client, server = connected_pair(self.network)
        client.send(b"last")
        client.shutdown(socket.SHUT_WR)
        self.assert_error(errno.EPIPE, lambda: client.send(b"more"))
        self.network.run_for(0.1)
        self.assertEqual([server.recv(10), server.recv(10)], [b"last", b""])
        server.send(b"answer")
        self.network.run_for(0.1)
        self.assertEqual(client.recv(10), b"answer")

    def test_reset(self) -> None:
        """
        To linger for no time resets the connection: the peer is told once, then its stream is over.
        """
        client, server = connected_pair(self.network)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        self.network.run_for(0.1)
        self.assertTrue(server.is_readable)
        self.assert_error(errno.ECONNRESET, lambda: server.recv(10))
        self.assertEqual(server.recv(10), b"")
        self.assert_error(errno.EPIPE, lambda: server.send(b"x"))

    def test_unread_bytes_reset(self) -> None:
        """
        A socket that is closed with bytes unread resets its connection (RFC 1122 section
        4.2.2.13).
        """
        client, server = connected_pair(self.network)
        client.send(b"unread")
        self.network.run_for(0.1)
        server.close()
        self.network.run_for(0.1)
        self.assert_error(errno.ECONNRESET, lambda: client.recv(10))

    def test_send_buffer_is_bounded(self) -> None:
        """
        A peer that does not read stops the sender, and one that reads again lets it go on.
        """
        client, server = connected_pair(self.network)
        changes: list[None] = []
        sent = 0

        def fill() -> None:
            nonlocal sent
            while True:
                sent += client.send(bytes(65536))

        for _ in range(100):
            self.assert_error(errno.EWOULDBLOCK, fill)
            self.network.run_for(0.05)
        self.assertLess(sent, 16 << 20)
        self.assertFalse(client.is_writable)
        client.changed = lambda: changes.append(None)
        received = 0
        while server.is_readable:
            received += len(server.recv(1 << 20))
            self.network.run_for(1)
        self.assertEqual(received, sent)
        self.assertTrue(client.is_writable)
        self.assertTrue(changes)

    def test_addresses(self) -> None:
        """
        A socket can be bound to addresses of its host alone, and to a port that nobody has.
        """
        one, other = self.new(self.client), self.new(self.client)
        self.assert_error(errno.EADDRNOTAVAIL, lambda: one.bind((SERVER, PORT)))
        one.bind((CLIENT, PORT))
        self.assert_error(errno.EINVAL, lambda: one.bind((CLIENT, PORT)))
        self.assert_error(errno.EADDRINUSE, lambda: other.bind(("", PORT)))
        one.close()
        other.bind(("", PORT))
        other.listen()
        third = self.new(self.client)
        third.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.assert_error(errno.EADDRINUSE, lambda: third.bind((CLIENT, PORT)))
        self.assertRaises(OverflowError, third.bind, (CLIENT, 65536))

    def test_time_wait_keeps_the_ports(self) -> None:
        """
        The end that closes first cannot connect from the same port for a minute (RFC 9293 section
        3.6.1).
        """
        listening = self.new(self.server)
        listening.bind(("", PORT))
        listening.listen()

        def connect() -> KernelSocket:
            client = self.new(self.client)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind(("", 50000))
            number = client.connect_ex((SERVER, PORT))
            if number != errno.EINPROGRESS:
                raise OSError(number, "no")
            return client

        client = connect()
        self.network.run_for(0.1)
        server, _ = listening.accept()
        client.close()
        self.network.run_for(0.1)
        server.close()
        self.network.run_for(0.1)
        self.assert_error(errno.EADDRNOTAVAIL, connect)
        self.network.run_for(61)
        self.assertIs(connect().phase, SocketPhase.CONNECTING)

    def test_closed(self) -> None:
        """
        Nothing can be done with a socket that is closed but closing it.
        """
        one = self.new(self.client)
        self.assertIn(one.fileno(), self.network.hosts["client"].descriptors)
        one.close()
        one.close()
        self.assertEqual(one.fileno(), -1)
        self.assertEqual(self.network.hosts["client"].descriptors, {})
        self.assert_error(errno.EBADF, lambda: one.recv(1))
        self.assert_error(errno.EBADF, lambda: one.bind(("", 0)))

    def test_no_such_option(self) -> None:
        """
        An option that a simulated host does not have is refused, not passed over.
        """
        one = self.new(self.client)
        self.assert_error(errno.ENOPROTOOPT, lambda: one.setsockopt(socket.SOL_SOCKET, 54321, 1))

    def test_tcp_info(self) -> None:
        """
        TCP_INFO says how much the peer has acknowledged, where linux/tcp.h has it.
        """
        client, _ = connected_pair(self.network)
        client.send(b"x" * 1000)
        self.network.run_for(0.1)
        info = client.getsockopt(socket.IPPROTO_TCP, 11, 256)
        self.assertEqual(info[0], 1)
        acknowledged = struct.unpack_from("=Q", info, 8 + 24 * 4 + 2 * 8)[0]
        self.assertEqual(acknowledged, 1001)

    def test_power_off(self) -> None:
        """
        A host without power sends nothing, whatever becomes of its programs.
        """
        client, server = connected_pair(self.network)
        self.network.hosts["server"].power_off()
        server.close()
        client.send(b"hello?")
        self.network.run_for(0.1)
        self.assertFalse(client.is_readable)


class KernelTests(SynchronousTestCase):
    """
    Tests for L{netlab.simulation.kernel.Kernel}.
    """

    def test_loopback(self) -> None:
        """
        A host reaches itself, by its own address and by that of loopback, and its interface sends
        nothing.
        """
        network = two_hosts()
        process = Process(network.hosts["client"], "both")
        frames: list[bytes] = []
        network.hosts["client"].interface.attach(frames.append)
        for address in ("127.0.0.1", CLIENT):
            listening = process.open_socket(socket.AF_INET)
            listening.bind((address, PORT))
            listening.listen()
            client = process.open_socket(socket.AF_INET)
            client.connect_ex((address, PORT))
            network.run_for(0.1)
            self.assertEqual(client.getsockname()[0], address)
            self.assertEqual(listening.accept()[0].getpeername(), client.getsockname())
        self.assertEqual(frames, [])

    def test_names(self) -> None:
        """
        A host knows the others by name.
        """
        kernel = two_hosts().hosts["client"]
        self.assertEqual(kernel.look_up("server", socket.AF_INET), SERVER)
        self.assertEqual(kernel.look_up("server", socket.AF_INET6), "fd00::2")
        self.assertEqual(kernel.look_up("192.0.2.1", socket.AF_INET), "192.0.2.1")
        self.assertRaises(socket.gaierror, kernel.look_up, "nobody", socket.AF_INET)

    def test_foreign_and_broken_frames(self) -> None:
        """
        What is for somebody else, or for an address that the host does not have, or damaged, does
        not reach its TCP.
        """
        network = two_hosts()
        one, other = network.hosts["client"], network.hosts["server"]
        frames: list[bytes] = []
        one.interface.attach(frames.append)
        Process(one, "client").open_socket(socket.AF_INET).connect_ex((SERVER, PORT))
        network.run_for(0.00001)
        frame = frames[0]
        answers: list[bytes] = []
        other.interface.attach(answers.append)
        for broken in (
            bytes(6) + frame[6:],
            frame[:33] + b"\x63" + frame[34:],
            frame[:-1] + b"\xff",
            frame[:20],
            b"",
        ):
            other.interface.frame_arrives(broken)
            network.run_for(0.01)
            self.assertEqual(answers, [], broken)
        other.interface.frame_arrives(frame)
        network.run_for(0.01)
        self.assertEqual(len(answers), 1)
