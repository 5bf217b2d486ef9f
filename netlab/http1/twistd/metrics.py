"""
The pages of the admin port: metrics in Prometheus's text format, and health.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from twisted.internet.defer import Deferred

from netlab.http1.accesslog.counters import Snapshot
from netlab.http1.resources.resource import Answer
from netlab.http1.resources.responses import Pages, Response, refuse_method
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.transport.workers.supervisor import Supervisor


class _SnapshotCollector(Collector):
    """
    Shows one snapshot to prometheus_client.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """
        Name the numbers.
        """
        snapshot = self._snapshot
        answers = CounterMetricFamily(
            "netlab_http_answers", "Answers sent, by status code.", labels=["status"]
        )
        for status, count in sorted(snapshot.answers.items()):
            answers.add_metric([str(status)], count)
        yield answers
        yield CounterMetricFamily(
            "netlab_http_content_bytes", "Bytes of content sent.", snapshot.content_bytes
        )
        yield CounterMetricFamily(
            "netlab_http_connections", "Connections that have come.", snapshot.connections
        )
        yield CounterMetricFamily(
            "netlab_http_refused_connections", "Connections beyond the limits.", snapshot.refused
        )
        yield GaugeMetricFamily(
            "netlab_http_open_connections", "Connections that are open.", snapshot.open_connections
        )


class WorkersCollector(Collector):
    """
    Shows a supervisor's own numbers to prometheus_client.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        """
        @param supervisor: has the workers.
        """
        self._supervisor = supervisor

    def collect(self) -> Iterator[Metric]:
        """
        Count workers.
        """
        ready = sum(worker.is_ready for worker in self._supervisor.workers)
        yield GaugeMetricFamily("netlab_http_workers", "Worker processes that serve.", ready)
        yield CounterMetricFamily(
            "netlab_http_replaced_workers",
            "Worker processes that were replaced.",
            self._supervisor.replaced,
        )


class MetricsPage:
    """
    The resource that shows metrics.
    """

    def __init__(
        self,
        take: Callable[[], Snapshot | Deferred[Snapshot]],
        pages: Pages,
        collectors: Sequence[Collector] = (),
    ) -> None:
        """
        @param take: takes a snapshot.
        @param pages: writes error pages.
        @param collectors: show more.
        """
        self._take = take
        self._pages = pages
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        for collector in collectors:
            self._process.register(collector)

    def respond(self, head: RequestHead) -> Answer:
        """
        Answer GET and HEAD with the numbers of now.
        """
        refusal = refuse_method(head, self._pages)
        if refusal is not None:
            return refusal
        snapshot = self._take()
        if isinstance(snapshot, Snapshot):
            return self._show(snapshot)
        return snapshot.addCallback(self._show)

    def _show(self, snapshot: Snapshot) -> Response:
        registry = CollectorRegistry()
        registry.register(_SnapshotCollector(snapshot))
        text = generate_latest(registry) + generate_latest(self._process)
        fields = Fields([(b"Content-Type", CONTENT_TYPE_LATEST.encode("ascii")), _NO_STORE])
        return Response(200, fields, text)


class HealthPage:
    """
    The resource that says whether the server takes new connections.
    """

    def __init__(self, pages: Pages, is_serving: Callable[[], bool]) -> None:
        """
        @param pages: writes error pages.
        @param is_serving: tells it.
        """
        self._pages = pages
        self._is_serving = is_serving

    def respond(self, head: RequestHead) -> Response:
        """
        Answer GET and HEAD: 200, or 503 while the server is finishing its last answers.
        """
        refusal = refuse_method(head, self._pages)
        if refusal is not None:
            return refusal
        fields = Fields([(b"Content-Type", b"text/plain; charset=utf-8"), _NO_STORE])
        if self._is_serving():
            return Response(200, fields, b"ok\n")
        return Response(503, fields, b"stopping\n")


_NO_STORE = (b"Cache-Control", b"no-store")
