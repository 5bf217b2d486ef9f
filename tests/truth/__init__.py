"""
Whether what is claimed of a capture is true: a checker that shares no code with what claims.

It reads the frames by C{tshark} and the claims from C{netlab explain --format json}, and refutes
those that the frames contradict. C{python -m tests.truth FILE...} checks any captures.
"""
