"""
GETs one after another by treq: C{python client_treq.py PORT ROOT PATH}.
"""

import treq
from clientloop import URL, ask_as_told
from twisted.internet.task import react
from twisted.web.client import Agent, HTTPConnectionPool


async def main(reactor: object) -> None:
    """
    Ask on one connection, which its pool keeps.
    """
    pool = HTTPConnectionPool(reactor)
    client = treq.client.HTTPClient(Agent(reactor, pool=pool))

    async def get() -> tuple[int, bytes]:
        response = await client.get(URL)
        return response.code, await response.content()

    await ask_as_told(get)
    await pool.closeCachedConnections()


react(main)
