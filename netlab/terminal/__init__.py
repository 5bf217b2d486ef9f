"""
What a command that runs in a terminal needs beside the reactor.
"""
