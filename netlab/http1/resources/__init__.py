"""
What answers: resources, static files, listings, redirections, ranges, preconditions.
"""
