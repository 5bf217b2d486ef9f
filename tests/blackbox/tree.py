"""
The folder that is served to the cases.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

MODIFIED_SECONDS: Final = 1577836800
"""When each file was last modified: Wed, 01 Jan 2020 00:00:00 GMT."""

MODIFIED_DATE: Final = b"Wed, 01 Jan 2020 00:00:00 GMT"

TEXT: Final = b"".join(b"%05d this is a line of text\n" % number for number in range(40))
"""The content of /text.txt: 1320 bytes."""

LARGE: Final = bytes(range(256)) * 1024
"""The content of /large.bin: 256 KiB, more than any server sends in one piece."""

SECRET: Final = b"nobody may read this"

FILES: Final[dict[str, bytes]] = {
    "index.html": b"<!DOCTYPE html>\n<title>Home</title>\n<p>This is the index.\n",
    "probe.txt": b"probe\n",
    "text.txt": TEXT,
    "large.bin": LARGE,
    "empty.txt": b"",
    "folder/index.html": b"<!DOCTYPE html>\n<title>Folder</title>\n",
    "folder/page.html": b"<!DOCTYPE html>\n<title>Page</title>\n",
    "bare/one.txt": b"one\n",
    "bare/<b>&two.txt": b"two\n",
    "with space.txt": b"space\n",
    "ünicode.txt": "ü\n".encode(),
    "packed.js": b"plain();\n",
    "packed.js.gz": b"the gzip variant",
    "packed.js.br": b"the br variant",
    "packed.js.zst": b"the zstd variant",
    "half.css": b"a { }\n",
    "half.css.gz": b"the gzip variant of half",
    "escaping.js": b"inside();\n",
    "picture.png": b"\x89PNG\r\n\x1a\n",
    "unknown.extension": b"?",
    "noextension": b"?",
    ".hidden": b"hidden\n",
    ".well-known/security.txt": b"Contact: mailto:security@example.org\n",
    "404.html": b"<!DOCTYPE html>\n<title>Nothing</title>\n",
}


HTPASSWD: Final = b"# made by htpasswd -nbBC 5\nana:%b\nben:%b\n" % (
    b"$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
    b"$2y$05$abcdefghijklmnopqrstuuCMcjv9ygSqX2W2ODncSpkZMLU5eqfre",
)
"""The password of ana is "secret", that of ben "päss:word"."""

REDIRECTS: Final = b"""\
# what moved
/old.html   /text.txt          301
/gone       /folder/           302
/blog/*     /folder/:splat     308
/away       https://example.org/
/see        /text.txt?a=b      303
/temporary  /text.txt          307
"""


def make_tree(folder: Path) -> Path:
    """
    Write the files, and beside their folder what some options name, and a secret that no path may
    reach.

    @param folder: an empty folder.
    @return: the root to serve.
    """
    root = folder / "root"
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (MODIFIED_SECONDS, MODIFIED_SECONDS))
    (folder / "secret.txt").write_bytes(SECRET)
    (folder / "htpasswd").write_bytes(HTPASSWD)
    (folder / "redirects").write_bytes(REDIRECTS)
    (root / "outside.txt").symlink_to(folder / "secret.txt")
    (root / "escaping.js.gz").symlink_to(folder / "secret.txt")
    (root / "inside.txt").symlink_to("probe.txt")
    return root
