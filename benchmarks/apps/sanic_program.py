"""
The program of the benchmarks on Sanic, which takes uvloop: C{python sanic_program.py PORT}.

A GET is answered with its path.
"""

import sys

from sanic import HTTPResponse, Request, Sanic
from sanic.response import text

application = Sanic("program", configure_logging=False)


@application.get("/<path:path>")
async def show_path(request: Request, path: str) -> HTTPResponse:
    """
    Answer a GET.
    """
    return text(f"You asked for {request.path}\n")


application.run("127.0.0.1", int(sys.argv[1]), single_process=True, access_log=False, motd=False)
