"""
Segments to conversations: variables and states of RFC 9293, marks as Wireshark sets them.
"""
