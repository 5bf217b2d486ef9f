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
    ["tls-cert", None, None, "The certificate (PEM) of all TCP places, or of ssl: ones if any."],
    ["tls-key", None, None, "Its key (PEM). [default: in the same file]"],
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
"""As in C{optParameters}."""

_FILES: Final = {
    "tls-cert": "certificate",
    "tls-key": "key",
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
    names = [str(parameter[0]) for parameter in TLS_PARAMETERS]
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
    if "certificate" in files:
        files.setdefault("key", files["certificate"])
    return TLSSettings(
        **files,
        minimum=_VERSIONS[version],
        handshake_seconds=given.get("handshake-timeout", HANDSHAKE_SECONDS),
    )
