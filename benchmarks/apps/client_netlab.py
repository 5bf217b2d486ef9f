"""
GETs one after another by our own client: C{python client_netlab.py PORT ROOT PATH}.
"""

from clientloop import URL, ask_as_told
from twisted.internet.task import react

from netlab.http1.client.client import HTTPClient


async def main(reactor: object) -> None:
    """
    Ask on one connection.
    """
    async with HTTPClient(reactor) as client:

        async def get() -> tuple[int, bytes]:
            response = await client.get(URL)
            return response.status, await response.read()

        await ask_as_told(get)


react(main)
