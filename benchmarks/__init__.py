"""
Benchmarks: C{python -m benchmarks}, or C{make bench}; see README.md in this folder.
"""
