"""
Answers by other people's programs: ASGI and WSGI applications as resources.
"""
