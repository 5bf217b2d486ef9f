"""
C{twistd netlab-echo}: options to a service.
"""

from __future__ import annotations

from typing import Any

from netlab.echo.protocol import SERVER_NAME, EchoFactory, EchoSettings
from netlab.options import ListeningOptions, byte_size, count, seconds
from netlab.service import ListeningService
from netlab.terminal.steadyoutput import make_output_steady

_REFERENCE = EchoSettings()


class Options(ListeningOptions):
    """
    The command line of C{twistd netlab-echo}.
    """

    synopsis = "[netlab-echo options]"
    longdesc = (
        "An upper-casing TCP echo server. Each client gets its deliveries back in upper case, two "
        "of them unless told otherwise, then the server closes the connection. It listens on "
        "tcp:12345 unless --listen says otherwise."
    )
    default_listen = "tcp:12345"

    optParameters = [  # noqa: RUF012
        [
            "exchanges",
            "e",
            _REFERENCE.exchanges,
            "Close after answering this many deliveries; 0: when the client closes.",
            count("--exchanges"),
        ],
        [
            "max-bytes",
            "m",
            _REFERENCE.max_bytes,
            "Read at most this many bytes in one delivery, such as 100 or 64k.",
            byte_size("--max-bytes", at_most=2**20),
        ],
        [
            "idle-timeout",
            "t",
            None,
            "Close after this many seconds without progress. [default: never]",
            seconds("--idle-timeout"),
        ],
    ]
    optFlags = [  # noqa: RUF012
        ["quiet", "q", "Log connections, but not each delivery."],
    ]


def makeService(options: Options, reactor: Any = None) -> ListeningService:
    """
    Make the echo server's service.

    @param options: The parsed command line.
    @param reactor: Measures time; twistd passes none, which means the global one.
    @return: The service, which opens its ports when it starts.
    """
    if reactor is None:
        from twisted.internet import reactor

        # The log goes there (twistd -n), and a reader that hangs must not stop the server.
        make_output_steady()
    settings = EchoSettings(
        exchanges=options["exchanges"],
        max_bytes=options["max-bytes"],
        idle_timeout=options["idle-timeout"],
        shows_deliveries=not options["quiet"],
    )
    factory = EchoFactory(settings, reactor)
    return ListeningService(
        reactor,
        SERVER_NAME,
        factory,
        options.endpoints,
        factory.connections,
        hears_signals=True,
    )
