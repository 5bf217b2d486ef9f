"""
Segments to the HTTP messages that they carry, by our own HTTP parser.
"""
