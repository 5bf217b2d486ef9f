"""
Tests for L{netlab.lab.live}.
"""
