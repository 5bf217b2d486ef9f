"""
Tests for L{netlab.simulation.blockingsocket}, L{netlab.simulation.waiting} and
L{netlab.simulation.modules}: what a blocking program sees.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netlab.simulation.network import SimulatedNetwork
from tests.simulation.hosts import CLIENT, PORT, SERVER, Program, two_hosts


class BlockingProgramTests(SynchronousTestCase):
    """
    Programs that wait.
    """

    def setUp(self) -> None:
        """
        Make two hosts, 10 ms apart.
        """
        self.network: SimulatedNetwork = two_hosts(0.01)
        self.programs: list[Program] = []
        self.addCleanup(self.stop)

    def stop(self) -> None:
        """
        End what still runs.
        """
        for program in self.programs:
            program.process.exit(-9)

    def start(self, host: str, function: Any) -> Program:
        """
        Start a program.
        """
        program = Program(self.network, host, function)
        self.programs.append(program)
        return program

    def assert_succeeds(self, *programs: Program, within: float = 60) -> None:
        """
        Programs end with status 0.
        """
        self.network.run_for(within)
        for program in programs:
            self.assertEqual(program.process.status, 0, program.output.decode())

    def test_echo(self) -> None:
        """
        A server that accepts and a client that connects wait for each other; each round trip takes
        the time that the cable takes.
        """

        def serve(modules: Any) -> None:
            socket = modules["socket"]
            with socket.socket() as listening:
                listening.bind((SERVER, PORT))
                listening.listen()
                connection, peer = listening.accept()
                with connection:
                    assert peer[0] == CLIENT
                    while data := connection.recv(100):
                        connection.sendall(data.upper())

        def talk(modules: Any) -> None:
            time, socket, sys = modules["time"], modules["socket"], modules["sys"]
            began = time.monotonic_ns()
            with socket.create_connection((SERVER, PORT), timeout=5) as connection:
                sys.stdout.write(f"{(time.monotonic_ns() - began) // 1_000_000}\n")
                connection.sendall(b"hello")
                sys.stdout.write(f"{connection.recv(100)}\n")
                sys.stdout.write(f"{(time.monotonic_ns() - began) // 1_000_000}\n")

        server = self.start("server", serve)
        client = self.start("client", talk)
        self.assert_succeeds(server, client)
        self.assertEqual(client.output, b"20\nb'HELLO'\n40\n")

    def test_sleep(self) -> None:
        """
        A program that sleeps wakes up at its time, to the nanosecond.
        """

        def nap(modules: Any) -> None:
            time = modules["time"]
            began = time.time_ns()
            time.sleep(1.5)
            assert time.time_ns() - began == 1_500_000_000
            time.sleep(0)

        self.assert_succeeds(self.start("client", nap), within=2)

    def test_timeouts(self) -> None:
        """
        A call takes as long as its timeout allows, and raises what Python's raises; without
        blocking it raises at once.
        """

        def serve(modules: Any) -> None:
            listening = modules["socket"].socket()
            listening.bind(("", PORT))
            listening.listen()
            modules["time"].sleep(30)

        def wait(modules: Any) -> None:
            socket, time = modules["socket"], modules["time"]
            connection = socket.create_connection((SERVER, PORT))
            connection.settimeout(2)
            began = time.monotonic()
            try:
                connection.recv(1)
            except TimeoutError as error:
                assert str(error) == "timed out"
            assert round(time.monotonic() - began, 6) == 2.0
            connection.setblocking(False)
            assert not connection.getblocking()
            try:
                connection.recv(1)
            except BlockingIOError:
                connection.setblocking(True)
            assert connection.gettimeout() is None
            nobody = socket.socket()
            nobody.settimeout(1)
            began = time.monotonic()
            try:
                nobody.connect(("10.9.9.9", 1))
            except TimeoutError as error:
                assert str(error) == "timed out"
                assert round(time.monotonic() - began, 6) == 1.0
                return
            raise AssertionError

        self.start("server", serve)
        self.assert_succeeds(self.start("client", wait))

    def test_busy_polling_takes_time(self) -> None:
        """
        A program that asks again and again whether something has come does not stop the clock.
        """

        def serve(modules: Any) -> None:
            with modules["socket"].socket() as listening:
                listening.bind(("", PORT))
                listening.listen()
                connection, _ = listening.accept()
                modules["time"].sleep(0.05)
                connection.sendall(b"x")

        def poll(modules: Any) -> None:
            connection = modules["socket"].create_connection((SERVER, PORT))
            connection.setblocking(False)
            while True:
                try:
                    assert connection.recv(1) == b"x"
                except BlockingIOError:
                    continue
                return

        self.start("server", serve)
        self.assert_succeeds(self.start("client", poll))

    def test_select(self) -> None:
        """
        C{select} waits for the first of several sockets, or for its timeout.
        """

        def serve(modules: Any) -> None:
            socket, select = modules["socket"], modules["select"]
            listening = socket.socket()
            listening.bind(("", PORT))
            listening.listen()
            assert select.select([listening], [], [], 0) == ([], [], [])
            ready, _, _ = select.select([listening], [], [])
            assert ready == [listening]
            connection, _ = listening.accept()
            ready, writable, _ = select.select([listening, connection], [connection], [], 1)
            assert (ready, writable) == ([], [connection])
            assert select.select([connection], [], [], 5)[0] == [connection]
            assert connection.recv(10) == b"late"

        def talk(modules: Any) -> None:
            with modules["socket"].create_connection((SERVER, PORT)) as connection:
                modules["time"].sleep(3)
                connection.sendall(b"late")

        self.assert_succeeds(self.start("server", serve), self.start("client", talk))

    def test_refused_and_reset(self) -> None:
        """
        What goes wrong raises the exception and the error number that it has on Linux.
        """

        def knock(modules: Any) -> None:
            socket = modules["socket"]
            try:
                socket.create_connection((SERVER, PORT))
            except ConnectionRefusedError:
                assert socket.socket().connect_ex((SERVER, PORT)) == 111
                return
            raise AssertionError

        self.assert_succeeds(self.start("client", knock))

    def test_makefile(self) -> None:
        """
        A connection can be read and written as a file, which keeps it open.
        """

        def serve(modules: Any) -> None:
            socket = modules["socket"]
            listening = socket.socket()
            listening.bind(("", PORT))
            listening.listen()
            connection, _ = listening.accept()
            with connection.makefile("rwb") as file:
                connection.close()
                for line in file:
                    file.write(line.upper())
                    file.flush()

        def talk(modules: Any) -> None:
            with modules["socket"].create_connection((SERVER, PORT)) as connection:
                connection.sendall(b"one\ntwo\n")
                with connection.makefile("rb") as file:
                    assert file.readline() + file.readline() == b"ONE\nTWO\n"

        self.assert_succeeds(self.start("server", serve), self.start("client", talk))

    def test_standard_input(self) -> None:
        """
        A program waits for a line, and for the end, of what it is given.
        """

        def read(modules: Any) -> None:
            sys = modules["sys"]
            sys.stdout.write(sys.stdin.readline())
            sys.stdout.write(sys.stdin.read())

        program = self.start("client", read)
        self.network.run_for(1)
        program.standard_input.feed(b"one\ntw")
        self.network.run_for(1)
        self.assertEqual(program.output, b"one\n")
        program.standard_input.feed(b"o")
        program.standard_input.end()
        self.assert_succeeds(program)
        self.assertEqual(program.output, b"one\ntwo")

    def test_exit(self) -> None:
        """
        A program ends with the status that it says, and 1 with the traceback of an exception; its
        connections are closed then.
        """

        def leave(modules: Any) -> None:
            modules["sys"].exit(7)

        def fail(modules: Any) -> None:
            raise RuntimeError("no way")

        one, other = self.start("client", leave), self.start("client", fail)
        self.network.run_for(1)
        self.assertEqual((one.process.status, other.process.status), (7, 1))
        self.assertTrue(other.output.endswith(b"RuntimeError: no way\n"))
        self.assertEqual(self.network.hosts["client"].descriptors, {})

    def test_signal(self) -> None:
        """
        A signal ends a program where it waits, and its connection with it.
        """

        def serve(modules: Any) -> None:
            listening = modules["socket"].socket()
            listening.bind(("", PORT))
            listening.listen()
            assert listening.accept()[0].recv(1) == b""

        def wait(modules: Any) -> None:
            try:
                connection = modules["socket"].create_connection((SERVER, PORT))
                connection.recv(1)
            except Exception:  # noqa: BLE001, what a program may do
                modules["sys"].stdout.write("caught")

        server = self.start("server", serve)
        client = self.start("client", wait)
        self.network.run_for(1)
        client.process.signal(15)
        self.assertEqual((client.process.status, client.output), (-15, b""))
        self.assert_succeeds(server)

    def test_what_cannot_be_simulated(self) -> None:
        """
        What would reach out of the simulation is refused in one line, that says what to do.
        """

        def reach_out(modules: Any) -> None:
            modules["socket"].socketpair()

        program = self.start("client", reach_out)
        self.network.run_for(1)
        self.assertEqual(program.process.status, 1)
        self.assertIn(b"socket.socketpair cannot be simulated", program.output)
        self.assertIn(b"--isolation", program.output)

    def test_what_does_not_act_is_the_librarys(self) -> None:
        """
        Constants and functions that only compute are there, also those that only Linux has.
        """

        def look(modules: Any) -> None:
            socket = modules["socket"]
            assert socket.inet_aton("10.0.0.1") == bytes((10, 0, 0, 1))
            assert socket.TCP_QUICKACK > 0
            assert socket.gethostbyname("server") == SERVER
            assert socket.gethostname() == "client"
            assert [one[4] for one in socket.getaddrinfo("server", 80)] == [
                (SERVER, 80),
                ("fd00::2", 80, 0, 0),
            ]

        self.assert_succeeds(self.start("client", look))
