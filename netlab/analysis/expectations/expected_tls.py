"""
Expectations of what a conversation does in TLS.
"""

from __future__ import annotations

from netlab.analysis.expectations.expectations import Expectation, Shown, Who, expect_of
from netlab.analysis.observations.dialogue import Dialogue
from netlab.analysis.tls.observations import Decryption

#: What is found of a conversation that is not TLS.
_NO_TLS = "this is not TLS"


def agrees_on_tls(number: int, version: int, host: bytes) -> Expectation:
    """
    Expect a handshake.

    @param number: of the conversation.
    @param version: that is chosen, such as 0x0304.
    @param host: that the client asks for (SNI).
    """

    def check(dialogue: Dialogue) -> Shown:
        if not dialogue.tls.is_tls:
            return Shown(False, _NO_TLS)
        found = dialogue.tls.conversation()
        hello, chosen = found.client_hello, found.server_hello
        if hello is None or chosen is None:
            return Shown(False, "there are not both hellos")
        frames = tuple(sorted({*hello.travel.frames, *chosen.travel.frames}))
        name = (hello.server_name or b"").decode("ascii", "backslashreplace")
        detail = f"{found.version_name}, {found.cipher_suite}, for {name or 'no host'}"
        return Shown(found.version == version and hello.server_name == host, detail, frames)

    sentence = f"agrees on TLS for the host {host.decode('ascii')}"
    return expect_of(number, "agrees-on-tls", sentence, check)


def is_opened(number: int) -> Expectation:
    """
    Expect that the key log of the run opens a conversation.

    @param number: of the conversation.
    """

    def check(dialogue: Dialogue) -> Shown:
        if not dialogue.tls.is_tls:
            return Shown(False, _NO_TLS)
        found = dialogue.tls.conversation()
        if found.decryption is not Decryption.OPENED:
            return Shown(False, found.decryption.value)
        frames = found.server.first_application or found.client.first_application
        said = (found.client.application_bytes or 0) + (found.server.application_bytes or 0)
        detail = f"{said} bytes of application data are inside"
        return Shown(said > 0, detail, () if frames is None else tuple(sorted(frames.frames)))

    return expect_of(number, "is-opened", "is opened by the key log", check)


def says_close_notify(number: int, who: Who) -> Expectation:
    """
    Expect the alert close_notify of an end, before its FIN or with it.

    @param number: of the conversation.
    @param who: the end.
    """

    def check(dialogue: Dialogue) -> Shown:
        if not dialogue.tls.is_tls:
            return Shown(False, _NO_TLS)
        is_client = who is Who.CLIENT
        alert = dialogue.tls.conversation().close_notify(from_client=is_client)
        if alert is None:
            return Shown(False, f"the {who.value} says no close_notify")
        fin = dialogue.client_fin if is_client else dialogue.server_fin
        frames = tuple(sorted(alert.travel.frames))
        if fin is not None and fin.at.frame < frames[-1]:
            return Shown(False, "its FIN came before", (fin.at.frame, *frames))
        return Shown(True, "close_notify", frames)

    sentence = f"carries the {who.value}'s close_notify before its FIN"
    return expect_of(number, f"{who.value}-says-close-notify", sentence, check)
