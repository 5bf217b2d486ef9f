"""
How many descriptors this process may have.
"""

from __future__ import annotations


def descriptor_limit() -> int | None:
    """
    Tell how many descriptors this process may have open.

    @return: None where there is no limit, or no way to ask (Windows).
    """
    try:
        import resource
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
