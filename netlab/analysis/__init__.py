"""
What captured segments mean: conversations by RFC 9293, judged as Wireshark judges them, and told.
"""
