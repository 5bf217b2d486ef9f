"""
Tests for L{netlab.http1.passwords.access}.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.testing import MemoryReactorClock

from netlab.http1.passwords.access import Protected
from netlab.http1.passwords.authentication import PasswordFile
from netlab.http1.resources.responses import Pages
from tests.http1.serving import (
    Client,
    FunctionResource,
    ServerTestCase,
    echo_path,
    get,
    read_answers,
)

HASH = b"$2b$04$" + b"a" * 53


def address(host: str) -> IPv4Address | IPv6Address:
    """
    Give a client's address.
    """
    return (IPv6Address if ":" in host else IPv4Address)("TCP", host, 40000)


class ThreadsReactor(MemoryReactorClock):
    """
    A reactor in memory whose threads wait until they are told to run.

    @ivar waiting: what threads are to do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Callable[[], None]] = []

    def getThreadPool(self) -> Any:
        """
        It is its own thread pool.
        """
        return self

    def callInThreadWithCallback(
        self, done: Callable[[bool, Any], None], call: Callable[..., Any], *args: Any
    ) -> None:
        """
        Let it wait.
        """
        self.waiting.append(lambda: done(True, call(*args)))

    def callFromThread(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """
        Call at once.
        """
        call(*args, **kwargs)


class ProtectedTests(ServerTestCase):
    """
    Tests for L{Protected}.
    """

    def setUp(self) -> None:
        """
        Serve behind a password.
        """
        super().setUp()
        self.threads = ThreadsReactor()
        self.checked: list[bytes] = []
        self.inner = FunctionResource(echo_path)
        passwords = PasswordFile({b"user": HASH}, self.check, b"k" * 32)
        self.serve(Protected(self.inner, passwords, Pages(), self.threads, b"the lab"))

    def check(self, password: bytes, password_hash: bytes) -> bool:
        """
        Stand in for bcrypt.
        """
        self.checked.append(password)
        return password == b"secret" and password_hash == HASH

    def ask_as(self, pair: bytes) -> Client:
        """
        Ask with a user's name and password.
        """
        client = self.connect()
        client.send(get("/a", f"Authorization: Basic {b64encode(pair).decode()}"))
        return client

    def run_threads(self) -> None:
        """
        Let all threads run.
        """
        while self.threads.waiting:
            self.threads.waiting.pop(0)()
        for client in self.clients:
            client.transport.turn()

    def status(self, client: Client) -> int:
        """
        Read the status of the only answer.
        """
        (answer,) = read_answers(client.received)
        return answer.status

    def test_no_password(self) -> None:
        """
        Without a password, or with one in another scheme, the answer is 401 and says what to show;
        the resource behind is not asked, and no thread is used.
        """
        for lines in ((), ("Authorization: Bearer x",), ("Authorization: Basic ***",)):
            answer = self.ask_one(get("/a", *lines))
            self.assertEqual(answer.status, 401)
            self.assertIn('realm="the lab"', answer.fields["WWW-Authenticate"])
        self.assertEqual((self.inner.heads, self.threads.waiting), ([], []))

    def test_right(self) -> None:
        """
        A right password is checked in a thread, and then the resource answers; next time there is
        nothing to check.
        """
        client = self.ask_as(b"user:secret")
        self.assertEqual(client.received, b"")
        self.run_threads()
        self.assertEqual(self.status(client), 200)
        self.assertEqual(self.status(self.ask_as(b"user:secret")), 200)
        self.assertEqual(self.checked, [b"secret"])

    def test_wrong(self) -> None:
        """
        A wrong password, and an unknown user's, are 401 after a check of either, each time.
        """
        for pair in (b"user:guess", b"nobody:secret", b"user:guess"):
            client = self.ask_as(pair)
            self.run_threads()
            self.assertEqual(self.status(client), 401)
        self.assertEqual(self.checked, [b"guess", b"secret", b"guess"])
        self.assertEqual(self.inner.heads, [])

    def test_flood(self) -> None:
        """
        No more than 128 guesses wait besides the two that are checked; who comes then is told to
        come again, but those who are known are let in all the same.
        """
        client = self.ask_as(b"user:secret")
        self.run_threads()
        self.assertEqual(self.status(client), 200)
        guesses = [self.ask_as(b"user:%d" % number) for number in range(130)]
        self.assertEqual(len(self.threads.waiting), 2)
        late = self.ask_as(b"user:late")
        (answer,) = read_answers(late.received)
        self.assertEqual((answer.status, answer.fields["Retry-After"]), (503, "1"))
        self.assertEqual(self.status(self.ask_as(b"user:secret")), 200)
        self.run_threads()
        self.assertEqual({self.status(guess) for guess in guesses}, {401})
        again = self.ask_as(b"user:late")
        self.run_threads()
        self.assertEqual(self.status(again), 401)

    def flood(self, host: str, attackers: Callable[[int], str]) -> int:
        """
        Let 80 connections guess on and on, each as soon as it is answered, and a client with the
        right password come among them.

        @param host: the client's address.
        @param attackers: tells the address of each connection.
        @return: how many guesses are checked before the client is in.
        """
        guesses = 0

        def guess(number: int) -> None:
            nonlocal guesses
            guesses += 1
            pair = b64encode(b"user:%d" % guesses).decode()
            connections[number].send(get("/a", f"Authorization: Basic {pair}"))

        connections = [self.connect(address(attackers(number))) for number in range(80)]
        for number in range(80):
            guess(number)
        answered = [len(each.received) for each in connections]
        for turn in range(1000):
            if turn == 100:
                client = self.connect(address(host))
                pair = b64encode(b"user:secret").decode()
                client.send(get("/a", f"Authorization: Basic {pair}"))
            self.threads.waiting.pop(0)()
            for each in self.clients:
                each.transport.turn()
            for number, each in enumerate(connections):
                if len(each.received) > answered[number]:
                    answered[number] = len(each.received)
                    guess(number)
            if turn >= 100 and client.received:
                self.assertEqual(self.status(client), 200)
                return turn - 100
        raise AssertionError("the right password was not let in")

    def test_flood_from_elsewhere(self) -> None:
        """
        While 80 connections of another address guess on, a new client with the right password is
        in after the two checks that run, and one more.
        """
        self.assertLessEqual(self.flood("192.0.2.1", lambda _: "192.0.2.66"), 3)

    def test_flood_from_a_network(self) -> None:
        """
        Of IPv6 a /64 is one peer, whichever addresses in it are used.
        """
        turns = self.flood("2001:db8:1::1", lambda number: f"2001:db8:66::{number:x}")
        self.assertLessEqual(turns, 3)

    def test_flood_from_the_same_address(self) -> None:
        """
        Behind the address that floods a client waits for those who came before it, and is in.
        """
        self.assertLessEqual(self.flood("192.0.2.66", lambda _: "192.0.2.66"), 82)

    def test_flood_from_everywhere(self) -> None:
        """
        Where each connection comes from another address, a client waits for one turn of each.
        """
        turns = self.flood("192.0.2.1", lambda number: f"198.51.100.{number}")
        self.assertLessEqual(turns, 82)

    def test_flood_of_more_than_may_wait(self) -> None:
        """
        An address that has filled the queue gives way to another one.
        """
        for number in range(200):
            self.ask_as(b"user:%d" % number)
        client = self.connect(address("192.0.2.1"))
        client.send(get("/a", f"Authorization: Basic {b64encode(b'user:secret').decode()}"))
        self.run_threads()
        self.assertEqual(self.status(client), 200)
        statuses = [self.status(each) for each in self.clients]
        self.assertEqual((statuses.count(401), statuses.count(503)), (129, 71))

    def test_client_that_goes(self) -> None:
        """
        Clients that go while their passwords are checked leave their places to others.
        """
        for _ in range(3):
            guesses = [self.ask_as(b"user:%d" % number) for number in range(32)]
            for guess in guesses:
                guess.vanish()
            self.run_threads()
        client = self.ask_as(b"user:secret")
        self.run_threads()
        self.assertEqual(self.status(client), 200)

    def test_clients_that_ask_and_go(self) -> None:
        """
        A check that runs when its client goes counts until it is over: however many ask and hang
        up, two threads are busy with them.
        """
        for number in range(100):
            self.ask_as(b"user:%d" % number).vanish()
        self.assertEqual(len(self.threads.waiting), 2)
        client = self.ask_as(b"user:secret")
        self.run_threads()
        self.assertEqual(self.status(client), 200)
        self.assertEqual(self.checked, [b"0", b"1", b"secret"])
