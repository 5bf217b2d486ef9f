"""
GETs one after another by aiohttp's client: C{python client_aiohttp.py PORT ROOT PATH}.
"""

import asyncio

import aiohttp
from clientloop import URL, ask_as_told


async def main() -> None:
    """
    Ask on one connection.
    """
    async with aiohttp.ClientSession() as session:

        async def get() -> tuple[int, bytes]:
            async with session.get(URL) as response:
                return response.status, await response.read()

        await ask_as_told(get)


asyncio.run(main())
