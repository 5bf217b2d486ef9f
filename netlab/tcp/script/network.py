"""
The two ends of a script: the machine's addresses and the script's, and the connection between them
that the script is about.
"""

from __future__ import annotations

import ipaddress
from functools import partial
from typing import Final

from netlab.tcp.connection import TCPConnection
from netlab.tcp.script.host import ScriptHost
from netlab.tcp.script.mapping import FlowPhase, ScriptFlow
from netlab.tcp.script.socketoptions import apply_option, change_congestion_control
from netlab.tcp.script.sockets import ScriptSocket
from netlab.tcp.segment import Outgoing

#: The addresses that the kernel's scripts are run with, by version of IP.
_ADDRESSES: Final = {
    4: ("192.168.0.1", "192.0.2.1"),
    6: ("fd3d:a0b:17d6::1", "fd3d:fa7b:d17d::1"),
}

#: The port of both ends that have a fixed one, and the first of the script's other end.
SERVICE_PORT: Final = 8080
_REMOTE_PORT_FIRST: Final = 40_000


def ends(version: int) -> tuple[bytes, bytes]:
    """
    Get the machine's address and that of the script's side.

    @param version: of IP, 4 or 6.
    """
    local, remote = _ADDRESSES[version]
    return ipaddress.ip_address(local).packed, ipaddress.ip_address(remote).packed


class ScriptNetwork:
    """
    Which connection a script is about: that of the socket made last, or accepted from it.

    @ivar flow: that connection, as the script counts.
    """

    def __init__(self, host: ScriptHost, version: int) -> None:
        self._host = host
        self._local, self._remote = ends(version)
        self._remote_port = _REMOTE_PORT_FIRST
        self.flow: ScriptFlow | None = None

    def socket_made(self) -> None:
        """
        Let the script be about a new socket, which has no connection yet.
        """
        self.flow = None

    def listen(self, socket: ScriptSocket, backlog: int) -> None:
        """
        Have a socket listen; once more changes its backlog.
        """
        if socket.listener is None:
            socket.listener = self._host.stack.listen(
                self._host.now, (self._local, SERVICE_PORT), backlog
            )
            socket.listener.prepare = partial(self._set_options, socket)
        socket.listener.backlog = backlog
        socket.listener.fast_open = socket.options.get("TCP_FASTOPEN", 0)
        self.flow = ScriptFlow((self._local, SERVICE_PORT), (self._remote, 0))
        self.flow.phase = FlowPhase.LISTENING

    def syn_from_outside(self, port: int | None) -> ScriptFlow:
        """
        Begin a connection that the script's side opens.

        @param port: of the script's side, where the script names it.
        """
        if port is None:
            self._remote_port += 1
            port = self._remote_port
        self.flow = ScriptFlow((self._local, SERVICE_PORT), (self._remote, port))
        self.flow.phase = FlowPhase.SYN_RECEIVED
        return self.flow

    def connect(self, socket: ScriptSocket, data: bytes | None = None) -> int:
        """
        Open a connection from a socket.

        @param data: to be sent with the SYN, if fast open allows it; C{None} if the program does
            not ask for that.
        @return: how many bytes of the data have been taken.
        """
        stack, now = self._host.stack, self._host.now
        remote = self._remote, SERVICE_PORT
        local = self._local, SERVICE_PORT if socket.is_bound else 0
        prepare = partial(self._set_options, socket)
        if data is None:
            taken = 0
            connection = stack.prepare(now, remote, local)
            prepare(connection)
            stack.open(now, connection)
        else:
            connection, taken = stack.connect_with_data(now, remote, data, local, prepare)
        socket.connection = connection
        self.flow = ScriptFlow(connection.local, connection.remote)
        self._host.settle()
        return taken

    def knows_cookie(self) -> bool:
        """
        Tell whether the machine could send data in a SYN to the script's side.
        """
        return self._host.stack.knows_cookie(self._remote)

    def is_of_flow(self, outgoing: Outgoing) -> bool:
        """
        Tell whether a segment belongs to the connection that the script is about.
        """
        flow = self.flow
        segment = outgoing.segment
        return (
            flow is not None
            and (outgoing.source, segment.source_port) == flow.local
            and (outgoing.destination, segment.destination_port) == flow.remote
        )

    def _set_options(self, socket: ScriptSocket, connection: TCPConnection) -> None:
        for name, value in socket.options.items():
            apply_option(connection, name, value, self._host.now)
        if socket.congestion:
            change_congestion_control(connection, socket.congestion)
