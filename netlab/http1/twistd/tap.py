"""
C{twistd netlab-http}: options to a service.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from twisted.logger import Logger

import netlab
from netlab.connections import OpenConnections
from netlab.http1 import SERVER_NAME
from netlab.http1.accesslog.counters import Snapshot
from netlab.http1.accesslog.log import AccessLog
from netlab.http1.accesslog.loglines import CombinedFormat, JSONFormat
from netlab.http1.passwords.access import Protected
from netlab.http1.programs.mounts import Mounts
from netlab.http1.resources.resource import (
    CrossOrigin,
    Redirect,
    Redirected,
    Resource,
    Router,
    WithFields,
)
from netlab.http1.resources.responses import Pages
from netlab.http1.resources.static import StaticFiles, StaticSettings
from netlab.http1.sansio.forwarded import TrustedProxies
from netlab.http1.sansio.limits import Admission, Limits, Timeouts
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.server.context import steady
from netlab.http1.server.factory import HTTPServerFactory
from netlab.http1.twistd.admin import admin_service
from netlab.http1.twistd.bounds import (
    ADMISSION_BOUNDS,
    CACHE_BOUNDS,
    LIMIT_BOUNDS,
    TIMEOUT_BOUNDS,
    values,
)
from netlab.http1.twistd.options import Options
from netlab.http1.twistd.programs import Programs
from netlab.http1.twistd.running import (
    HTTPService,
    Nobody,
    SupervisedService,
    WorkersPast,
    descriptor_of,
    leave_to_others,
)
from netlab.service import ListeningService
from netlab.terminal.steadyoutput import make_output_steady
from netlab.transport.certificates import Renewable
from netlab.transport.workers.supervisor import Supervisor, forwarded, worker_environment

#: What twistd looks for here.
__all__ = ["Options", "makeService"]

_log = Logger(namespace=SERVER_NAME)


def makeService(options: Options, reactor: Any = None) -> HTTPService:
    """
    Make the HTTP server's service.

    @param options: the parsed command line.
    @param reactor: measures time; twistd passes none, which means the global one.
    @return: the service, which opens its ports when it starts.
    """
    if reactor is None:
        from twisted.internet import reactor

        # The log goes there (twistd -n), and a reader that hangs must not stop the server.
        make_output_steady()
    if not options.is_worker:
        _warn_of_key_log(options)
    if options["workers"] and not options.is_worker:
        return _supervised_service(options, reactor)
    pages = Pages(bool(options["bare-headers"]))
    programs = Programs(reactor, options.mounts, options["threads"], is_worker=options.is_worker)
    factory = HTTPServerFactory(
        _resource(options, pages, reactor, programs),
        reactor,
        ServerSettings(
            Limits(**values(LIMIT_BOUNDS, options)),
            Timeouts(**values(TIMEOUT_BOUNDS, options)),
            is_bare=pages.is_bare,
        ),
        _access_log(options, reactor),
        admission=Admission(**values(ADMISSION_BOUNDS, options)),
        shows_requests=bool(options["show-requests"]),
        proxies=TrustedProxies(options.trusted) if options.trusted else None,
        **values(CACHE_BOUNDS, options),
    )
    calls: dict[signal.Signals, Callable[[], None]] = {}
    if factory.context.access_log is not None:
        calls[signal.SIGUSR1] = factory.context.access_log.reopen
    if renewable := options.renewable():
        # Only then: without TLS a server ends, as all do, when its terminal is closed.
        calls[signal.SIGHUP] = partial(_renew, renewable)
    server = ListeningService(
        reactor,
        SERVER_NAME,
        factory,
        options.endpoints,
        factory.connections,
        options["drain-timeout"],
        is_worker=options.is_worker,
    )

    def take() -> Snapshot:
        counters = factory.context.counters
        return Snapshot(
            dict(counters.answers),
            counters.content_bytes,
            counters.connections,
            factory.context.gate.refused,
            len(factory.connections),
        )

    # A worker gets its order to stop when the delay is over.
    delay = 0.0 if options.is_worker else options["stop-delay"]
    service = HTTPService(
        server,
        reactor,
        delay,
        calls,
        take,
        factory.connections.abort,
        programs=None if programs.is_empty else programs,
        hears_signals=not options.is_worker,
    )
    if options.admin_endpoint is not None and not options.is_worker:
        endpoint = options.admin_endpoint
        hosts = options.admin_hosts
        admin = admin_service(endpoint, take, lambda: service.is_serving, reactor, hosts=hosts)
        admin.setServiceParent(service)  # type: ignore[no-untyped-call]
    return service


def _supervised_service(options: Options, reactor: Any) -> HTTPService:
    """
    Make the service of a supervisor.
    """
    if options.log_file is not None:
        options.log_file.close()  # the workers have it
    server = ListeningService(
        reactor,
        SERVER_NAME,
        Nobody(),
        options.endpoints,
        OpenConnections(),
        opened=leave_to_others,
    )

    def command(slot: int, sockets: int) -> list[str]:
        module = type(reactor).__module__
        python = [sys.executable, "-P", "-m", "netlab.http1.twistd.worker"]
        return [*python, module, str(slot), str(sockets), *options.arguments]

    past = WorkersPast()
    supervisor = Supervisor(
        reactor,
        SERVER_NAME,
        options["workers"],
        command,
        lambda: [descriptor_of(port) for port in server.ports],
        directory=options.directory,
        environment=worker_environment(str(Path(netlab.__file__).parent.parent)),
        grace=options["drain-timeout"],
        gone=past.add,
    )
    calls = {}
    if options.log_file is not None:
        calls[signal.SIGUSR1] = forwarded(supervisor, signal.SIGUSR1)
    if options.renewable():
        calls[signal.SIGHUP] = forwarded(supervisor, signal.SIGHUP)
    service = SupervisedService(server, supervisor, past, reactor, options["stop-delay"], calls)
    if options.admin_endpoint is not None:

        def is_serving() -> bool:
            return service.is_serving and any(worker.is_ready for worker in supervisor.workers)

        endpoint = options.admin_endpoint
        hosts = options.admin_hosts
        admin = admin_service(endpoint, service.take, is_serving, reactor, supervisor, hosts=hosts)
        admin.setServiceParent(service)  # type: ignore[no-untyped-call]
    return service


def _access_log(options: Options, reactor: Any) -> AccessLog | None:
    if options.log_file is None:
        return None
    is_json = options["access-log-format"] == "json"
    return AccessLog(options.log_file, reactor, JSONFormat() if is_json else CombinedFormat())


def _warn_of_key_log(options: Options) -> None:
    if options.tls is not None and options.tls.key_log is not None:
        _log.warn(
            "The secrets of all TLS connections are written to {path}: anyone who reads it can "
            "decrypt what was captured. For teaching, never for a real service.",
            path=options.tls.key_log,
        )


def _renew(endpoints: list[tuple[str, Renewable]]) -> None:
    """
    Read certificates again; one that is no good changes nothing.
    """
    for description, endpoint in endpoints:
        try:
            endpoint.renew()
        except Exception as error:  # noqa: BLE001, of OpenSSL, of the file system, of Twisted
            problem = str(error) or type(error).__name__
            _log.error(
                "The certificate of {place} stays as it was: {why}", place=description, why=problem
            )
        else:
            _log.info("The certificate of {place} was read again", place=description)


def _resource(options: Options, pages: Pages, reactor: Any, programs: Programs) -> Resource:
    """
    Put together what answers, from the inside out.
    """
    settings = StaticSettings(
        shows_hidden=bool(options["hidden"]),
        lists_folders=bool(options["listing"]),
        is_single_page=bool(options["single-page"]),
        not_found=options.not_found,
        is_bare=pages.is_bare,
        cache_control=options.cache_control,
        html_cache_control=options.html_cache_control,
    )
    resource: Resource = StaticFiles(
        options.root, reactor.seconds, settings, steady(reactor.seconds)
    )
    mounted = programs.resources()
    resource = mounted.pop((), resource)
    if mounted:
        resource = Mounts(mounted, resource)
    if options.rules:
        resource = Redirected(options.rules, resource, pages)
    routes = {
        segments: Redirect(location, pages=pages) for segments, location in options.routes.items()
    }
    resource = Router(routes, resource, pages)
    if options.passwords is not None:
        resource = Protected(resource, options.passwords, pages, reactor)
    if options.field_lines:
        resource = WithFields(resource, tuple(options.field_lines))
    if options.origins:
        resource = CrossOrigin(resource, tuple(options.origins))
    return resource
