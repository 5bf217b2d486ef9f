"""
Tests for L{netlab.simulation.router} and L{netlab.simulation.interface}.
"""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from netlab.simulation.clock import VirtualClock
from netlab.simulation.interface import NetworkInterface
from netlab.simulation.kernelsocket import KernelSocket, SocketPhase
from netlab.simulation.network import SimulatedNetwork, join
from netlab.simulation.process import Process
from netlab.simulation.router import IPRouter, Route

_LEFT, _RIGHT = b"\2\0\0\0\1\1", b"\2\0\0\0\1\2"
_PORT = 80


class NetworkInterfaceTests(SynchronousTestCase):
    """
    Tests for L{NetworkInterface}.
    """

    def setUp(self) -> None:
        """
        Make one that sends a byte in a microsecond and has room for two frames.
        """
        self.clock = VirtualClock()
        self.sent: list[tuple[int, bytes]] = []
        self.received: list[bytes] = []
        self.interface = NetworkInterface(
            self.clock, _LEFT, self.received.append, rate=8_000_000, queue=2
        )
        self.interface.attach(lambda frame: self.sent.append((self.clock.now // 1000, frame)))

    def test_one_after_the_other(self) -> None:
        """
        Each frame leaves when the one before has been sent, with its preamble, check sequence and
        gap.
        """
        for name in (b"a", b"b", b"c"):
            self.assertTrue(self.interface.send(name * 76))
        self.clock.advance(1_000_000)
        self.assertEqual([when for when, _ in self.sent], [2, 102, 202])

    def test_full_queue(self) -> None:
        """
        What finds the queue full is lost, and counted.
        """
        taken = [self.interface.send(bytes(100)) for _ in range(5)]
        self.assertEqual(taken, [True, True, True, False, False])
        self.assertEqual((self.interface.queued, self.interface.lost), (2, 2))
        self.clock.advance(1_000_000)
        self.assertEqual(len(self.sent), 3)

    def test_detached(self) -> None:
        """
        An interface on no wire neither sends nor receives, not even what is under way.
        """
        self.interface.send(bytes(100))
        self.interface.send(bytes(100))
        self.clock.advance(2000)
        self.interface.attach(None)
        self.interface.frame_arrives(b"y")
        self.interface.send(bytes(100))
        self.clock.advance(1_000_000)
        self.assertEqual((len(self.sent), self.received), (1, []))


class IPRouterTests(SynchronousTestCase):
    """
    A client and a server with a L{IPRouter} between them, over IPv4 and IPv6.
    """

    def make(
        self,
        *,
        mtu: int = 1500,
        rate: int = 1_000_000_000,
        queue: int = 1000,
        is_black_hole: bool = False,
    ) -> SimulatedNetwork:
        """
        Make the network.

        @param mtu: of the way to the server, and so are rate and queue.
        """
        self.network = network = SimulatedNetwork()
        client = network.host("client", "10.0.1.1", "fd00:1::1", gateway=_LEFT)
        server = network.host("server", "10.0.2.1", "fd00:2::1", gateway=_RIGHT)
        self.router = router = IPRouter(network.clock, is_black_hole=is_black_hole)
        left = router.add_interface(_LEFT, socket.inet_aton("10.0.1.254"))
        right = router.add_interface(
            _RIGHT, socket.inet_aton("10.0.2.254"), mtu=mtu, rate=rate, queue=queue
        )
        for prefix, number, host in (
            (b"\x0a\0\1", 0, client),
            (b"\x0a\0\2", 1, server),
            (b"\xfd\0\0\1", 0, client),
            (b"\xfd\0\0\2", 1, server),
        ):
            router.add_route(Route(prefix, number, host.interface.address))
        join(network.clock, client.interface, left, 0.001)
        join(network.clock, server.interface, right, 0.001)
        return network

    def connect(self, address: str = "10.0.2.1") -> tuple[KernelSocket, KernelSocket]:
        """
        Connect the client to the server.
        """
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening = Process(self.network.hosts["server"], "server").open_socket(family)
        listening.bind((address, _PORT))
        listening.listen()
        client = Process(self.network.hosts["client"], "client").open_socket(family)
        client.connect_ex((address, _PORT))
        self.network.run_for(0.1)
        return client, listening.accept()[0]

    def send(self, client: KernelSocket, server: KernelSocket, size: int, within: float) -> int:
        """
        Send bytes from the client to the server.

        @return: how many came.
        """
        received = sent = 0
        for _ in range(int(within * 100)):
            if sent < size and client.is_writable:
                sent += client.send(bytes(min(size - sent, 65536)))
            while server.is_readable and (data := server.recv(1 << 20)):
                received += len(data)
            self.network.run_for(0.01)
        return received

    def test_hands_on(self) -> None:
        """
        Datagrams of both versions of IP reach the other side, with a smaller time to live and a
        header that is right.
        """
        self.make()
        for address in ("10.0.2.1", "fd00:2::1"):
            client, server = self.connect(address)
            self.assertEqual(self.send(client, server, 100_000, 2), 100_000)
        self.assertEqual(self.router.dropped, {})

    def test_no_route(self) -> None:
        """
        What goes nowhere is dropped.
        """
        network = self.make()
        client = Process(network.hosts["client"], "client").open_socket(socket.AF_INET)
        client.connect_ex(("192.0.2.1", _PORT))
        network.run_for(0.5)
        self.assertEqual(self.router.dropped, {"no route": 1})

    def test_time_to_live(self) -> None:
        """
        A datagram that has been on its way for too long goes no further.
        """
        network = self.make()
        frames: list[bytes] = []
        network.hosts["client"].interface.attach(frames.append)
        client = Process(network.hosts["client"], "client").open_socket(socket.AF_INET)
        client.connect_ex(("10.0.2.1", _PORT))
        network.run_for(0.00001)
        frame = bytearray(frames[0])
        frame[22] = 1
        self.router.interfaces[0].frame_arrives(bytes(frame))
        network.run_for(0.1)
        self.assertEqual(self.router.dropped, {"time to live": 1})

    def test_queue_grows_and_overflows(self) -> None:
        """
        Where much arrives and little leaves, the queue fills, which an observer sees, and what
        finds it full is lost; TCP repairs it.
        """
        self.make(rate=10_000_000, queue=20)
        lengths: list[int] = []
        self.router.seen = lambda now, number, frame, queued: lengths.append(queued)
        client, server = self.connect()
        self.assertEqual(self.send(client, server, 500_000, 10), 500_000)
        self.assertEqual(max(lengths), 20)
        self.assertGreater(self.router.dropped["queue full"], 0)

    def test_path_mtu(self) -> None:
        """
        A router says how large datagrams may be, and the sender makes them no larger (RFC 1191).
        """
        for address in ("10.0.2.1", "fd00:2::1"):
            self.make(mtu=1280)
            # The client learns nothing from the handshake: its own link carries 1500 bytes.
            client, server = self.connect(address)
            self.assertEqual(self.send(client, server, 50_000, 5), 50_000, address)
            self.assertGreater(self.router.dropped["too big"], 0)
            self.sizes: list[int] = []
            self.router.seen = lambda now, number, frame, queued: self.sizes.append(len(frame))
            self.send(client, server, 50_000, 2)
            self.assertEqual(max(self.sizes), 14 + 1280)

    def test_black_hole(self) -> None:
        """
        A router that says nothing lets the connection hang, although its handshake went through.
        """
        self.make(mtu=1280, is_black_hole=True)
        client, server = self.connect()
        self.assertEqual(self.send(client, server, 50_000, 5), 0)
        self.assertIs(client.phase, SocketPhase.CONNECTED)
        self.assertGreater(self.router.dropped["too big"], 2)

    def test_what_is_no_ip(self) -> None:
        """
        Nonsense is dropped.
        """
        network = self.make()
        for kind in (b"\x08\0", b"\x86\xdd", b"\x08\6"):
            self.router.interfaces[0].frame_arrives(_LEFT + bytes(6) + kind + b"x")
        network.run_for(0.1)
        self.assertEqual(self.router.dropped, {"no IP": 3})
