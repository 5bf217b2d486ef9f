"""
C{python -m tests.truth FILE...}: claims about these captures that their frames refute.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from netlab.commands.outcome import show
from tests.truth.checker import refuted
from tests.truth.claimed import claims_of
from tests.truth.frames import read_frames


def main(paths: list[str]) -> int:
    """
    Check captures, and print what is refuted.

    @param paths: of the captures; those that cannot be explained are passed over.
    @return: 0 if nothing is refuted.
    """
    kinds: Counter[str] = Counter()
    count = captures = 0
    for path in map(Path, paths):
        command = [sys.executable, "-m", "netlab.cli", "explain", str(path), "--format", "json"]
        told = subprocess.run(command, capture_output=True, check=False)
        if told.returncode:
            continue
        document = json.loads(told.stdout)
        captures += 1
        count += sum(1 for _ in claims_of(document))
        for each in refuted(document, read_frames(path)):
            kinds[each.claim.kind] += 1
            show(f"{path}: {each}")
    show(f"{captures} captures, {count} claims, {sum(kinds.values())} refuted")
    for kind, number in kinds.most_common():
        show(f"{number:8} {kind}")
    return bool(kinds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
