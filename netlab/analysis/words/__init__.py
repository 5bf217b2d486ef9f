"""
Claims in words: one plain sentence for each kind.
"""
