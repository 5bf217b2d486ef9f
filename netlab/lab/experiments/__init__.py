"""
The experiments that come with netlab, one file each.
"""
