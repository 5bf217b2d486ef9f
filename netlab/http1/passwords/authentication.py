"""
Basic authentication (RFC 7617) against a file made by C{htpasswd -B}.

Checking a password takes bcrypt tens of milliseconds on purpose, which the thread that serves
everybody cannot spare. So L{PasswordFile} has three steps: what has been verified before is
recalled at once; the rest is verified in another thread; what held is then remembered.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, TypeAlias

from netlab.http1.resources.faults import FaultyFileError, InjectedFault, quoted
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.grammar import CONTROL_BYTE
from netlab.http1.sansio.memo import Memo

PasswordCheck: TypeAlias = Callable[[bytes, bytes], bool]
"""Says whether a password has a bcrypt hash, in constant time; C{bcrypt.checkpw} is one."""

COST_MAX: Final = 15
"""
The greatest cost of a hash that is accepted: each step doubles the time of a check, and this is
seconds. C{htpasswd -B} makes 5 unless told otherwise; 10 to 12 are usual.
"""

_BASIC: Final = re.compile(rb"(?i:basic) +([0-9A-Za-z+/]++={0,2})")
_BCRYPT_HASH: Final = re.compile(
    # The salt's last character carries two bits; with others set, the library raises an error.
    rb"\$2[aby]\$([0-9]{2})\$[./0-9A-Za-z]{21}[.Oeu][./0-9A-Za-z]{31}"
)
_PASSWORD_MAX_BYTES: Final = 72
_REMEMBERED_MAX: Final = 1024
_OTHER_HASHES: Final = (
    (re.compile(rb"\$apr1\$.*"), "MD5 (htpasswd -m)"),
    (re.compile(rb"\{SHA\}.*"), "SHA-1 without salt (htpasswd -s)"),
    (re.compile(rb"\{.*"), "a scheme of LDAP's"),
    (re.compile(rb"\$[156]\$.*"), "crypt's MD5 or SHA-2 (htpasswd -2, -5)"),
    (re.compile(rb"\$argon2.*"), "Argon2"),
    (re.compile(rb"\$2.*"), "a damaged bcrypt hash"),
    (re.compile(rb"[./0-9A-Za-z]{13}"), "DES (htpasswd -d)"),
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    What a client says of itself (RFC 7617 section 2).

    @ivar user: the user-id, in UTF-8, without a colon.
    @ivar password: in UTF-8; never shown.
    """

    user: bytes
    password: bytes = field(repr=False)


def parse_credentials(fields: Fields) -> Credentials | None:
    """
    Read the field Authorization, strictly: one line, the scheme Basic, canonical base64 of
    user-id, colon and password, both in UTF-8 and without control characters.

    @param fields: the request's header section.
    @return: None where it is anything else; then the answer is 401 with L{challenge}.
    """
    values = fields.get_all(b"authorization")
    if len(values) != 1:
        return None
    match = _BASIC.fullmatch(values[0])
    if match is None or len(match[1]) % 4:
        return None
    decoded = b64decode(match[1])
    if b64encode(decoded) != match[1]:  # bits that mean nothing are set
        return None
    user, colon, password = decoded.partition(b":")
    if not colon or CONTROL_BYTE.search(decoded) or b"\t" in decoded:
        return None
    try:
        decoded.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return Credentials(user, password)


def challenge(realm: bytes) -> bytes:
    """
    Make the value of WWW-Authenticate (RFC 7617 section 2.1).

    @param realm: what is protected, in words that the user may see.
    @raise ValueError: when it holds a control byte.
    """
    if CONTROL_BYTE.search(realm):
        raise ValueError(f"not a realm: {realm!r}")
    escaped = realm.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'Basic realm="%b", charset="UTF-8"' % escaped


