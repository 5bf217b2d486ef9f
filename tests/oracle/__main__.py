"""
C{python -m tests.oracle FILE...}: where our figures of these captures are not tshark's.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from netlab.capture.faults import CaptureError
from netlab.commands.outcome import show
from tests.oracle import comparison, differences, reference

_SHOWN_MAX = 5


def main(paths: list[str]) -> int:
    """
    Compare captures, and print what differs and is not accepted by a rule.

    @param paths: of the captures; those that are none are passed over.
    @return: 0 if nothing is left.
    """
    rules: Counter[str] = Counter()
    figures: Counter[str] = Counter()
    captures = segments = 0
    for path in map(Path, paths):
        rows = {int(row["frame.number"]): row for row in reference.read(path)}
        try:
            ours = list(comparison.read(path))
        except CaptureError as error:
            if rows:
                show(f"{path}: {error}, but tshark finds {len(rows)} segments")
            continue
        if not rows and not ours:
            continue
        captures += 1
        segments += len(rows)
        found = comparison.compare(ours, rows.values())
        left, accepted = differences.unexplained(found, rows)
        rules.update(accepted)
        figures.update(difference.figure for difference in left)
        for difference in left[:_SHOWN_MAX]:
            show(
                f"{path}: #{difference.number} {difference.figure}: ours {difference.ours!r}, "
                f"tshark {difference.theirs!r} ({difference.protocols})"
            )
        if len(left) > _SHOWN_MAX:
            show(f"{path}: and {len(left) - _SHOWN_MAX} more")
    show(f"{captures} captures with TCP, {segments} segments")
    for rule, count in sorted(rules.items()):
        show(f"{count:8} captures differ by the rule {rule}")
    for figure, count in figures.most_common():
        show(f"{count:8} times {figure} differs without a rule")
    return bool(figures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
