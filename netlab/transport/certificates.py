"""
TLS endpoints whose certificate can be renewed while they listen.
"""

# mypy: allow-untyped-calls
# Twisted leaves its endpoints without annotations.

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from twisted.internet.defer import Deferred, execute
from twisted.internet.endpoints import quoteStringArgument, serverFromString
from twisted.internet.error import VerifyError
from twisted.internet.interfaces import (
    IListeningPort,
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Factory
from zope.interface import implementer

from netlab.transport.descriptions import arguments_of, named_argument, unescaped
from netlab.transport.tls.contexts import TLS12_SUITES_WITH_DHE, TLSFilesError

_FILES: Final = ("privateKey", "certKey", "extraCertChain", "dhParameters")
_PLACES: Final = ("port", "privateKey", "certKey")


@runtime_checkable
class Renewable(Protocol):
    """
    What reads its certificate again on request.
    """

    def renew(self) -> None:
        """
        Read the certificate and its key again, for the connections to come.

        @raise Exception: whatever is wrong with them. They then stay as they were.
        """


@implementer(IOpenSSLServerConnectionCreator)
class _CurrentCertificate:
    """
    What Twisted asks for the TLS part of each new connection.

    @ivar options: answers.
    """

    def __init__(self, options: Any) -> None:
        self.options = options

    def serverConnectionForTLS(self, protocol: Any) -> Any:
        from netlab.transport.meteredtls import CountedConnection

        create = getattr(self.options, "serverConnectionForTLS", None)
        if create is not None:
            return CountedConnection(create(protocol))
        # Twisted before 25 has one context for all connections of a certificate.
        from twisted.internet.ssl import SSL  # type: ignore[attr-defined]

        return CountedConnection(SSL.Connection(self.options.getContext(), None))


class _Parsed:
    """
    What Twisted's TLS endpoint takes for a reactor, so that its parser reads a description for us.

    @ivar port: the port's number.
    @ivar options: the certificate and how it is used.
    @ivar others: what else C{listenSSL} would be told.
    """

    port: int
    options: Any
    others: dict[str, Any]

    def __init__(self, description: str) -> None:
        serverFromString(self, description).listen(Factory())

    def listenSSL(self, port: int, factory: object, contextFactory: Any, **others: Any) -> object:
        self.port, self.options, self.others = port, contextFactory, others
        # Twisted offers TLS 1.2 without forward secrecy, and CBC with SHA-1. (Finite-field
        # Diffie-Hellman takes parameters, which a description may name.)
        contextFactory.getContext().set_cipher_list(TLS12_SUITES_WITH_DHE.encode("ascii"))
        return self


@implementer(IStreamServerEndpoint)
class RenewableTLSEndpoint:
    """
    Twisted's C{ssl:} endpoint, except that its files can be read again.
    """

    def __init__(
        self, reactor: Any, description: str, behind: IStreamServerEndpoint | None = None
    ) -> None:
        """
        @param reactor: listens.
        @param description: C{ssl:...}; its files are read now.
        @param behind: listens instead, where TLS has no place of its own to listen.
        @raise OSError: a file cannot be read.
        @raise TLSFilesError: OpenSSL can make nothing of one.
        @raise Exception: whatever Twisted's parser finds wrong.
        """
        self._reactor = reactor
        self._behind = behind
        self._description = with_absolute_paths(description)
        self._parsed = self._read()
        self._certificate = _CurrentCertificate(self._parsed.options)

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Begin to listen.

        @param protocolFactory: builds a protocol for each connection.
        @return: fires with the port, or fails as Twisted's endpoint does.
        """
        # Not at the top: TLS needs pyOpenSSL.
        from netlab.transport.meteredtls import MeteredTLSFactory

        secret = MeteredTLSFactory(self._certificate, protocolFactory, self._reactor)
        if self._behind is not None:
            return self._behind.listen(secret)
        listen, parsed = self._reactor.listenTCP, self._parsed
        listening: Deferred[IListeningPort] = execute(listen, parsed.port, secret, **parsed.others)
        return listening

    def renew(self) -> None:
        """
        Read the certificate and its key again, for the connections to come.

        @raise Exception: as in the constructor. The certificate then stays as it was.
        """
        self._certificate.options = self._read().options

    def _read(self) -> _Parsed:
        # Not at the top: TLS needs pyOpenSSL.
        from twisted.internet._sslverify import SSL, crypto  # type: ignore[attr-defined]

        try:
            return _Parsed(self._description)
        except VerifyError as error:
            raise TLSFilesError("certificate and key do not match") from error
        except (SSL.Error, crypto.Error) as error:
            reasons = ", ".join(reason for *_, reason in error.args[0]) if error.args else ""
            raise TLSFilesError(f"not a certificate and its key, in PEM ({reasons})") from error


def with_absolute_paths(description: str) -> str:
    """
    Write the description of a TLS endpoint with absolute paths, because a daemon changes its
    folder and reads its certificate again later.

    @param description: C{ssl:...}.
    """
    kind, *arguments = arguments_of(description)
    written = [kind]
    places = iter(_PLACES)
    has_key = False
    for argument in arguments:
        named = named_argument(argument)
        name = next(places, "") if named is None else named[0]
        if name in _FILES:
            path = unescaped(argument if named is None else named[1])
            quoted = quoteStringArgument(os.path.abspath(Path(path)))
            written.append(quoted if named is None else f"{name}={quoted}")
            has_key = has_key or name == "privateKey"
        else:
            written.append(argument)
    if not has_key:
        # Twisted's own default.
        written.append(f"privateKey={quoteStringArgument(os.path.abspath('server.pem'))}")
    return ":".join(written)
