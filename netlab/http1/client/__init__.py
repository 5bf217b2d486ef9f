"""
The HTTP client, and the command that gets and saves.
"""
