"""
Congestion control: one file an algorithm, behind one interface.
"""
