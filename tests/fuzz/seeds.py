"""
Write the seeds of the targets that need a real connection::

    python -m tests.fuzz.seeds

What is made is not the same each time; what is kept in corpus/ has been made once.
"""

from __future__ import annotations

from pathlib import Path

from tests.analysis.tls.played import Terms, begin

_CORPUS = Path(__file__).resolve().parent / "corpus"
_PART_MAX = 63


def main() -> None:
    """
    Play short connections, and write what was sent in the form of C{promises.tls}.
    """
    for version in ("1.2", "1.3"):
        played = begin(Terms(version))
        played.say("c", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        played.say("s", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        played.close("s")
        parts = [
            (end, data[at : at + _PART_MAX])
            for end, data in played.sent
            for at in range(0, len(data), _PART_MAX)
        ]
        seed = b"".join(bytes((len(part) << 2 | (end == "c"),)) + part for end, part in parts)
        (_CORPUS / "tls" / f"seed-{version}").write_bytes(seed)
        (_CORPUS / "keylog" / f"seed-{version}").write_bytes(played.keylog_bytes)


if __name__ == "__main__":
    main()
