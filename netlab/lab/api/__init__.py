"""
What the author of an experiment imports.
"""
