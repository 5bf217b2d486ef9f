"""
One host's TCP: connections and listeners by their addresses, and one deadline for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush, heapreplace
from typing import Final, final

from netlab.capture import options as reading
from netlab.tcp import ending, handshake, icmp, timewait
from netlab.tcp.congestion import choice
from netlab.tcp.connection import TCPConnection
from netlab.tcp.fastopen import FastOpen
from netlab.tcp.icmp import ICMPMessage
from netlab.tcp.isn import Address, Secrets
from netlab.tcp.listener import TCPListener
from netlab.tcp.receiving import delivery
from netlab.tcp.segment import ACK, RST, SYN, Outgoing, Reason, TCPSegment
from netlab.tcp.sending.optionwriting import OPTIONS_MAX_BYTES
from netlab.tcp.sending.pathmtu import PathMTUs
from netlab.tcp.sequence import MASK, unwrap
from netlab.tcp.settings import FASTOPEN_SERVER_ALWAYS, Settings
from netlab.tcp.states import Occurrence, TCPState
from netlab.tcp.timers import NANOSECONDS, NEVER

ANY: Final = b""
"""As a listener's address: any of the host's."""

_Key = tuple[bytes, int, bytes, int]


class AddressInUseError(Exception):
    """
    The addresses and ports belong to another listener or connection.
    """


@final
class Stack:
    """
    The TCP of a host. Whatever calls a method of it, or of a connection or listener of it, is then
    to drain L{packets_to_send} and the connections' events, and to call L{timeout} at L{deadline}.
    """

    def __init__(
        self,
        addresses: Iterable[bytes],
        settings: Settings,
        secret: bytes,
        draw: Callable[[], float],
    ) -> None:
        """
        @param addresses: of this host, of 4 or 16 bytes each.
        @param secret: the key of all numbers that nobody shall guess: 16 to 64 bytes.
        @param draw: gives a number from 0 to 1, below 1: for ephemeral ports.
        """
        self.addresses = tuple(addresses)
        self.settings = settings
        self._secrets = Secrets(secret)
        self._draw = draw
        self._connections: dict[_Key, TCPConnection] = {}
        self._listeners: dict[Address, TCPListener] = {}
        self._waiting: dict[TCPConnection, None] = {}
        self._fast_open = FastOpen(settings, self._secrets)
        self._paths = PathMTUs()
        self._half_open: dict[TCPConnection, TCPListener] = {}
        self._awake: list[TCPConnection] = []
        self._outbox: list[Outgoing] = []
        self._deadlines: list[tuple[int, int, TCPConnection]] = []
        self._serial = 0
        self._challenge_second = -1
        self._challenges = 0

    # What a program does.

    def listen(self, now: int, local: Address, backlog: int) -> TCPListener:
        """
        Wait for connections.

        @param local: an address of the host or L{ANY}, and a port; 0 chooses one.
        @raise AddressInUseError: there is a listener already.
        """
        address, port = local
        if port == 0:
            port = self._ephemeral_port(lambda port: (address, port) not in self._listeners)
        if (address, port) in self._listeners:
            raise AddressInUseError(f"port {port} has a listener already")
        listener = TCPListener((address, port), backlog, self._stop_listening)
        self._listeners[address, port] = listener
        return listener

    def connect(
        self,
        now: int,
        remote: Address,
        local: Address | None = None,
        settings: Settings | None = None,
    ) -> TCPConnection:
        """
        Open a connection: its SYN is sent.

        @param local: C{None}, or a port of 0, chooses a port; an address of L{ANY} the host's first
            of the same version of IP.
        @param settings: of this connection; the host's by default.
        @raise AddressInUseError: there is a connection between the same addresses and ports.
        """
        connection = self.prepare(now, remote, local, settings)
        self.open(now, connection)
        return connection

    def connect_with_data(
        self,
        now: int,
        remote: Address,
        data: bytes,
        local: Address | None = None,
        prepare: Callable[[TCPConnection], None] | None = None,
    ) -> tuple[TCPConnection, int]:
        """
        Open a connection with data in its SYN, if the settings allow it and the server has given us
        a cookie; else ask for one, if they allow that (RFC 7413).

        @param prepare: called with the connection before its SYN is made, to set its options.
        @return: also how many bytes were taken; the others are to be written.
        """
        connection = self.prepare(now, remote, local)
        if prepare is not None:
            prepare(connection)
        cookie = self._fast_open.cookie_for(remote[0])
        connection.fast_open_cookie = cookie
        taken = b""
        if self._fast_open.sends_data(cookie):
            mss = self._fast_open.mss(remote[0], connection.mss)
            mss = min(mss, self.settings.mtu - connection.overhead)
            taken = data[: max(mss - OPTIONS_MAX_BYTES, 0)]
        self.open(now, connection, taken)
        return connection, len(taken)

    def knows_cookie(self, peer: bytes) -> bool:
        """
        Tell whether L{connect_with_data} would send data with the SYN.
        """
        return self._fast_open.sends_data(self._fast_open.cookie_for(peer))

    def prepare(
        self,
        now: int,
        remote: Address,
        local: Address | None = None,
        settings: Settings | None = None,
    ) -> TCPConnection:
        """
        Make a connection that L{open} opens, after its options have been set. See L{connect}.
        """
        address, port = local or (ANY, 0)
        if address == ANY:
            address = next(own for own in self.addresses if len(own) == len(remote[0]))
        if port == 0:
            port = self._ephemeral_port(
                lambda port: (
                    self._is_free(now, (address, port, *remote))
                    and (address, port) not in self._listeners
                    and (ANY, port) not in self._listeners
                )
            )
        key = (address, port, *remote)
        if not self._is_free(now, key):
            raise AddressInUseError(f"port {port} is connected to that address already")
        return self._make(key, settings or self.settings)

    def open(self, now: int, connection: TCPConnection, early_data: bytes = b"") -> None:
        """
        Send the SYN of a connection that L{prepare} made.
        """
        old = self._connections.get((*connection.local, *connection.remote))
        iss = None
        if old is not None:
            # Its TIME-WAIT ends here; its numbers and timestamps go on (RFC 6191).
            iss = old.snd_nxt + timewait.ISS_STEP
            self._forget(old)
        connection.path_mtu = self._paths.mtu(connection.remote[0], self.settings.mtu, now)
        handshake.offer(connection)
        connection.move(Occurrence.ACTIVE_OPEN)
        self._begin(now, connection, iss, early_data)

    @property
    def connections(self) -> int:
        """
        How many there are, in any state.
        """
        return len(self._connections)

    # What the network and time do.

    def packet_arrives(
        self, now: int, source: bytes, destination: bytes, segment: TCPSegment, ecn: int = 0
    ) -> None:
        """
        Take a segment whose checksum is right.

        @param source: the IP source address.
        @param destination: the IP destination address.
        @param ecn: the ECN bits of the IP header.
        """
        key = (destination, segment.destination_port, source, segment.source_port)
        connection = self._connections.get(key)
        if connection is None:
            self._arrives_unknown(now, key, segment)
            return
        if connection.state is TCPState.TIME_WAIT and segment.flags & SYN:
            listener = self._listener_of(key)
            if listener is not None and _is_new(connection, segment):
                self._forget(connection)
                iss = connection.snd_nxt + timewait.ISS_STEP
                self._syn_arrives(now, key, listener, segment, iss)
                return
        listener = self._half_open.get(connection) if self._half_open else None
        if listener is not None and listener.is_full and not segment.flags & (RST | SYN):
            # The peer believes that it is connected; it will send again (as in Linux).
            if self.settings.tcp_abort_on_overflow:
                self._outbox.append(_reset_for(key, segment, self.settings.ip_default_ttl))
                ending.end(connection)
            return
        was_opening = connection.state is TCPState.SYN_SENT
        connection.segment_arrives(now, segment, ecn)
        if was_opening and connection.fast_open_cookie:
            self._fast_open.remember(
                source, connection.fast_open_cookie, connection.negotiated.peer_mss
            )
        if not connection.is_awake:
            connection.is_awake = True
            self._awake.append(connection)
        if listener is not None and connection.state is not TCPState.SYN_RECEIVED:
            self._leave_half_open(connection, listener)

    def icmp_arrives(
        self,
        now: int,
        message: ICMPMessage,
        source: bytes,
        source_port: int,
        destination: bytes,
        destination_port: int,
        seq: int,
        mtu: int = 0,
    ) -> None:
        """
        Take an ICMP message that quotes a segment of ours.

        @param source: the quoted packet's IP source address, one of ours.
        @param seq: the quoted segment's sequence number.
        @param mtu: the next link's, with L{ICMPMessage.TOO_BIG}.
        """
        connection = self._connections.get((source, source_port, destination, destination_port))
        if connection is not None:
            icmp.message_arrives(connection, now, message, seq, mtu)
            if connection.path_mtu < self.settings.mtu:
                self._paths.note(destination, connection.path_mtu, now)

    @property
    def deadline(self) -> int | None:
        """
        When L{timeout} is to be called next.
        """
        deadlines = self._deadlines
        while deadlines:
            at, serial, connection = deadlines[0]
            if connection.registered_at != at:
                heappop(deadlines)
                continue
            true = connection.timers.deadline
            if true == at:
                return at
            if true == NEVER:
                connection.registered_at = NEVER
                heappop(deadlines)
            else:
                connection.registered_at = true
                heapreplace(deadlines, (true, serial, connection))
        return None

    def timeout(self, now: int) -> None:
        """
        Do what is due for each connection whose deadline has come.
        """
        while (deadline := self.deadline) is not None and deadline <= now:
            _, _, connection = heappop(self._deadlines)
            connection.registered_at = NEVER
            connection.timeout(now)
            self._wake(connection)
            self._register(connection)

    def packets_to_send(self, now: int) -> list[Outgoing]:
        """
        Make what is to be sent now, and hand it over.
        """
        outbox, self._outbox = self._outbox, []
        awake = self._awake
        if awake:
            self._awake = []
            for connection in awake:
                connection.is_awake = False
                outbox += connection.segments_to_send(now)
                state = connection.state
                if state is TCPState.CLOSED:
                    self._forget(connection)
                elif state is TCPState.TIME_WAIT:
                    self._wait(connection)
                if connection.timers.deadline < connection.registered_at:
                    self._register(connection)
        return outbox

    def change_settings(self, settings: Settings) -> None:
        """
        Take other settings, for connections that are opened from now on.
        """
        self.settings = settings
        self._fast_open.settings = settings

    # The parts of that.

    def _make(self, key: _Key, settings: Settings) -> TCPConnection:
        connection = TCPConnection(
            (key[0], key[1]),
            (key[2], key[3]),
            settings,
            choice.make(settings.tcp_congestion_control),
            lambda: self._wake(connection),
            self._may_challenge,
        )
        if settings.tcp_timestamps == 1:
            connection.ts_offset = self._secrets.timestamp_offset(
                connection.local, connection.remote
            )
        return connection

    def _begin(
        self, now: int, connection: TCPConnection, iss: int | None = None, early_data: bytes = b""
    ) -> None:
        local, remote = connection.local, connection.remote
        self._connections[*local, *remote] = connection
        if iss is None:
            iss = self._secrets.initial_sequence_number(now, local, remote)
        handshake.begin(connection, now, iss & MASK, early_data)

    def _is_free(self, now: int, key: _Key) -> bool:
        connection = self._connections.get(key)
        if connection is None:
            return True
        return connection.state is TCPState.TIME_WAIT and timewait.may_be_reused(connection, now)

    def _listener_of(self, key: _Key) -> TCPListener | None:
        return self._listeners.get(key[:2]) or self._listeners.get((ANY, key[1]))

    def _wake(self, connection: TCPConnection) -> None:
        if not connection.is_awake:
            connection.is_awake = True
            self._awake.append(connection)

    def _register(self, connection: TCPConnection) -> None:
        at = connection.timers.deadline
        if at < connection.registered_at:
            connection.registered_at = at
            self._serial += 1
            heappush(self._deadlines, (at, self._serial, connection))

    def _forget(self, connection: TCPConnection) -> None:
        key = (*connection.local, *connection.remote)
        if self._connections.get(key) is connection:
            del self._connections[key]
        self._waiting.pop(connection, None)
        connection.timers.stop_all()
        listener = self._half_open.get(connection)
        if listener is not None:
            self._leave_half_open(connection, listener)

    def _wait(self, connection: TCPConnection) -> None:
        """
        Count a connection in TIME-WAIT; if there are too many, this one ends at once (as in Linux).
        """
        if connection not in self._waiting:
            if len(self._waiting) >= self.settings.tcp_max_tw_buckets:
                ending.end(connection)
                self._forget(connection)
            else:
                self._waiting[connection] = None

    def _leave_half_open(self, connection: TCPConnection, listener: TCPListener) -> None:
        del self._half_open[connection]
        listener.half_open.pop(connection, None)
        if connection.is_early:
            listener.early -= 1
        elif connection.state is not TCPState.CLOSED:
            listener.enqueue(connection)

    def _arrives_unknown(self, now: int, key: _Key, segment: TCPSegment) -> None:
        """
        Take a segment of no connection (RFC 9293 sections 3.10.7.1 and 3.10.7.2).
        """
        flags = segment.flags
        if flags & RST:
            return
        listener = self._listener_of(key)
        if listener is None or flags & ACK:
            self._outbox.append(_reset_for(key, segment, self.settings.ip_default_ttl))
        elif flags & SYN:
            self._syn_arrives(now, key, listener, segment)

    def _syn_arrives(
        self,
        now: int,
        key: _Key,
        listener: TCPListener,
        segment: TCPSegment,
        iss: int | None = None,
    ) -> None:
        if listener.is_full or len(listener.half_open) >= self.settings.tcp_max_syn_backlog:
            # Nothing is said, so that the peer tries again (RFC 4987 section 3).
            return
        options = reading.parse(segment.options)
        connection = self._make(key, self.settings)
        connection.is_passive = True
        connection.path_mtu = self._paths.mtu(connection.remote[0], self.settings.mtu, now)
        if listener.prepare is not None:
            listener.prepare(connection)
        handshake.offer(connection)
        handshake.syn_arrives(connection, now, segment, options)
        connection.move(Occurrence.PASSIVE_OPEN)
        connection.move(Occurrence.SYN_ARRIVES)
        takes_data = False
        most = listener.fast_open
        if self.settings.tcp_fastopen & FASTOPEN_SERVER_ALWAYS:
            most = most or listener.backlog + 1
        if most and self._fast_open.is_server():
            cookie = options.fast_open
            connection.fast_open_cookie = self._fast_open.answer(key[0], key[2], cookie)
            takes_data = (
                (bool(segment.payload) or cookie is not None)
                and listener.early < most
                and self._fast_open.accepts(key[0], key[2], cookie)
            )
        self._half_open[connection] = listener
        listener.half_open[connection] = None
        if takes_data:
            delivery.early_data_arrives(connection, segment.payload)
            listener.early += 1
            listener.enqueue(connection)
        self._begin(now, connection, iss)

    def _stop_listening(self, listener: TCPListener, now: int) -> None:
        del self._listeners[listener.local]
        for connection in list(listener.half_open):
            # Of one with data from its SYN the peer believes more than of others.
            if not connection.is_early:
                ending.end(connection)
        while (waiting := listener.accept()) is not None:
            waiting.abort(now)

    def _ephemeral_port(self, is_free: Callable[[int], bool]) -> int:
        low, high = self.settings.ip_local_port_range
        count = high - low + 1
        first = int(self._draw() * count)
        for offset in range(count):
            port = low + (first + offset) % count
            if is_free(port):
                return port
        raise AddressInUseError("every ephemeral port is in use")

    def _may_challenge(self, now: int) -> bool:
        """
        Count a challenge ACK (RFC 5961 section 7).
        """
        second = now // NANOSECONDS
        if second != self._challenge_second:
            self._challenge_second, self._challenges = second, 0
        self._challenges += 1
        return self._challenges <= self.settings.tcp_challenge_ack_limit


def _is_new(connection: TCPConnection, segment: TCPSegment) -> bool:
    """
    Does a SYN open a connection in place of one in TIME-WAIT?
    """
    times = reading.parse(segment.options).timestamps
    seq = unwrap(segment.seq, connection.received.nxt)
    return timewait.may_be_replaced(connection, segment, seq, times[0] if times else None)


def _reset_for(key: _Key, segment: TCPSegment, ttl: int) -> Outgoing:
    """
    Answer a segment of no connection so that its sender believes the answer (RFC 9293 section
    3.10.7.1).
    """
    local, local_port, remote, remote_port = key
    if segment.flags & ACK:
        seq, ack, flags = segment.ack, 0, RST
    else:
        seq, ack, flags = 0, (segment.seq + segment.seglen) & MASK, RST | ACK
    reset = TCPSegment(local_port, remote_port, seq, ack, flags, 0)
    return Outgoing(local, remote, reset, Reason.RESET, ttl=ttl)
