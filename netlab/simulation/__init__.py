"""
Hosts, links and a virtual clock on which Twisted programs, and blocking ones, run unchanged.
"""
