"""
Where the packaged demonstration files are.
"""

from __future__ import annotations

from pathlib import Path


def demonstration_root() -> Path:
    """
    Find the folder of web pages that netlab brings along.

    In a checkout and in an editable install this is C{htdocs/} at the top of the tree, so that an
    edited page shows at once; in a wheel it is a copy inside the package.

    @return: the folder, absolute and with symbolic links resolved, so that it may serve as the
        root which a server compares resolved paths with.
    @raise FileNotFoundError: the installation is incomplete.
    """
    return Path(__file__).with_name("htdocs").resolve(strict=True)
