"""
The half of a connection that sends: what was sent, what was lost, and what may be sent now.
"""
