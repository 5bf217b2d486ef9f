"""
The judges of what travelled: repetition, loss, order, windows and waiting.
"""
