"""
The static files of aiohttp on uvloop: C{python aiohttp_static.py ROOT PORT}.
"""

import sys

import uvloop
from aiohttp import web

uvloop.install()
application = web.Application()
application.router.add_static("/", sys.argv[1])
web.run_app(application, host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None)
