"""
An upper-casing TCP echo: server, client and twistd plugin.
"""
