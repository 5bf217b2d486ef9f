"""
The language of packetdrill scripts: text to values, and what those say without a machine.
"""
