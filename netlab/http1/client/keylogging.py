"""
The secrets of a client's TLS connections, written to a file for those who read captures of them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Any

from twisted.internet._sslverify import IOpenSSLTrustRoot, platformTrust
from zope.interface import implementer

from netlab.errors import KnownError


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

        @raise KeyLogFileError: it cannot be written, is not a regular file, is open to others, or
            is somebody else's.
        """
        self.fault: str | None = None
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            # Not to wait for the reader of a pipe.
            self._descriptor = os.open(path, flags | os.O_NONBLOCK, 0o600)
        except OSError as error:
            reason = error.strerror or str(error)
            raise KeyLogFileError(f"cannot write the key log {path}: {reason}") from error
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise KeyLogFileError(f"cannot write the key log {path}: it is not a regular file")
        if stat.S_IMODE(status.st_mode) & 0o077:
            self.close()
            raise KeyLogFileError(
                f"the key log {path} is open to others: chmod 600 {path}, or name another file"
            )
        if status.st_uid != os.geteuid():
            # Root may write to everybody's files.
            self.close()
            raise KeyLogFileError(f"the key log {path} is somebody else's: name another file")

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
