"""
Tests of L{netlab.tcp.congestion}.
"""
