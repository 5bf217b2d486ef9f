"""
Look for bytes that break a promise, guided by coverage (atheris, libFuzzer)::

    python -m tests.fuzz.run server_machine -max_total_time=60

The options are libFuzzer's. An input that takes longer than five seconds is a finding, too.
What breaks a promise is written to the current directory: put it into corpus/ with the fix, and
C{test_promises.py} tries it ever after.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

_PROMISES = "tests.fuzz.promises"
_HERE = Path(__file__).resolve().parent


def main() -> None:
    """
    Run one target.
    """
    if sys.argv[1:] == ["--list"]:
        sys.stdout.write("".join(f"{name}\n" for name in import_module(_PROMISES).PROMISES))
        return
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["netlab"]):
        promises = import_module(_PROMISES).PROMISES
    if len(sys.argv) < 2 or sys.argv[1] not in promises:
        sys.exit(f"name one of: {' '.join(promises)}")
    name, options = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as grown:
        arguments = [
            sys.argv[0],
            f"-dict={_HERE / 'http.dict'}",
            "-max_len=4096",
            "-timeout=5",
            "-rss_limit_mb=1024",
            "-print_final_stats=1",
            "-verbosity=0",
            *options,
            grown,
            str(_HERE / "corpus" / name),
        ]
        atheris.Setup(arguments, promises[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
