"""
What a run leaves behind: verdicts, reports, the page over all of them.
"""
