"""
TLS in the two streams of a connection: handshake, alerts and, with a key log, what is inside.
"""
