"""
The program of the benchmarks as a resource of ours, for twistd: C{twistd -y netlab_program.py}.

A GET is answered with its path, a POST with the CRC-32 of its content. NETLAB_BENCH_PORT names the
port, NETLAB_BENCH_LOG an access log where there is to be one.
"""

import os
import zlib

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import Application
from twisted.internet import reactor

from netlab.http1.accesslog.log import AccessLog
from netlab.http1.accesslog.logfile import AppendedFile
from netlab.http1.resources.receiving import RequestContent
from netlab.http1.resources.resource import Receiver
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.server.factory import HTTPServerFactory
from netlab.transport.endpoint import server_from_string

_FIELDS = Fields([(b"Content-Type", b"text/plain; charset=utf-8")])


class Program:
    """
    Answers for all paths.
    """

    def respond(self, head: RequestHead) -> Response:
        """
        Answer a GET.
        """
        return Response(200, _FIELDS, b"You asked for /%b\n" % b"/".join(head.target.segments))

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Name what answers a POST.
        """
        return self.read if head.method == b"POST" else None

    async def read(self, head: RequestHead, content: RequestContent) -> Response:
        """
        Answer a POST.
        """
        checksum = 0
        async for piece in content:
            checksum = zlib.crc32(piece, checksum)
        return Response(200, _FIELDS, b"%08x\n" % checksum)


_LOG = os.environ.get("NETLAB_BENCH_LOG")
_log = AccessLog(AppendedFile(_LOG), reactor) if _LOG else None
_endpoint = server_from_string(
    reactor, f"tcp:{os.environ['NETLAB_BENCH_PORT']}:interface=127.0.0.1"
)
application = Application("program")
StreamServerEndpointService(
    _endpoint, HTTPServerFactory(Program(), reactor, access_log=_log)
).setServiceParent(application)
