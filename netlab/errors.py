"""
Failures that a user can understand and act on.
"""

from __future__ import annotations


class KnownError(Exception):
    """
    Something went wrong that is nobody's bug: a server that is not there, a port that is taken. Its
    text is one line which says what is wrong and what to do; the C{netlab} command shows that line
    and ends with status 1. A traceback is for our own mistakes.
    """
