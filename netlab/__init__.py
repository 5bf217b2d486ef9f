"""
netlab: a network laboratory on Twisted.
"""
