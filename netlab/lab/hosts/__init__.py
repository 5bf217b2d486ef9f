"""
The two hosts: namespaces, devices, and what runs in them.
"""
