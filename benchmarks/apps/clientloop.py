"""
What the clients of the benchmarks have in common: they ask as often as a line of their input says,
and write a line when that is done. Each answer is compared with the file.
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

URL = f"http://127.0.0.1:{sys.argv[1]}/{sys.argv[3]}"
_EXPECTED = (200, (Path(sys.argv[2]) / sys.argv[3]).read_bytes())


async def ask_as_told(get: Callable[[], Awaitable[tuple[int, bytes]]]) -> None:
    """
    Ask until the input ends. Nothing else happens in this process, so that it may wait for a line.

    @param get: asks once; returns status and content.
    """
    for line in sys.stdin:
        for _ in range(int(line)):
            if await get() != _EXPECTED:
                sys.exit("a wrong answer")
        print("done", flush=True)
