"""
What a capture should show: for experiments, and for marking.
"""
