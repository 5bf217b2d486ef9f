"""
Stories laid out: for a terminal, a browser, a document, a program, or Wireshark.
"""
