"""
The two ways in which a message exchange goes wrong: by the peer's fault, or by ours.
"""

from __future__ import annotations


class ProtocolError(Exception):
    """
    What both kinds of fault have in common; never raised itself.
    """


class RemoteProtocolError(ProtocolError):
    """
    The peer sent bytes that are no HTTP/1.1 message, or more than a limit allows.

    @ivar status: the status code with which a server answers this fault.
    @ivar explanation: one sentence, in ASCII, for the peer and the log; it holds no byte that the
        peer has sent.
    """

    def __init__(self, status: int, explanation: str) -> None:
        super().__init__(status, explanation)
        self.status = status
        self.explanation = explanation

    def __str__(self) -> str:
        return f"{self.status} {self.explanation}"


class LocalProtocolError(ProtocolError):
    """
    Our own code asked for something that the protocol does not allow in this state.

    It is a mistake in the program and says nothing about the peer.
    """
