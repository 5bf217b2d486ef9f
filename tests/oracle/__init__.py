"""
The oracle: C{tshark -2 -n -T fields} says, frame by frame, what the figures of a capture are.

C{python -m tests.oracle FILE...} compares any captures.
"""
