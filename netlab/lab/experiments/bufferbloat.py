"""
A bottleneck with far too large a queue: everybody waits in it.
"""

from __future__ import annotations

import socket
import time

from netlab.lab.api.expected import connections, has_no_reset, opens
from netlab.lab.api.experiment import Experiment, Impairment, Laboratory, WireSettings
from netlab.lab.api.sockets import connect, receive, receive_to_end, say

BULK_PORT = 8081
ASKING_PORT = 8082

BULK_BYTES = 1_500_000
DELAY_SECONDS = 0.01
RATE = 8_000_000

#: A second's worth and more of full segments at that rate.
QUEUE_FRAMES = 1000

QUESTIONS = 8
QUESTION_SECONDS = 0.15


def serve_bulk(listening: socket.socket) -> None:
    """
    Send much to the first client.
    """
    connection, _ = listening.accept()
    with connection:
        connection.sendall(bytes(BULK_BYTES))


def serve_questions(listening: socket.socket) -> None:
    """
    Answer a byte by a byte.
    """
    connection, _ = listening.accept()
    with connection:
        while data := connection.recv(1):
            connection.sendall(data)


def fetch(address: str) -> None:
    """
    Read all of it.
    """
    with connect(address, BULK_PORT) as connection:
        say(f"{len(receive_to_end(connection)):,} bytes came.")


def ask(address: str) -> None:
    """
    Ask now and then, and say how long the answer took.
    """
    with connect(address, ASKING_PORT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(QUESTIONS):
            began = time.monotonic()
            connection.sendall(b"?")
            receive(connection, 1)
            say(f"An answer after {(time.monotonic() - began) * 1000:.0f} ms.")
            time.sleep(QUESTION_SECONDS)


async def perform(lab: Laboratory) -> None:
    """
    Ask while much is being fetched.
    """
    await lab.server.serve_function(serve_bulk, port=BULK_PORT)
    await lab.server.serve_function(serve_questions, port=ASKING_PORT)
    asking = lab.client.start_function(ask, lab.server.address)
    await asking.line("An answer")
    await lab.client.run_function(fetch, lab.server.address)
    await asking.ended()


EXPERIMENT = Experiment(
    name="bufferbloat",
    question="Why does everything become slow while something large is downloaded?",
    programs="A bulk transfer, and a client that asks for a byte now and then, on one bottleneck.",
    look_for=(
        "The first answer takes 20 ms, the time of the path. While the large transfer runs answers "
        "take hundreds of milliseconds: the round-trip plot of either connection climbs as the "
        "queue grows. Nothing is lost."
    ),
    explanation=(
        "Slow start doubles the window until something is lost, and a queue of 1000 frames loses "
        "nothing for long: the window grows into the queue, and each frame that is put behind it "
        "waits until all before it have been sent. The throughput is the same with a queue of one "
        "round trip's worth (try --queue 20); RFC 7567 asks routers for queues that stay short."
    ),
    perform=perform,
    expectations=(
        connections(2),
        opens(0),
        opens(1),
        has_no_reset(0),
        has_no_reset(1),
    ),
    wire=WireSettings(
        Impairment(delay=DELAY_SECONDS),
        Impairment(delay=DELAY_SECONDS, rate=RATE, queue=QUEUE_FRAMES),
    ),
    server_sysctls={"net.ipv4.tcp_wmem": "4096 4194304 8388608"},
    client_sysctls={"net.ipv4.tcp_rmem": "4096 4194304 8388608"},
    needs_wire=True,
)
