"""
Resources behind a password: who is let in, and whose password is checked next.
"""
