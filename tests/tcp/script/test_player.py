"""
Tests for L{netlab.tcp.script.player}: what it says when a script does not pass.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.script import host
from netlab.tcp.script.language.errors import (
    DifferenceError,
    NotSupportedError,
    PacketScriptError,
    ScriptSyntaxError,
)
from netlab.tcp.script.running import play_text

LISTEN = """0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 10000
+0 accept(3, ..., ...) = 4
"""


class PlayerTests(SynchronousTestCase):
    """
    Scripts that do not pass, and why.
    """

    def reason(self, kind: type[PacketScriptError], rest: str, line: int = 8) -> str:
        """
        Play what follows an accepted connection and get the reason for which it does not pass.
        """
        error: PacketScriptError = self.assertRaises(kind, play_text, LISTEN + rest)
        self.assertEqual(error.line, line)
        return error.reason

    def different(self, rest: str, line: int = 8) -> str:
        """
        The same of a script that differs.
        """
        return self.reason(DifferenceError, rest, line)

    def test_each_field(self) -> None:
        """
        The first field that differs is named, beside the segment expected and the one seen, both
        with their times.
        """
        write = "+0 write(4, ..., 100) = 100\n"
        for expected, field in (
            ("> . 1:101(100) ack 1", "flags"),
            ("> P. 2:102(100) ack 1", "sequence number"),
            ("> P. 1:100(99) ack 1", "length"),
            ("> P. 1:101(100) ack 2", "acknowledgement number"),
            ("> P. 1:101(100) ack 1 win 1", "window"),
            ("> P. 1:101(100) ack 1 <nop,nop,nop,nop>", "options"),
            ("> [ect0] P. 1:101(100) ack 1", "ECN field"),
            ("> [ttl 1] P. 1:101(100) ack 1", "time to live"),
        ):
            with self.subTest(expected=expected):
                reason = self.different(f"{write}+0 {expected}\n", 9)
                self.assertTrue(reason.startswith(f"expected {expected} at 0.100000, got > "))
                self.assertTrue(reason.endswith(f" at 0.100000: the {field} differs"), reason)

    def test_too_early_and_too_late(self) -> None:
        """
        A segment that comes at another time, by more than the tolerance, differs.
        """
        rest = "+0 write(4, ..., 100) = 100\n+.1 > P. 1:101(100) ack 1\n"
        self.assertIn("got > P. 1:101(100) ack 1 at 0.100000: more than", self.different(rest, 9))
        play_text("--tolerance_usecs=100000\n" + LISTEN + rest)
        play_text(LISTEN + rest.replace("+.1 >", "+.004 >"))
        play_text(LISTEN + rest.replace("+.1 >", "+0~+.1 >"))
        play_text(LISTEN + rest.replace("+.1 >", "* >"))

    def test_nothing_comes(self) -> None:
        """
        Waiting has an end, also for what may come at any time.
        """
        for time in "+0", "*":
            with self.subTest(time=time):
                self.assertIn("got nothing until", self.different(f"{time} > . 1:1(0) ack 1\n"))

    def test_results(self) -> None:
        """
        A call's result and error are compared; what it gives back, too.
        """
        for call, got in (
            ("write(4, ..., 100) = 99", "got 100"),
            ("shutdown(4, 7) = 0", "got -1 EINVAL"),
            ("accept(4, ..., ...) = -1 EAGAIN (no)", "got -1 EINVAL"),
            ("getsockopt(4, SOL_SOCKET, SO_ERROR, [5], [4]) = 0", "got 0"),
            ("ioctl(4, SIOCINQ, [1]) = 0", "got 0"),
            ("poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 0) = 1", "got 0x0"),
        ):
            with self.subTest(call=call):
                self.assertIn(got, self.different(f"+0 {call}\n"))

    def test_calls_that_wait(self) -> None:
        """
        A call that waits must be expected to, and return when it is expected to.
        """
        self.assertEqual(
            self.different("+0 read(4, ..., 100) = 5\n"), "read waits, and is not expected to"
        )
        late = "+0...0.1 read(4, ..., 100) = 5\n+.2 < P. 1:6(5) ack 1 win 10000\n"
        self.assertIn("expected the call to return at 0.200000", self.different(late))
        never = "+0...0.1 read(4, ..., 100) = 5\n"
        self.assertIn("it still waits", self.different(never))
        wrong = "+0...0.1 read(4, ..., 100) = 7\n+.1 < P. 1:6(5) ack 1 win 10000\n"
        self.assertIn("expected read to return 7", self.different(wrong))

    def test_python(self) -> None:
        """
        An assertion that does not hold names the figure and its value.
        """
        self.assertEqual(
            self.different("+0 %{ assert tcpi_snd_cwnd == 11 }%\n"),
            "expected tcpi_snd_cwnd == 11; tcpi_snd_cwnd is 10",
        )

    def test_one_line_is_several_segments(self) -> None:
        """
        A line longer than the MSS is what Linux leaves to its network card to cut; with
        --strict_segments it is one segment.
        """
        rest = "+0 write(4, ..., 4000) = 4000\n+0 > P. 1:4001(4000) ack 1\n"
        play_text(LISTEN + rest)
        error = self.assertRaises(DifferenceError, play_text, "--strict_segments\n" + LISTEN + rest)
        self.assertIn("> . 1:1001(1000) ack 1", error.reason)
        # What follows and is no part of it is left for the next line.
        play_text(LISTEN + rest.replace("+0 > P. 1:4001(4000)", "+0 > . 1:1001(1000)"))

    def test_timestamps(self) -> None:
        """
        Any TS val will do unless the length of a tick is given; an echo must be of one that was
        seen.
        """
        head = LISTEN.replace("<mss 1000>", "<mss 1000,nop,nop,TS val 7 ecr 0>")
        head = head.replace("<mss 1460>", "<mss 1460,nop,nop,TS val 100 ecr 7>")
        head = head.replace("win 10000", "win 10000 <nop,nop,TS val 8 ecr 100>")
        ours = "+0 write(4, ..., 1) = 1\n+0 > P. 1:2(1) ack 1 <nop,nop,TS val {} ecr 8>\n"
        tick = "--tcp_ts_tick_usecs=1000\n"
        play_text(head + ours.format(5000))
        play_text(tick + head + ours.format(200))
        self.assertRaises(DifferenceError, play_text, tick + head + ours.format(205))
        peer = "+.1 < . 1:1(0) ack 1 win 10000 <nop,nop,TS val 9 ecr 150>\n"
        error = self.assertRaises(ScriptSyntaxError, play_text, head + peer)
        self.assertIn("TS ecr 150", error.reason)
        play_text("--tcp_ts_ecr_scaled\n" + head + peer)

    def test_makes_no_sense(self) -> None:
        """
        Scripts that nobody can play, each with the line.
        """
        for rest in (
            "0.05 close(4) = 0",
            "+0 close(9) = 0",
            "+0 close(4, 5) = 0",
            "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4",
            "+0 write(4, ..., 99999999) = 1",
            "+0 read(4, ..., -1) = 1",
            "+0 poll(3, 1, 0) = 0",
            "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, [1], 4) = 0",
            "+0 recvmsg(4, 3, 0) = 0",
            "+0 sendmsg(4, {msg_iov(1)=[3]}, 0) = 0",
        ):
            with self.subTest(rest=rest):
                self.reason(ScriptSyntaxError, rest + "\n")

    def test_not_supported(self) -> None:
        """
        What is not there is said so.
        """
        for rest in (
            "+0 mmap(4) = 0",
            "+0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 5",
            "+0 socket(..., SOCK_STREAM, IPPROTO_MPTCP) = 5",
            "+0 setsockopt(4, SOL_TCP, TCP_MD5SIG, [1], 4) = 0",
            "+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [X], 4) = 0",
            "+0 getsockopt(4, SOL_TCP, TCP_ULP, [1], [4]) = 0",
            '+0 setsockopt(4, SOL_TCP, TCP_CONGESTION, "bbr", 3) = 0',
            "+0 `sysctl -q net.ipv4.tcp_congestion_control=bbr`",
            "+0 `sysctl -q net.ipv4.tcp_ecn=3`",
            "+0 < . 1:1(0) ack 1 <FO TFO_COOKIE_ZERO,nop,nop>",
            "+0 fcntl(4, F_DUPFD, 5) = 5",
            "+0 ioctl(4, SIOCATMARK, [0]) = 0",
            "+0 send(4, ..., 1, MSG_OOB) = 1",
            "+0 recv(4, ..., 1, MSG_PEEK) = 1",
            "+0 %{ assert tcpi_unheard_of }%",
            "+0 < icmp redirect [1:2(1)]",
            "+0 `rm -rf /`",
            "+0 `sysctl -q net.ipv4.tcp_sack=x`",
        ):
            with self.subTest(rest=rest):
                self.reason(NotSupportedError, rest + "\n")

    def test_work_is_bounded(self) -> None:
        """
        Timers that run out again and again do not keep the interpreter for ever.
        """
        self.patch(host, "TIMEOUTS_MAX", 500)
        rest = (
            "+0 setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0\n"
            "+0 setsockopt(4, SOL_TCP, TCP_KEEPIDLE, [1], 4) = 0\n"
            "+0 setsockopt(4, SOL_TCP, TCP_KEEPINTVL, [1], 4) = 0\n"
            "+0 setsockopt(4, SOL_TCP, TCP_KEEPCNT, [2000000000], 4) = 0\n"
            "+9999999 close(4) = 0\n"
        )
        self.assertIn("without end", self.different(rest, 12))

    def test_the_same_each_time(self) -> None:
        """
        A script gives the same twice, to the letter.
        """
        play: Callable[[], str] = lambda: self.different(  # noqa: E731
            "+0 write(4, ..., 9) = 9\n+0 > . 9:9(0) ack 1\n", 9
        )
        self.assertEqual(play(), play())


class EndsTests(SynchronousTestCase):
    """
    Both versions of IP.
    """

    def test_ipv6(self) -> None:
        """
        With IPv6 the headers are longer by 20 bytes.
        """
        play_text("--ip_version=ipv6\n" + LISTEN.replace("mss 1460", "mss 1440"))

    def test_mtu(self) -> None:
        """
        The MTU of the link can be given.
        """
        play_text("--mtu=1000\n" + LISTEN.replace("mss 1460", "mss 960"))
