"""
What is kept of answered requests: log lines, their file, and counters.
"""
