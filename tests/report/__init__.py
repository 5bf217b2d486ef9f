"""
Tests for L{netlab.report}.
"""
