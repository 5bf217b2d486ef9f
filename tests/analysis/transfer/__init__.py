"""
Tests for L{netlab.analysis.transfer}.
"""
