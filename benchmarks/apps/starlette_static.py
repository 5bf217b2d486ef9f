"""
The static files of Starlette, for uvicorn: the folder is named by the environment.
"""

import os

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

application = Starlette(
    routes=[Mount("/", StaticFiles(directory=os.environ["NETLAB_BENCH_ROOT"]))],
)
