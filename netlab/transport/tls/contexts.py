"""
What a TLS server shows and allows, and how it is renewed while it serves.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from netlab.plainfile import open_private

#: What TLS 1.2 may use: keys agreed upon for one connection (ECDHE), and ciphers that authenticate
#: what they encrypt. What Mozilla calls intermediate, without finite-field Diffie-Hellman.
TLS12_SUITES: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"

#: The same with finite-field Diffie-Hellman, for sites that bring parameters for it.
TLS12_SUITES_WITH_DHE: Final = TLS12_SUITES + ":DHE+AESGCM:DHE+CHACHA20"

#: How long a handshake may take, from accept to its last message. nginx waits 60 seconds for each
#: message.
HANDSHAKE_SECONDS: Final = 10.0


#: How many session tickets a full handshake of TLS 1.3 ends with. Each costs a twentieth of the
#: handshake and 250 bytes; a session that is resumed brings another one. Go sends 1, OpenSSL and
#: nginx 2.
TICKETS: Final = 1


class TLSFilesError(ValueError):
    """
    A file can be read, and is no good.
    """


@dataclass(frozen=True, slots=True)
class TLSSettings:
    """
    The files of a TLS server, and what it allows. The defaults are Twisted's.

    @ivar certificate: PEM: the server's certificate, and behind it intermediate ones.
    @ivar key: PEM: its key, not encrypted.
    @ivar others: certificates for other server names, each with its key. A client that asks for
        none that is known gets the first.
    @ivar chain: PEM: intermediate certificates, where they are not in C{certificate}.
    @ivar dh_parameters: PEM: parameters for finite-field Diffie-Hellman.
    @ivar minimum: the oldest version that is spoken.
    @ivar client_authorities: PEM: who signs certificates of clients; each client must then show
        one.
    @ivar key_log: a file to which the secrets of all connections are appended.
    @ivar handshake_seconds: how long a handshake may take.
    """

    certificate: str = "server.pem"
    key: str = "server.pem"
    others: tuple[tuple[str, str], ...] = ()
    chain: str | None = None
    dh_parameters: str | None = None
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    client_authorities: str | None = None
    key_log: str | None = None
    handshake_seconds: float = HANDSHAKE_SECONDS


def make_context(settings: TLSSettings, protocols: Sequence[bytes] = ()) -> ssl.SSLContext:
    """
    Read the files, and make what new connections begin with.

    @param settings: which files.
    @param protocols: what ALPN may choose, best first; nothing leaves it out.
    @raise OSError: a file cannot be read.
    @raise TLSFilesError: one has something else in it, the key is encrypted or another's, or others
        may read the key log.
    """
    context = _make_one(settings, protocols)
    if settings.others:
        # Not at the top: hardly any server has several, and it is a large library.
        from netlab.transport.tls.servernames import ContextsByName, names_of

        named = [(names_of(settings.certificate), context)]
        for certificate, key in settings.others:
            other = replace(settings, certificate=certificate, key=key, chain=None)
            made = _make_one(other, protocols)
            named.append((names_of(certificate), made))
        context.sni_callback = ContextsByName(named).choose
    return context


def _make_one(settings: TLSSettings, protocols: Sequence[bytes]) -> ssl.SSLContext:
    """
    Make the context of the first certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = TICKETS
    context.minimum_version = settings.minimum
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    # All that is offered is good: the client knows whether it has AES in hardware.
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers(TLS12_SUITES if settings.dh_parameters is None else TLS12_SUITES_WITH_DHE)
    _load_certificate(context, settings)
    if settings.dh_parameters is not None:
        _load(context.load_dh_params, settings.dh_parameters)
    if settings.client_authorities is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        _load(context.load_verify_locations, settings.client_authorities)
    if protocols:
        context.set_alpn_protocols([protocol.decode("ascii") for protocol in protocols])
    if settings.key_log is not None:
        write_key_log(context, settings.key_log)
    return context


def _load_certificate(context: ssl.SSLContext, settings: TLSSettings) -> None:
    with ExitStack() as files:
        certificate = settings.certificate
        if settings.chain is not None:
            # OpenSSL reads a chain from the file of the certificate, and from nowhere else.
            whole = files.enter_context(tempfile.NamedTemporaryFile())
            whole.write(Path(certificate).read_bytes() + b"\n" + Path(settings.chain).read_bytes())
            whole.flush()
            certificate = whole.name
        # Said here: ssl names no file.
        for name in (settings.certificate, settings.key):
            Path(name).open("rb").close()
        try:
            context.load_cert_chain(certificate, settings.key, password=_refuse_password)
        except ssl.SSLError as error:
            names = " and ".join(dict.fromkeys((settings.certificate, settings.key)))
            if error.reason == "KEY_VALUES_MISMATCH":
                raise TLSFilesError(f"certificate and key do not match: {names}") from error
            why = _lacking(settings) or error.reason or str(error)
            raise TLSFilesError(
                f"not a certificate and its key, in PEM: {names} ({why})"
            ) from error


def _lacking(settings: TLSSettings) -> str:
    """
    Name what OpenSSL looked for in vain, which it says as C{PEM lib}; nothing if all is there.
    """
    if b"-----BEGIN CERTIFICATE-----" not in Path(settings.certificate).read_bytes():
        return f"no certificate is in {settings.certificate}"
    if b"PRIVATE KEY-----" not in Path(settings.key).read_bytes():
        return f"no private key is in {settings.key}"
    return ""


def _load(load: Callable[[str], None], path: str) -> None:
    try:
        load(path)
    except ssl.SSLError as error:
        why = error.reason or str(error)
        raise TLSFilesError(f"not what it should be, in PEM: {path} ({why})") from error
    except FileNotFoundError as error:
        # ssl does not say which.
        raise FileNotFoundError(error.errno, error.strerror, path) from error


def _refuse_password() -> str:
    # Without this OpenSSL would ask at the terminal.
    raise TLSFilesError("the key is encrypted: write it without a password")


def write_key_log(context: ssl.SSLContext, path: str) -> None:
    """
    Have a context add the secrets of its connections to a file: its readers can decrypt each.

    @param path: made with mode 0600 if it does not exist.
    @raise TLSFilesError: it cannot be written, or is not ours alone.
    """
    try:
        descriptor = open_private(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise TLSFilesError(f"cannot write the key log {path}: {reason}") from error
    try:
        # OpenSSL opens what it is given by name. By the name of this descriptor it gets the file
        # that was looked at, whatever has been put in its place since.
        context.keylog_filename = f"/dev/fd/{descriptor}"
    finally:
        os.close(descriptor)


class RenewableContext:
    """
    The context of the connections to come.

    @ivar settings: which files it is made of.
    @ivar current: the context.
    """

    def __init__(self, settings: TLSSettings) -> None:
        """
        @param settings: which files.
        @raise Exception: as of L{make_context}.
        """
        self.settings = settings
        self._protocols: Sequence[bytes] = ()
        self.current = make_context(settings)

    def offer(self, protocols: Sequence[bytes]) -> None:
        """
        Say what ALPN may choose.

        @param protocols: best first.
        """
        if list(protocols) != list(self._protocols):
            self._protocols = protocols
            self.renew()

    def renew(self) -> None:
        """
        Read the files again. Connections that exist keep what they have.

        @raise Exception: as of L{make_context}. The context then stays as it was.
        """
        self.current = make_context(self.settings, self._protocols)
