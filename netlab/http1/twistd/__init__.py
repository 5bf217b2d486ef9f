"""
What C{twistd netlab-http} loads: options, service, workers, the admin port.
"""
