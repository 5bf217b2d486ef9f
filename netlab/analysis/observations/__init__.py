"""
What is the case in a conversation, before anything is told of it.
"""
