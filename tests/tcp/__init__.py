"""
Tests of L{netlab.tcp}.
"""
