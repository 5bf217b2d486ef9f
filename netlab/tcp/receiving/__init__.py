"""
The half of a connection that receives: what is acceptable, what is kept, when it is acknowledged.
"""
