"""
HTTP/1.1 without a socket or a clock, for both roles: grammar, framing, bodies, states, machines.
"""
