"""
The secrets of a client's TLS connections, written to a file for those who read captures of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet._sslverify import IOpenSSLTrustRoot, platformTrust
from zope.interface import implementer

from netlab.errors import KnownError
from netlab.plainfile import open_private


class KeyLogFileError(KnownError):
    """
    Secrets cannot be written; the text says why.
    """


class KeyLogFile:
    """
    A file in the format of SSLKEYLOGFILE (RFC 9850), to which lines are added.

    With it, a capture of the connections can be decrypted, so it is created with mode 0600, and a
    file that others own, or may read or write, is refused.

    @ivar fault: why a line could not be written; None while all could.
    """

    def __init__(self, path: str) -> None:
        """
        Open it, or make it.

        @raise KeyLogFileError: it cannot be written, or is not ours alone.
        """
        self.fault: str | None = None
        try:
            self._descriptor = open_private(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise KeyLogFileError(f"cannot write the key log {path}: {reason}") from error

    def write(self, line: bytes) -> None:
        """
        Add a line. OpenSSL calls this in the middle of a handshake, which no fault is to end.
        """
        if self.fault is not None:
            return
        data = line + b"\n"
        try:
            if os.write(self._descriptor, data) < len(data):
                self.fault = "the disk is full"
        except OSError as error:
            self.fault = error.strerror or str(error)

    def close(self) -> None:
        """
        Write no more.
        """
        os.close(self._descriptor)


@implementer(IOpenSSLTrustRoot)
class LoggingTrustRoot:
    """
    Whom a client believes, and where its secrets are written.

    A context of pyOpenSSL must have its key log before its first connection, and Twisted hands the
    context out to nobody before that but the trust root.
    """

    def __init__(self, write: Callable[[bytes], object], inner: Any = None) -> None:
        """
        @param write: is called with each line of the key log.
        @param inner: whom to believe (Twisted's C{IOpenSSLTrustRoot}); None takes the system's
            certificates.
        """
        self._write = write
        if inner is None:
            inner = platformTrust()  # type: ignore[no-untyped-call]
        self._inner: Any = IOpenSSLTrustRoot(inner)

    def _addCACertsToContext(self, context: Any) -> None:
        self._inner._addCACertsToContext(context)
        context.set_keylog_callback(lambda _, line: self._write(line))
