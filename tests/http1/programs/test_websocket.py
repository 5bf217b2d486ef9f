"""
Tests for L{netlab.http1.programs.websocket} and L{netlab.http1.programs.asgiwebsocket}; wsproto's
client is the other end.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from typing import Any

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate

from netlab.http1.programs.answerheads import ApplicationError
from netlab.http1.programs.asgi import Application, ASGIProgram
from netlab.http1.programs.websocket import MESSAGE_MAX_BYTES
from tests.http1.programs.test_asgi import ASGITestCase
from tests.http1.serving import Client, get

KEY = b64encode(bytes(16)).decode()
ASKING = (
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    f"Sec-WebSocket-Key: {KEY}",
)

#: Of the nonce of 16 NULs, by openssl: C{printf %s "KEY$GUID" | openssl sha1 -binary | base64}.
ACCEPT = b"ICX+Yqv66kxgM0FcWaLWlFLwTAI="


class Peer:
    """
    A client that has opened a WebSocket.

    @ivar client: its connection.
    @ivar received: messages, pongs and closes.
    """

    def __init__(self, client: Client, turn: Any, extensions: Any = ()) -> None:
        self.client = client
        self.received: list[Any] = []
        self._turn = turn
        self._frames = Connection(ConnectionType.CLIENT, list(extensions))
        self._read = client.received.index(b"\r\n\r\n") + 4

    def send(self, *events: Any) -> None:
        """
        Send, and read what comes.
        """
        self.send_bytes(b"".join(self._frames.send(event) for event in events))

    def send_bytes(self, data: bytes) -> None:
        """
        Send frames, well formed or not.
        """
        self.client.send(data)
        self.read()

    def read(self) -> None:
        """
        Read what has come.
        """
        self._turn()
        data = self.client.received[self._read :]
        self._read += len(data)
        if data:
            self._frames.receive_data(data)
            self.received.extend(self._frames.events())


def echoing(log: list[Any]) -> Application:
    """
    Make an application that sends back what it gets.

    @param log: gets what it receives.
    """

    async def application(scope: Any, receive: Any, send: Any) -> None:
        log.append(scope)
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            message = await receive()
            log.append(message)
            if message["type"] == "websocket.disconnect":
                return
            await send({**message, "type": "websocket.send"})

    return application


class WebSocketTestCase(ASGITestCase):
    """
    An application that speaks WebSocket.
    """

    def serve_websocket(self, application: Application) -> ASGIProgram:
        """
        Start the server.
        """
        return self.serve_application(application, clock=self.reactor)

    def open(self, *lines: str, extensions: Any = ()) -> Peer:
        """
        Open a WebSocket.
        """
        client = self.send(get("/chat", *ASKING, *lines))
        self.assertTrue(client.received.startswith(b"HTTP/1.1 101 "), client.received)
        return Peer(client, self.turn, extensions)


class OpeningTests(WebSocketTestCase):
    """
    The handshake.
    """

    def test_accepted(self) -> None:
        """
        The answer proves that the key was read, and the application knows what was asked for.
        """
        log: list[Any] = []
        self.serve_websocket(echoing(log))
        peer = self.open("Sec-WebSocket-Protocol: chat, superchat")
        head = peer.client.received
        self.assertIn(b"\r\nSec-WebSocket-Accept: " + ACCEPT + b"\r\n", head)
        self.assertNotIn(b"Sec-WebSocket-Protocol", head)
        scope = log[0]
        known = [scope[name] for name in ("type", "scheme", "path", "subprotocols")]
        self.assertEqual(known, ["websocket", "ws", "/chat", ["chat", "superchat"]])
        self.assertNotIn("method", scope)

    def test_chosen(self) -> None:
        """
        An application chooses a subprotocol, and may add fields.
        """

        async def application(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"x-a", b"1")]
            await send({"type": "websocket.accept", "subprotocol": "chat", "headers": headers})

        self.serve_websocket(application)
        head = self.open("Sec-WebSocket-Protocol: old, chat").client.received
        self.assertIn(b"\r\nSec-WebSocket-Protocol: chat\r\n", head)
        self.assertIn(b"\r\nx-a: 1\r\n", head)

    def test_refused(self) -> None:
        """
        An application may close before it accepts: 403; or answer as it likes.
        """
        start = {"type": "websocket.http.response.start", "status": 401}
        body = {"type": "websocket.http.response.body", "body": b"who?"}
        for messages, status, content in (
            ([{"type": "websocket.close"}], 403, b""),
            ([start, {**body, "more_body": True}, body], 401, b"who?who?"),
        ):
            received: list[str] = []

            async def application(
                scope: Any, receive: Any, send: Any, messages: Any = messages, log: Any = received
            ) -> None:
                for message in messages:
                    await send(message)
                log.extend([(await receive())["type"], (await receive())["type"]])

            self.serve_websocket(application)
            answer = self.answer(get("/", *ASKING))
            self.assertEqual((answer.status, answer.content), (status, content))
            self.assertEqual(received, ["websocket.connect", "websocket.disconnect"])

    def test_broken(self) -> None:
        """
        A handshake that breaks a rule is refused, and the application is not called.
        """
        self.serve_websocket(echoing([]))
        for index, line in enumerate(
            ("Connection: close", None, "Sec-WebSocket-Version: 8", "Sec-WebSocket-Key: short")
        ):
            if line is None:
                continue
            lines = [*ASKING[:index], line, *ASKING[index + 1 :]]
            answer = self.answer(get("/", *lines))
            self.assertEqual(answer.status, 426 if "Version" in line else 400)
            self.assertEqual(answer.fields["Sec-WebSocket-Version"], "13")

    def test_mistakes(self) -> None:
        """
        An application that breaks the protocol before it accepts gets its client a 500.
        """
        for message in (
            {"type": "websocket.send", "text": "early"},
            {"type": "websocket.accept", "subprotocol": "not offered"},
            {"type": "websocket.accept", "headers": [(b"a", b"b\r\nc: d")]},
            None,
        ):

            async def application(
                scope: Any, receive: Any, send: Any, message: Any = message
            ) -> None:
                if message is not None:
                    await send(message)

            self.serve_websocket(application)
            self.assertEqual(self.answer(get("/", *ASKING)).status, 500)
            self.assertEqual(self.failed(), [ApplicationError])

    def test_other_upgrades(self) -> None:
        """
        Another protocol's name is no WebSocket's: the request is answered as it is.
        """
        log: list[Any] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            log.append(scope["type"])
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})

        self.serve_websocket(application)
        lines = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
        self.assertEqual(self.answer(get("/", *lines)).status, 200)
        self.assertEqual(log, ["http"])

    def test_client_goes(self) -> None:
        """
        A client that goes before it is accepted is told of.
        """
        log: list[str] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            log.extend([(await receive())["type"], (await receive())["type"]])

        program = self.serve_websocket(application)
        client = self.send(get("/", *ASKING))
        client.vanish()
        self.turn()
        self.assertEqual(log, ["websocket.connect", "websocket.disconnect"])
        self.assertEqual(program.running, set())


class MessageTests(WebSocketTestCase):
    """
    What is said on an open one.
    """

    def setUp(self) -> None:
        """
        Serve an echo.
        """
        super().setUp()
        self.log: list[Any] = []
        self.program = self.serve_websocket(echoing(self.log))

    def test_echo(self) -> None:
        """
        Text and bytes go both ways, in one frame or several.
        """
        peer = self.open()
        peer.send(TextMessage("grüße"), BytesMessage(b"\x00\xff"))
        peer.send(TextMessage("a", message_finished=False), TextMessage("b"))
        self.assertEqual([event.data for event in peer.received], ["grüße", b"\x00\xff", "ab"])

    def test_byte_by_byte(self) -> None:
        """
        Cuts do not matter, also where the first frame comes with the request.
        """
        peer = self.open()
        frame = Connection(ConnectionType.CLIENT).send(TextMessage("cut anywhere"))
        for at in range(len(frame)):
            peer.send_bytes(frame[at : at + 1])
        self.assertEqual([event.data for event in peer.received], ["cut anywhere"])
        client = self.connect()
        client.send(get("/chat", *ASKING) + frame)
        early = None
        self.turn()
        early = Peer(client, self.turn)
        early.read()
        self.assertEqual([event.data for event in early.received], ["cut anywhere"])

    def test_compressed(self) -> None:
        """
        permessage-deflate (RFC 7692) is agreed on where the client offers it.
        """
        deflate = PerMessageDeflate()
        client = self.send(
            get(
                "/chat", *ASKING, f"Sec-WebSocket-Extensions: permessage-deflate; {deflate.offer()}"
            )
        )
        (line,) = [
            line
            for line in client.received.split(b"\r\n")
            if line.startswith(b"Sec-WebSocket-Extensions: ")
        ]
        deflate.finalize(line.partition(b": ")[2].decode())
        peer = Peer(client, self.turn, [deflate])
        peer.send(TextMessage("again and " * 100))
        text = "".join(event.data for event in peer.received)
        self.assertEqual(text, "again and " * 100)
        self.assertLess(len(client.received), 500)

    def test_ping(self) -> None:
        """
        A ping is answered with its own bytes.
        """
        peer = self.open()
        peer.send(Ping(b"are you there"))
        (event,) = peer.received
        self.assertEqual((type(event), bytes(event.payload)), (Pong, b"are you there"))

    def test_client_closes(self) -> None:
        """
        The client's close is answered by the same code, told to the application, and the end.
        """
        peer = self.open()
        peer.send(CloseConnection(4000, "done"))
        self.assertEqual([(event.code, event.reason) for event in peer.received], [(4000, "done")])
        self.assertEqual(
            self.log[-1], {"type": "websocket.disconnect", "code": 4000, "reason": "done"}
        )
        self.assertTrue(peer.client.is_ended)
        self.assertEqual(self.program.running, set())

    def test_client_vanishes(self) -> None:
        """
        A connection that is lost is code 1006.
        """
        peer = self.open()
        peer.client.vanish()
        self.turn()
        self.assertEqual(self.log[-1]["code"], 1006)
        self.assertEqual(len(self.factory.connections), 0)

    def test_too_long(self) -> None:
        """
        A message that is too long is refused by 1009, before all of it has come.
        """
        peer = self.open()
        frames = Connection(ConnectionType.CLIENT)
        piece = frames.send(BytesMessage(bytes(1 << 20), message_finished=False))
        peer.send_bytes(piece)
        for _ in range(MESSAGE_MAX_BYTES >> 20):
            peer.send_bytes(
                frames.send(BytesMessage(bytes(1 << 20), message_finished=False))
                if not peer.received
                else b""
            )
        self.assertEqual([event.code for event in peer.received], [1009])
        self.assertEqual([one["type"] for one in self.log[1:]], ["websocket.disconnect"])

    def test_bomb(self) -> None:
        """
        Little that unpacks to much is noticed while it is being unpacked.
        """
        deflate = PerMessageDeflate()
        client = self.send(get("/chat", *ASKING, "Sec-WebSocket-Extensions: permessage-deflate"))
        deflate.finalize("")
        peer = Peer(client, self.turn, [deflate])
        compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = compressor.compress(bytes(256 << 20)) + compressor.flush(zlib.Z_SYNC_FLUSH)
        packed = packed[:-4]
        head = bytes([0xC2, 0x80 | 127]) + len(packed).to_bytes(8) + bytes(4)
        peer.send_bytes(head + packed)
        self.assertEqual([event.code for event in peer.received], [1009])

    def test_nonsense(self) -> None:
        """
        What is no frame, not masked or not UTF-8 is refused by the code of RFC 6455 section 7.4.1.
        """
        for data, code in (
            (bytes([0x83, 0x80, 0, 0, 0, 0]), 1002),
            (bytes([0x81, 0x01, 0x61]), 1002),
            (bytes([0x81, 0x81, 0, 0, 0, 0, 0xFF]), 1007),
            (bytes([0x89, 0xFE, 0x01, 0x00]), 1002),
        ):
            peer = self.open()
            peer.send_bytes(data)
            self.assertEqual([event.code for event in peer.received], [code])
            self.assertTrue(peer.client.is_ended)

    def test_silent(self) -> None:
        """
        A silent peer is pinged after 20 s, and is cut off if it says nothing for 20 s more.
        """
        peer = self.open()
        self.pass_time(19.9)
        self.assertEqual(peer.received, [])
        self.pass_time(0.1)
        peer.read()
        self.assertEqual([type(event) for event in peer.received], [Ping])
        self.pass_time(19.9)
        self.turn()
        self.assertFalse(peer.client.transport.is_aborted)
        self.pass_time(0.1)
        self.turn()
        self.assertTrue(peer.client.transport.is_aborted)
        self.assertEqual(self.log[-1]["code"], 1006)

    def test_answers_pings(self) -> None:
        """
        A peer that answers pings stays.
        """
        peer = self.open()
        for _ in range(5):
            self.pass_time(20)
            peer.read()
            peer.send(peer.received.pop().response())
        self.assertFalse(peer.client.is_ended)

    def test_stop(self) -> None:
        """
        When the server stops the peer is told (1001), and has a while to answer.
        """
        peer = self.open()
        self.factory.connections.close(self.reactor, 100)
        peer.read()
        self.assertEqual([event.code for event in peer.received], [1001])
        self.pass_time(4.9)
        self.assertFalse(peer.client.transport.is_aborted)
        self.pass_time(0.2)
        self.assertTrue(peer.client.transport.is_aborted)


class PaceTests(WebSocketTestCase):
    """
    Nobody is faster than the other end.
    """

    def test_application_does_not_read(self) -> None:
        """
        While messages wait for the application nothing more is read, however small they are.
        """
        go = self.loop.create_future()

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "websocket.accept"})
            await go

        self.serve_websocket(application)
        peer = self.open()
        frames = Connection(ConnectionType.CLIENT)
        for message in (TextMessage(""), BytesMessage(bytes(20_000))):
            sent = 0
            peer = self.open()
            while peer.client.transport.is_reading:
                peer.send_bytes(frames.send(message))
                sent += 1
                self.assertLess(sent, 2000)
        go.set_result(None)
        self.turn()

    def test_client_does_not_read(self) -> None:
        """
        An application waits for a client that takes nothing; and pings of such a client pile up no
        answers.
        """
        sent: list[int] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "websocket.accept"})
            for number in range(1000):
                await send({"type": "websocket.send", "bytes": bytes(65536)})
                sent.append(number)

        self.serve_websocket(application)
        client = self.connect()
        client.transport.window = 200
        client.send(get("/", *ASKING))
        self.turn()
        self.assertLess(len(sent), 5)
        waiting = client.transport.buffered
        frames = Connection(ConnectionType.CLIENT)
        client.send(*(frames.send(Ping(b"%d" % number)) for number in range(100)))
        self.assertEqual(client.transport.buffered, waiting)
        client.transport.window = 1 << 40
        for _ in range(1000):
            self.turn()
        self.assertEqual(len(sent), 1000)
        pongs = [number for number in range(10, 100) if b"\x8a\x02%d" % number in client.received]
        self.assertEqual(pongs, [99])

    def test_mistakes(self) -> None:
        """
        An application that breaks the protocol, or fails, ends its WebSocket with 1011.
        """
        for message in (
            {"type": "websocket.accept"},
            {"type": "websocket.send"},
            {"type": "websocket.send", "text": "a", "bytes": b"b"},
            {"type": "http.response.start", "status": 200},
        ):

            async def application(
                scope: Any, receive: Any, send: Any, message: Any = message
            ) -> None:
                await send({"type": "websocket.accept"})
                await send(message)

            self.serve_websocket(application)
            peer = self.open()
            peer.read()
            self.assertEqual([event.code for event in peer.received], [1011])
            self.assertEqual(self.failed(), [ApplicationError])
