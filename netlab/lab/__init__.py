"""
The laboratory: two hosts, a wire between them that records every frame, and experiments on them.
"""
