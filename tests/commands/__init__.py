"""
Tests for L{netlab.commands}.
"""
