"""
The admin port: metrics and health, never on the public one.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamServerEndpoint

from netlab.http1 import SERVER_NAME
from netlab.http1.accesslog.counters import Snapshot
from netlab.http1.resources.hostguard import NamedOnly, Names
from netlab.http1.resources.resource import Nothing, Resource, Router
from netlab.http1.resources.responses import Pages
from netlab.http1.server.factory import HTTPServerFactory
from netlab.service import ListeningService
from netlab.transport.workers.supervisor import Supervisor


def admin_service(
    endpoint: tuple[str, IStreamServerEndpoint],
    take: Callable[[], Snapshot | Deferred[Snapshot]],
    is_serving: Callable[[], bool],
    reactor: Any,
    supervisor: Supervisor | None = None,
    *,
    hosts: Collection[str] = (),
) -> ListeningService:
    """
    Make the service of the admin port.

    @param endpoint: where, as it was typed and as it is.
    @param take: takes a snapshot of the counters.
    @param is_serving: tells whether new connections are welcome.
    @param reactor: listens.
    @param supervisor: has the workers, if there are any.
    @param hosts: names by which it may be asked for, beside C{localhost}, this machine's own name
        and any address.
    """
    # Not at the top: most servers have no admin port.
    from netlab.http1.twistd.metrics import HealthPage, MetricsPage, WorkersCollector

    pages = Pages()
    collectors = () if supervisor is None else (WorkersCollector(supervisor),)
    routes: dict[tuple[bytes, ...], Resource] = {
        (b"metrics",): MetricsPage(take, pages, collectors),
        (b"health",): HealthPage(pages, is_serving),
    }
    ours = frozenset({*hosts, socket.gethostname().lower()})
    names = Names(ours, takes_addresses=True, takes_nameless=True)
    site = NamedOnly(Router(routes, Nothing(pages), pages), names, pages)
    factory = HTTPServerFactory(site, reactor)
    return ListeningService(
        reactor,
        f"{SERVER_NAME}-admin",
        factory,
        [endpoint],
        factory.connections,
        option="--admin tcp:PORT",
    )
