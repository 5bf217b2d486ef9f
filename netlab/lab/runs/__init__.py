"""
An experiment being run: machines, programs, batches, and the loopback fallback.
"""
