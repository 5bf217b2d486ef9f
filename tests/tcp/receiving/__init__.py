"""
Tests of L{netlab.tcp.receiving}.
"""
