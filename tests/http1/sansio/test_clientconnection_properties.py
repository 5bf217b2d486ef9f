"""
The client's machine: what holds for any bytes in any cuts, and against the server's machine.
"""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.clientconnection import ClientConnection, ClientSettings
from netlab.http1.sansio.messages import (
    END_OF_MESSAGE,
    ConnectionClosed,
    Content,
    Event,
    ResponseHead,
)
from netlab.http1.sansio.serverconnection import ServerConnection
from netlab.http1.sansio.serversettings import ServerSettings
from tests.http1.clientmachines import OK, answer, asked, bytes_of, events_of, request

HEAD_LINES = st.sampled_from(
    [
        b"Content-Length: 3",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"A: b",
        b"A:\tb",
        b"Content-Length: x",
        b" folded",
        b"no colon",
    ]
)


STREAMS = st.builds(
    lambda interim, status, lines, body, rest: (
        interim + answer(*lines, body=body, status=status) + rest
    ),
    st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]),
    st.sampled_from([b"200 OK", b"204 X", b"304 X", b"404 Not Found", b"999 "]),
    st.lists(HEAD_LINES, max_size=4),
    st.sampled_from([b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"3\r\nab"]),
    st.sampled_from([b"", b"\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]),
)


class PropertyTests(SynchronousTestCase):
    """
    What holds for any bytes in any cuts.
    """

    @settings(deadline=None, max_examples=200)
    @given(
        st.one_of(STREAMS, st.binary(max_size=200), st.binary().map(lambda b: OK[0] + b)),
        st.lists(st.integers(0, 200), max_size=5),
        st.sampled_from([b"GET", b"HEAD"]),
    )
    def test_cuts_do_not_matter(self, data: bytes, cuts: list[int], method: bytes) -> None:
        """
        Any bytes give the same events in any cuts: events or the one error, nothing else.
        """
        edges = [0, *sorted(cut for cut in cuts if 0 < cut < len(data)), len(data)]
        pieces = [data[a:b] for a, b in itertools.pairwise(edges) if a < b]
        whole = events_of(asked(request(method)), [data] if data else [])
        self.assertEqual(events_of(asked(request(method)), pieces), whole)
        self.assertEqual(events_of(asked(request(method)), bytes_of(data)), whole)


class JoinedTests(SynchronousTestCase):
    """
    The two machines speak with each other in memory.
    """

    @settings(deadline=None, max_examples=100)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([b"GET", b"HEAD", b"PUT"]),
                st.sampled_from([200, 204, 304, 404]),
                st.binary(max_size=50),
                st.booleans(),
                st.integers(1, 40),
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_exchanges(self, exchanges: list[tuple[bytes, int, bytes, bool, int]]) -> None:
        """
        What one machine sends the other one reads, exchange after exchange, in any framing and any
        cuts; and both agree on where the connection ends.
        """
        client = ClientConnection(ClientSettings())
        server = ServerConnection(ServerSettings(), 0.0)
        for method, status, data, has_length, cut in exchanges:
            lines = [(b"Content-Length", b"%d" % len(data))] if method == b"PUT" else []
            head = request(method, b"/x?y", *lines)
            sent = client.send(head, 1.0)
            if lines:
                sent += client.send(Content(data), 1.0)
            sent += client.send(END_OF_MESSAGE, 1.0)
            asked_for: list[Event] = []
            for at in range(0, len(sent), cut):
                server.receive(sent[at : at + cut], 1.0)
                while (event := server.next_event()) is not None:
                    asked_for.append(event)
            self.assertEqual(asked_for[0], head)
            got = b"".join(event.data for event in asked_for if isinstance(event, Content))
            self.assertEqual(got, data if lines else b"")
            self.assertEqual(asked_for[-1], END_OF_MESSAGE)

            allows_content = status not in (204, 304) and method != b"HEAD"
            out = server.send(ResponseHead(status), 2.0, len(data) if has_length else None)
            if allows_content:
                out += server.send(Content(data), 2.0)
            out += server.send(END_OF_MESSAGE, 2.0)
            pieces = [out[at : at + cut] for at in range(0, len(out), cut)]
            found = events_of(client, pieces, ends=False)
            first = found[0]
            self.assertIsInstance(first, ResponseHead)
            assert isinstance(first, ResponseHead)
            self.assertEqual(first.status, status)
            content = [event.data for event in found if isinstance(event, Content)]
            self.assertEqual(b"".join(content), data if allows_content else b"")
            self.assertEqual(found[-1], END_OF_MESSAGE)
            self.assertEqual(client.must_close, server.must_close)
            self.assertTrue(client.is_ready)
        client.close()
        server.receive_end(3.0)
        self.assertIsInstance(server.next_event(), ConnectionClosed)
