"""
What serves: factory, connections, exchanges, deadlines, admission, sending.
"""
