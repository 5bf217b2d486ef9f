"""
The program of the benchmarks on aiohttp and uvloop: C{python aiohttp_program.py PORT}.

A GET is answered with its path, a POST with the CRC-32 of its content.
"""

import sys
import zlib

import uvloop
from aiohttp import web


async def show_path(request: web.Request) -> web.Response:
    """
    Answer a GET.
    """
    return web.Response(text=f"You asked for {request.path}\n")


async def show_checksum(request: web.Request) -> web.Response:
    """
    Answer a POST.
    """
    return web.Response(text=f"{zlib.crc32(await request.read()):08x}\n")


uvloop.install()
application = web.Application()
application.router.add_get("/{path:.*}", show_path)
application.router.add_post("/{path:.*}", show_checksum)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
