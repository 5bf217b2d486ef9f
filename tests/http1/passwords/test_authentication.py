"""
Tests for L{netlab.http1.passwords.authentication}.
"""

from __future__ import annotations

from base64 import b64encode

import bcrypt
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.passwords.authentication import (
    COST_MAX,
    Credentials,
    PasswordFile,
    challenge,
    parse_credentials,
    parse_htpasswd,
)
from netlab.http1.resources.faults import FaultyFileError
from netlab.http1.sansio.fields import Fields

# The first vector of Openwall's crypt_blowfish: the hash of U*U.
HASH = b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
RIGHT = Credentials(b"ann", b"U*U")
KEY = b"k" * 16


def credentials(value: bytes) -> Credentials | None:
    """
    Read this value of Authorization.
    """
    return parse_credentials(Fields([(b"Authorization", value)]))


def basic(pair: bytes) -> Credentials | None:
    """
    Read user-id, colon and password as a client sends them.
    """
    return credentials(b"Basic " + b64encode(pair))


def faults(content: bytes) -> list[tuple[int, str]]:
    """
    Read a faulty password file.
    """
    try:
        parse_htpasswd(content)
    except FaultyFileError as error:
        return [(fault.line, fault.explanation) for fault in error.faults]
    return []


class ParseCredentialsTests(SynchronousTestCase):
    """
    Authorization, RFC 7617 section 2 and RFC 9110 section 11.4.
    """

    def test_section_example(self) -> None:
        """
        The examples of sections 2 and 2.1 are read.
        """
        self.assertEqual(
            credentials(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            Credentials(b"Aladdin", b"open sesame"),
        )
        self.assertEqual(
            credentials(b"Basic dGVzdDoxMjPCow=="), Credentials(b"test", "123£".encode())
        )

    def test_colons(self) -> None:
        """
        The first colon ends the user-id; the password may hold more, or nothing.
        """
        self.assertEqual(basic(b"a:b:c"), Credentials(b"a", b"b:c"))
        self.assertEqual(basic(b"a:"), Credentials(b"a", b""))
        self.assertEqual(basic(b":b"), Credentials(b"", b"b"))
        self.assertIsNone(basic(b"ab"))

    def test_scheme(self) -> None:
        """
        The scheme has no case (RFC 9110 section 11.1), and spaces follow it.
        """
        self.assertEqual(credentials(b"bASIC  YTpi"), Credentials(b"a", b"b"))
        for value in (b"Bearer YTpi", b"BasicYTpi", b"Basic", b"Basic\tYTpi", b""):
            with self.subTest(value=value):
                self.assertIsNone(credentials(value))

    def test_base64(self) -> None:
        """
        Only canonical base64 is read (RFC 4648 section 4): padded, of its alphabet, without bits
        that mean nothing.
        """
        for value in (
            b"YTpi=", b"YTpiYw", b"YTpi YTpi", b"YTp-", b"YTp_", b"YT pi", b"====", b"YTpiYR==",
            b"YTpi====", b"YTpi,YTpi", b"\xff",
        ):  # fmt: skip
            with self.subTest(value=value):
                self.assertIsNone(credentials(b"Basic " + value))

    def test_characters(self) -> None:
        """
        User-id and password are UTF-8 without control characters.
        """
        for pair in (b"a\x00:b", b"a:b\n", b"a:\x7f", b"a\t:b", b"a:\xff", b"\xc3:\xa4"):
            with self.subTest(pair=pair):
                self.assertIsNone(basic(pair))

    def test_absent_and_twice(self) -> None:
        """
        Without the field, or with two, there are no credentials (RFC 9110 section 5.3).
        """
        line = (b"Authorization", b"Basic YTpi")
        self.assertIsNone(parse_credentials(Fields()))
        self.assertIsNone(parse_credentials(Fields([line, line])))

    def test_password_is_not_shown(self) -> None:
        """
        What may reach a log does not hold the password.
        """
        self.assertNotIn("U*U", repr(RIGHT))

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(st.binary(max_size=40), st.binary(max_size=20).map(b64encode)))
    def test_any_value(self, value: bytes) -> None:
        """
        Any bytes give credentials or none.
        """
        parse_credentials(Fields.known([(b"Authorization", b"Basic " + value)]))


