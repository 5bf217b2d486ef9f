"""
Build the API documentation with pydoctor, and fail on each warning but the accepted kinds.
"""

from __future__ import annotations

import re
import subprocess
import sys

ACCEPTED = (
    # A name that the module imports from Python or Twisted. Their inventories, which would make it
    # a link, are on other people's servers (docs/decisions/0004-api-docs-without-intersphinx.md).
    re.compile(r"Cannot find link target for .* \(you can link to external docs with"),
    # The same for built-in names.
    re.compile(r'Cannot find link target for "(?:None|True|False|bool|bytes|float|int|str)"$'),
    # Possessive quantifiers are new in Python 3.11, and pydoctor's reader of patterns is older. It
    # then shows the pattern without colours.
    re.compile(r"Cannot colorize regular expression, error: multiple repeat"),
)

done = subprocess.run(
    [sys.executable, "-m", "pydoctor", "--quiet", *sys.argv[1:]],
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
    check=False,
)
warnings = [
    line
    for line in done.stdout.splitlines()
    if not any(accepted.search(line) for accepted in ACCEPTED)
]
print("\n".join(warnings), end="\n" if warnings else "")
sys.exit(done.returncode or bool(warnings))
