"""
What is the case in a conversation, before anything is said of it.
"""