def parse_htpasswd(content: bytes) -> dict[bytes, bytes]:
    """
    Read a password file: C{user:hash} a line; empty lines and those that begin with C{#} are passed
    over.

    @param content: lines that end in LF or CRLF.
    @return: each user's bcrypt hash.
    @raise FaultyFileError: with every fault in it; no hash is repeated.
    """
    hashes: dict[bytes, bytes] = {}
    lines: dict[bytes, int] = {}
    faults: list[InjectedFault] = []
    for number, padded in enumerate(content.split(b"\n"), 1):
        line = padded.rstrip(b" \t\r")
        if not line or line.startswith(b"#"):
            continue
        user, _colon, password_hash = line.partition(b":")
        explanation = _fault_of(line, user, password_hash)
        if explanation is None and lines.setdefault(user, number) != number:
            explanation = f"{quoted(user)} is in line {lines[user]} already"
        if explanation is not None:
            faults.append(InjectedFault(number, explanation))
        else:
            hashes[user] = password_hash
    if not hashes and not faults:
        faults.append(InjectedFault(1, "there is no user in the file"))
    if faults:
        raise FaultyFileError(faults)
    return hashes


class PasswordFile:
    """
    Who may come in.

    What is remembered is no password but a digest under a key that only this process has: one who
    reads its memory learns nothing that another day's digests could be compared with.
    """

    __slots__ = ("_check", "_decoy", "_hashes", "_key", "_remembered")

    def __init__(self, hashes: Mapping[bytes, bytes], check: PasswordCheck, key: bytes) -> None:
        """
        @param hashes: at least one user's, as L{parse_htpasswd} returns them.
        @param check: called in the thread that calls L{verify}.
        @param key: 16 to 64 random bytes, made for this process.
        """
        self._hashes = dict(hashes)
        self._check = check
        self._key = key
        self._remembered: Memo[bytes, bool] = Memo(_REMEMBERED_MAX)
        # A well-formed hash that no password is known to have.
        cost = max(password_hash[4:6] for password_hash in self._hashes.values())
        self._decoy = b"$2b$" + cost + b"$" + b"." * 53

    def recalls(self, credentials: Credentials) -> bool:
        """
        Say whether these have been verified before; takes microseconds.
        """
        return self._remembered.get(self._digest(credentials)) is True

    def verify(self, credentials: Credentials) -> bool:
        """
        Check the password; takes as long as bcrypt does, also for a user that does not exist, who
        is checked against a hash of the greatest cost in the file. Where the costs in the file
        differ, the time still tells which cost a user has.

        May be called in any thread: nothing is changed.
        """
        password_hash = self._hashes.get(credentials.user)
        # bcrypt reads 72 bytes. What htpasswd made of a longer password is the hash of those, and
        # newer libraries refuse more.
        password = credentials.password[:_PASSWORD_MAX_BYTES]
        is_right = self._check(password, password_hash or self._decoy)
        return is_right and password_hash is not None

    def remember(self, credentials: Credentials) -> None:
        """
        Let L{recalls} know these, which L{verify} has found right.

        Wrong ones are not remembered: they are many, and would push out the right ones.
        """
        self._remembered.put(self._digest(credentials), value=True)

    def _digest(self, credentials: Credentials) -> bytes:
        # A user-id has no colon, so no two pairs look alike.
        pair = credentials.user + b":" + credentials.password
        return blake2b(pair, key=self._key, digest_size=32).digest()


def _fault_of(line: bytes, user: bytes, password_hash: bytes) -> str | None:
    if b":" not in line:
        return "this is not a user, a colon and a hash"
    if not user:
        return "there is no user before the colon"
    try:
        user.decode("utf-8")
    except UnicodeDecodeError:
        return f"the user {quoted(user)} is not written in UTF-8"
    if CONTROL_BYTE.search(user) or b"\t" in user:
        return f"the user {quoted(user)} holds a control byte"
    match = _BCRYPT_HASH.fullmatch(password_hash)
    if match is None:
        schemes = (name for pattern, name in _OTHER_HASHES if pattern.fullmatch(password_hash))
        scheme = next(schemes, "no hash that is known here")
        return f"the password of {quoted(user)} is {scheme}; only bcrypt (htpasswd -B) is accepted"
    cost = int(match[1])
    if not 4 <= cost <= COST_MAX:
        return f"the hash of {quoted(user)} has the cost {cost}, which is not 4 to {COST_MAX}"
    return None
