"""
A listening TCP port whose connections begin with a TLS handshake.
"""

from __future__ import annotations

from netlab.transport.port import FastPort
from netlab.transport.tls.secureserver import SecureServer


class SecurePort(FastPort):
    """
    A L{FastPort} for a L{SecureReception<netlab.transport.tls.handshakes.SecureReception>}.
    """

    transport = SecureServer
    # As it stands in the log, and in Twisted's own TLS ports.
    _type = "TLS"
