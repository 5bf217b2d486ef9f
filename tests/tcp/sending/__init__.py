"""
Tests of L{netlab.tcp.sending}.
"""
