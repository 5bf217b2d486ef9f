"""
What the reading of TLS is given from outside: secrets, and what takes a library of cryptography.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from netlab.analysis.tls.keylog import KeyLog
from netlab.analysis.tls.protection import MakeAEAD


@dataclass(frozen=True, slots=True)
class Certificate:
    """
    What a certificate says of itself; nobody has verified it.

    @ivar subject: whom it is for: the common name where there is one, else the whole name.
    @ivar issuer: who signed it, likewise.
    @ivar not_before: when it begins to be valid, in seconds since 1970.
    @ivar not_after: the last second in which it is.
    @ivar names: the hosts that it is for, DNS names and addresses.
    @ivar is_self_issued: whether subject and issuer are the same.
    """

    subject: str
    issuer: str
    not_before: int
    not_after: int
    names: tuple[str, ...]
    is_self_issued: bool


@dataclass(frozen=True, slots=True)
class Tools:
    """
    What may be used.

    @ivar keylog: the secrets; C{None} if no key log was given.
    @ivar make_aead: makes ciphers; C{None} where there is no library, and then nothing is opened.
    @ivar read_certificate: from DER; C{None} where there is no library.
    """

    keylog: KeyLog | None = None
    make_aead: MakeAEAD | None = None
    read_certificate: Callable[[bytes], Certificate | None] | None = None


NO_TOOLS: Final = Tools()
