"""
What is said of analysed segments: of each frame, of a conversation, and why.
"""
