"""
The pages of the admin port: metrics in Prometheus's text format, and health.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from netlab.connections import OpenConnections
from netlab.http1.admission import Gate
from netlab.http1.counters import Counters
from netlab.http1.fields import Fields
from netlab.http1.messages import RequestHead
from netlab.http1.responses import Pages, Response, refuse_method


class ServerCollector(Collector):
    """
    Shows one server's counters to prometheus_client.
    """

    def __init__(self, counters: Counters, connections: OpenConnections, gate: Gate) -> None:
        """
        @param counters: what has been done.
        @param connections: the open connections.
        @param gate: knows who was not let in.
        """
        self._counters = counters
        self._connections = connections
        self._gate = gate

    def collect(self) -> Iterator[Metric]:
        """
        Read the counters.
        """
        counters = self._counters
        answers = CounterMetricFamily(
            "netlab_http_answers", "Answers sent, by status code.", labels=["status"]
        )
        for status, count in sorted(counters.answers.items()):
            answers.add_metric([str(status)], count)
        yield answers
        yield CounterMetricFamily(
            "netlab_http_content_bytes", "Bytes of content sent.", counters.content_bytes
        )
        yield CounterMetricFamily(
            "netlab_http_connections", "Connections that have come.", counters.connections
        )
        yield CounterMetricFamily(
            "netlab_http_refused_connections",
            "Connections beyond the limits.",
            self._gate.refused,
        )
        yield GaugeMetricFamily(
            "netlab_http_open_connections", "Connections that are open.", len(self._connections)
        )


class MetricsPage:
    """
    The resource that shows metrics.
    """

    def __init__(self, collector: ServerCollector, pages: Pages) -> None:
        """
        @param collector: knows the numbers.
        @param pages: writes error pages.
        """
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        self._pages = pages

    def respond(self, head: RequestHead) -> Response:
        """
        Answer GET and HEAD with the numbers of now.
        """
        refusal = refuse_method(head, self._pages)
        if refusal is not None:
            return refusal
        fields = Fields([(b"Content-Type", CONTENT_TYPE_LATEST.encode("ascii")), _NO_STORE])
        return Response(200, fields, generate_latest(self._registry))


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
