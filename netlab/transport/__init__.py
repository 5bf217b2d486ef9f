"""
A faster way for plain TCP through Twisted, made of ordinary Twisted parts.

Nothing here knows what protocol it carries.
"""
