"""
What is left unread when a TLS connection is closed does not turn its FIN into a RST.
"""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from netlab.transport.tls.secureserver import SecureServer


class CloseSocketTests(SynchronousTestCase):
    """
    The end of the socket.
    """

    def test_unread_input(self) -> None:
        """
        A peer whose closure alert comes too late to be read sees the end of the stream, and not a
        reset.
        """
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        peer = socket.create_connection(listener.getsockname())
        self.addCleanup(peer.close)
        accepted, _ = listener.accept()
        peer.sendall(b"a closure alert")
        peer.settimeout(10)
        accepted.settimeout(10)
        accepted.recv(1, socket.MSG_PEEK)  # it has come
        accepted.setblocking(False)
        transport = SecureServer.__new__(SecureServer)
        transport.socket = accepted
        transport._closeSocket(orderly=True)
        self.assertEqual(peer.recv(1), b"")
