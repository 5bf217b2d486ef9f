"""
Captures: read and written as streams, and decoded down to TCP segments. Pure but for opening files.
"""
