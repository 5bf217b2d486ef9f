"""
The options about TLS.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from ssl import TLSVersion
from typing import Any, Final

from twisted.python.usage import UsageError

from netlab.options import seconds
from netlab.transport.tls.contexts import HANDSHAKE_SECONDS, TLSSettings

TLS_PARAMETERS: Final[list[list[Any]]] = [
    ["min-tls", None, None, "The oldest TLS that is spoken: 1.2 or 1.3. [default: 1.2]"],
    ["client-ca", None, None, "Require certificates of clients, signed by one of these (PEM)."],
    ["tls-keylog", None, None, "Append the secrets of all connections to this file."],
    [
        "handshake-timeout",
        None,
        None,
        f"Seconds within which a TLS handshake must be complete. [default: {HANDSHAKE_SECONDS:g}]",
        seconds("--handshake-timeout"),
    ],
]
"""As in C{optParameters}. C{--tls-cert} and C{--tls-key} are repeatable, and methods therefore."""

_FILES: Final = {
    "client-ca": "client_authorities",
    "tls-keylog": "key_log",
}
_VERSIONS: Final = {"1.2": TLSVersion.TLSv1_2, "1.3": TLSVersion.TLSv1_3}

_TCP_PLACE: Final = re.compile(r"(?:tcp6?|systemd):")


def names_tls(places: Sequence[str]) -> bool:
    """
    Tell whether a place asks for TLS by itself: then plain ones are meant to be plain.

    @param places: descriptions, as typed.
    """
    return any(place.startswith("ssl:") for place in places)


def read_tls_options(options: Mapping[str, Any], places: Sequence[str]) -> TLSSettings | None:
    """
    Read the options about TLS. The files are read later, by what uses them.

    @param options: what was typed.
    @param places: where the server listens.
    @return: None if no such option is given.
    @raise UsageError: they make no sense, alone or together.
    """
    names = ["tls-cert", "tls-key", *(str(parameter[0]) for parameter in TLS_PARAMETERS)]
    given = {name: options[name] for name in names if options[name] is not None}
    if not given:
        return None
    option = f"--{next(iter(given))}"
    if options["stock-transport"]:
        raise UsageError(f"{option}: not with --stock-transport; write --listen ssl:PORT:...")
    if "tls-key" in given and "tls-cert" not in given:
        raise UsageError("--tls-key: a key without a certificate; give --tls-cert too")
    has_place = "tls-cert" in given and any(map(_TCP_PLACE.match, places))
    if not (has_place or names_tls(places)):
        raise UsageError(f"{option}: no place speaks TLS; give --tls-cert and a TCP place")
    version = given.get("min-tls", "1.2")
    if version not in _VERSIONS:
        raise UsageError(f"--min-tls {version!a}: not a version that is spoken; write 1.2 or 1.3")
    files = {field: os.path.abspath(given[name]) for name, field in _FILES.items() if name in given}
    others: list[tuple[str, str]] = []
    if "tls-cert" in given:
        (files["certificate"], files["key"]), *others = _pairs(
            given["tls-cert"], given.get("tls-key", [])
        )
    return TLSSettings(
        **files,
        others=tuple(others),
        minimum=_VERSIONS[version],
        handshake_seconds=given.get("handshake-timeout", HANDSHAKE_SECONDS),
    )


def _pairs(certificates: Sequence[str], keys: Sequence[str]) -> list[tuple[str, str]]:
    """
    Put each certificate together with its key, in the order in which they were typed.

    @raise UsageError: there are fewer keys, or more.
    """
    if keys and len(keys) != len(certificates):
        raise UsageError(
            f"--tls-key: {len(keys)} keys for {len(certificates)} certificates; give one for each "
            "--tls-cert, in the same order, or none where each is in its certificate's file"
        )
    paths = zip(certificates, keys or certificates, strict=True)
    return [(os.path.abspath(certificate), os.path.abspath(key)) for certificate, key in paths]