class ChallengeTests(SynchronousTestCase):
    """
    WWW-Authenticate, RFC 7617 section 2.1.
    """

    def test_value(self) -> None:
        """
        The realm is a quoted string, and UTF-8 is asked for.
        """
        self.assertEqual(challenge(b"foo"), b'Basic realm="foo", charset="UTF-8"')
        self.assertEqual(challenge(b'a"b\\c'), b'Basic realm="a\\"b\\\\c", charset="UTF-8"')

    def test_control_bytes(self) -> None:
        """
        A realm that could end the field is refused.
        """
        self.assertRaises(ValueError, challenge, b"a\r\nb")


class ParseHtpasswdTests(SynchronousTestCase):
    """
    The password file.
    """

    def test_users(self) -> None:
        """
        Each line is a user and a hash; comments, empty lines and CRLF do no harm.
        """
        other = b"$2y$05$" + b"." * 53
        content = b"# users\r\n\r\nann:%b\r\n\nb b:%b" % (HASH, other)
        self.assertEqual(parse_htpasswd(content), {b"ann": HASH, b"b b": other})

    def test_other_hashes_are_named(self) -> None:
        """
        A hash that is not bcrypt is refused with its name, and no hash is repeated.
        """
        for password_hash, words in (
            (b"$apr1$abc$def", "MD5"),
            (b"{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc=", "SHA-1"),
            (b"{SSHA}abc", "LDAP"),
            (b"$6$abc$def", "SHA-2"),
            (b"$argon2id$v=19$m", "Argon2"),
            (b"$2y$05$short", "damaged"),
            (HASH + b":Ann Smith", "damaged"),
            (b"$2y$05$" + b"a" * 53, "damaged"),
            (b"rqXexS6ZhobKA", "DES"),
            (b"sesame", "no hash"),
            (b"", "no hash"),
        ):
            with self.subTest(password_hash=password_hash):
                ((line, explanation),) = faults(b"ann:" + password_hash)
                self.assertEqual(line, 1)
                self.assertIn(words, explanation)
                self.assertIn("'ann'", explanation)
                if password_hash:
                    self.assertNotIn(password_hash.decode("ascii"), explanation)

    def test_cost(self) -> None:
        """
        A cost that would take minutes, or that bcrypt does not know, is refused.
        """
        for cost in (3, COST_MAX + 1, 31, 99):
            with self.subTest(cost=cost):
                ((_line, explanation),) = faults(b"ann:$2b$%02d$%b" % (cost, b"." * 53))
                self.assertIn(f"the cost {cost}", explanation)
        for cost in (4, COST_MAX):
            self.assertEqual(faults(b"ann:$2b$%02d$%b" % (cost, b"." * 53)), [])

    def test_lines(self) -> None:
        """
        Every faulty line is reported: no colon, no user, a user that is not UTF-8 or holds a
        control byte, a user who was there before.
        """
        content = b"\n".join(
            (b"ann", b":" + HASH, b"\xff:" + HASH, b"a\x00:" + HASH, b"bob:" + HASH, b"bob:" + HASH)
        )
        found = faults(content)
        self.assertEqual([line for line, _explanation in found], [1, 2, 3, 4, 6])
        self.assertIn("line 5", found[-1][1])

    def test_empty(self) -> None:
        """
        A file without a user would let nobody in, which is a fault.
        """
        for content in (b"", b"\n\n", b"# nobody\n"):
            self.assertEqual(faults(content), [(1, "there is no user in the file")])

    @settings(deadline=None, max_examples=100)
    @given(st.one_of(st.binary(max_size=60), st.text("a:$2b05{}\n#", max_size=60).map(str.encode)))
    def test_any_file(self, content: bytes) -> None:
        """
        Any bytes are users, or faults in printable ASCII.
        """
        try:
            parse_htpasswd(content)
        except FaultyFileError as error:
            for fault in error.faults:
                self.assertTrue(fault.explanation.isascii() and fault.explanation.isprintable())


