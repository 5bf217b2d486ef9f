"""
A key log as a file.
"""

from __future__ import annotations

import os
import stat

from netlab.analysis.tls.keylog import KEYLOG_MAX_BYTES, KeyLog, parse_keylog
from netlab.errors import KnownError


class KeyLogError(KnownError):
    """
    A key log cannot be used; the text says which and why.
    """


def read_keylog(path: str) -> KeyLog:
    """
    Read a key log.

    @raise KeyLogError: it cannot be read, is too long, or holds no secret that is used.
    """
    try:
        with open(path, "rb") as file:
            if stat.S_ISDIR(os.fstat(file.fileno()).st_mode):
                raise KeyLogError(f"{path} is a folder: name a key log")
            data = file.read(KEYLOG_MAX_BYTES + 1)
    except OSError as error:
        raise KeyLogError(f"cannot read the key log {path}: {error.strerror or error}") from error
    if len(data) > KEYLOG_MAX_BYTES:
        raise KeyLogError(
            f"the key log {path} is longer than {KEYLOG_MAX_BYTES >> 20} MiB: cut out the lines of "
            "the connections that were captured"
        )
    keylog = parse_keylog(data)
    if not len(keylog):
        raise KeyLogError(
            f"the key log {path} holds no secret: its lines should begin with CLIENT_RANDOM or, "
            "for TLS 1.3, with CLIENT_TRAFFIC_SECRET_0 and the like, as SSLKEYLOGFILE has them"
        )
    return keylog
