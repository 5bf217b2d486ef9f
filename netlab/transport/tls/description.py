"""
Descriptions of TLS places, C{ssl:...}, in Twisted's words.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Final

from netlab.transport.descriptions import arguments_of, named_argument, unescaped
from netlab.transport.tls.contexts import TLSSettings

# What may stand without a name, in order.
_PLACES: Final = ("port", "privateKey", "certKey", "sslmethod", "interface", "backlog")

_FILES: Final = ("privateKey", "certKey", "extraCertChain", "dhParameters")

_NUMBER: Final = re.compile(r"[0-9]{1,5}")


class NotOursError(Exception):
    """
    A description asks for what only Twisted's own TLS has.
    """


def read_description(description: str, defaults: TLSSettings) -> tuple[str, TLSSettings]:
    """
    Find out where a TLS place is, and which files it names.

    @param description: C{ssl:PORT:privateKey=FILE:certKey=FILE} and so on.
    @param defaults: of what it does not name. Where it names a key and no certificate, that is in
        the same file.
    @return: the description of the TCP place below, and the settings.
    @raise NotOursError: it names an C{sslmethod}.
    @raise ValueError: it makes no sense.
    """
    named: dict[str, str] = {}
    places = iter(_PLACES)
    for argument in arguments_of(description)[1:]:
        found = named_argument(argument)
        if found is None:
            name, value = next(places, ""), argument
        else:
            name, value = found
        if name not in (*_PLACES, *_FILES) or name in named:
            raise ValueError(f"{unescaped(argument)!a} is not expected")
        named[name] = value
    if named.pop("sslmethod", ""):
        raise NotOursError("sslmethod")
    if _NUMBER.fullmatch(port := named.pop("port", "")) is None:
        raise ValueError(f"{port!a} is not a port")
    files = {
        name: os.path.abspath(unescaped(named.pop(name))) for name in _FILES if named.get(name)
    }
    key = files.get("privateKey", defaults.key)
    certificate = files.get("certKey", key if "privateKey" in files else defaults.certificate)
    settings = replace(
        defaults,
        key=key,
        certificate=certificate,
        chain=files.get("extraCertChain", defaults.chain),
        dh_parameters=files.get("dhParameters", defaults.dh_parameters),
    )
    below = [f"{name}={value}" for name, value in named.items() if value]
    return ":".join(["tcp", port, *below]), settings
