"""
HTTP/1.1 (RFC 9110, 9112), written by hand: a pure layer, then Twisted around it.
"""

from typing import Final

SERVER_NAME: Final = "netlab-http"
"""What the server calls itself in its log: the name of its plugin."""
