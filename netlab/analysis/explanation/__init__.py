"""
What is said of a capture: equations of each frame, conversations, the whole; made of claims.
"""
