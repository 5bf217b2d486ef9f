"""
An application for granian, which answers for static files before it is asked.
"""


async def application(scope: object, receive: object, send: object) -> None:
    """
    Answer nothing: no path comes here.
    """
    raise NotImplementedError