class Checks:
    """
    A check of passwords that counts instead of hashing: a hash is its user's password behind the
    salt, which the tests below write so.
    """

    def __init__(self) -> None:
        self.made: list[tuple[bytes, bytes]] = []

    def __call__(self, password: bytes, password_hash: bytes) -> bool:
        """
        Note the check.
        """
        self.made.append((password, password_hash))
        return password_hash.endswith(b"." + password)


class PasswordFileTests(SynchronousTestCase):
    """
    Who may come in.
    """

    def setUp(self) -> None:
        """
        Let ann in, whose hash has cost 10, and bob, whose hash has cost 12.
        """
        self.ann = b"$2b$10$...ann"
        self.bob = b"$2b$12$...bob"
        self.checks = Checks()
        self.file = PasswordFile({b"ann": self.ann, b"bob": self.bob}, self.checks, KEY)

    def test_verify(self) -> None:
        """
        A user comes in with the right password only, and with no other user's.
        """
        self.assertTrue(self.file.verify(Credentials(b"ann", b"ann")))
        self.assertFalse(self.file.verify(Credentials(b"ann", b"bob")))
        self.assertFalse(self.file.verify(Credentials(b"Ann", b"ann")))

    def test_unknown_user_is_checked(self) -> None:
        """
        For a user that does not exist one check is made too, at the greatest cost in the file, so
        that the time does not tell; it never lets anybody in.
        """
        self.assertFalse(self.file.verify(Credentials(b"eve", b"")))
        ((password, password_hash),) = self.checks.made
        self.assertEqual(password, b"")
        self.assertTrue(password_hash.startswith(b"$2b$12$"))
        always = PasswordFile({b"ann": self.ann}, lambda _password, _hash: True, KEY)
        self.assertFalse(always.verify(Credentials(b"eve", b"x")))

    def test_remembered(self) -> None:
        """
        What was verified and remembered is recalled without a check; another password is not.
        """
        right = Credentials(b"ann", b"ann")
        self.assertFalse(self.file.recalls(right))
        self.file.remember(right)
        self.assertTrue(self.file.recalls(right))
        self.assertFalse(self.file.recalls(Credentials(b"ann", b"other")))
        self.assertFalse(self.file.recalls(Credentials(b"bob", b"ann")))
        self.assertFalse(self.file.recalls(Credentials(b"an", b"n:ann")))
        self.assertEqual(self.checks.made, [])

    def test_verify_changes_nothing(self) -> None:
        """
        Verifying alone remembers nothing, so it may run in another thread.
        """
        right = Credentials(b"ann", b"ann")
        self.file.verify(right)
        self.assertFalse(self.file.recalls(right))

    def test_long_passwords(self) -> None:
        """
        Of a password 72 bytes count; more are not handed to it, since some libraries refuse them.
        """
        self.file.verify(Credentials(b"ann", b"x" * 100))
        self.assertEqual(len(self.checks.made[0][0]), 72)


class BcryptTests(SynchronousTestCase):
    """
    The library that C{check} stands for.
    """

    def test_vector(self) -> None:
        """
        A published hash verifies, with its password only.
        """
        file = PasswordFile(parse_htpasswd(b"ann:" + HASH), bcrypt.checkpw, KEY)
        self.assertTrue(file.verify(RIGHT))
        self.assertFalse(file.verify(Credentials(b"ann", b"U*V")))

    def test_unknown_user(self) -> None:
        """
        The hash that an unknown user is checked against is one that the library takes.
        """
        file = PasswordFile({b"ann": HASH}, bcrypt.checkpw, KEY)
        self.assertFalse(file.verify(Credentials(b"eve", b"U*U")))

    def test_marks(self) -> None:
        """
        The three marks of bcrypt, and a password of more than 72 bytes, are taken.
        """
        for mark in (b"$2a$", b"$2b$", b"$2y$"):
            marked = mark + HASH[4:]
            file = PasswordFile(parse_htpasswd(b"ann:" + marked), bcrypt.checkpw, KEY)
            self.assertTrue(file.verify(RIGHT))
            self.assertFalse(file.verify(Credentials(b"ann", b"x" * 100)))
