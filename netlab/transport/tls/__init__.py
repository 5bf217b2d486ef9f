"""
TLS by the standard library's C{ssl}, on the fast transport.
"""
