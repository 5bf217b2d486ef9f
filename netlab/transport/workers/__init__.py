"""
Several processes at one port: kept alive, spoken to, each with its share.
"""
