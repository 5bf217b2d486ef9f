"""
HTTP/1.1 (RFC 9110, 9112), written by hand: a pure layer, then Twisted around it.
"""
