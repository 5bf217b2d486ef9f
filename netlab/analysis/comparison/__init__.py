"""
Two exchanges side by side, and one exchange seen at two capture points.
"""
