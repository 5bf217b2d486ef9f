"""
The wire between the hosts: what it delays, loses and records.
"""
