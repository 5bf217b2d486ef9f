"""
The program of the benchmarks on C{twisted.web}: C{python twisted_program.py PORT [ACCESS_LOG]}.

A GET is answered with its path, a POST with the CRC-32 of its content.
"""

import sys
import zlib

from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Request, Site


class Program(Resource):
    """
    Answers for all paths.
    """

    isLeaf = True

    def render_GET(self, request: Request) -> bytes:
        """
        Answer with the path.
        """
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        return b"You asked for %b\n" % request.path

    def render_POST(self, request: Request) -> bytes:
        """
        Answer with the checksum.
        """
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        return b"%08x\n" % zlib.crc32(request.content.read())


class Quiet(Site):
    """
    A site that formats no line for a log.
    """

    def log(self, request: Request) -> None:
        """
        Write nothing.
        """


_site = Site(Program(), logPath=sys.argv[2]) if len(sys.argv) > 2 else Quiet(Program())
reactor.listenTCP(int(sys.argv[1]), _site, interface="127.0.0.1")
reactor.run()
