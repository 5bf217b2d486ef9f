"""
Several resources on one server, by the beginning of the path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from netlab.http1.resources.connectionfacts import Binder, ConnectionFacts, binder_of
from netlab.http1.resources.resource import Answer, Receiver, Resource, receiver_of
from netlab.http1.sansio.messages import RequestHead


@dataclass(frozen=True, slots=True)
class Mounts:
    """
    Chooses the resource by the first segments of the path; of several that fit, the one with the
    most segments. The resource sees the whole path.

    @ivar mounted: resources by decoded path segments, at least one: C{(b"api",)} takes C{/api},
        C{/api/} and all below it.
    @ivar otherwise: answers all other paths.
    """

    mounted: Mapping[tuple[bytes, ...], Resource]
    otherwise: Resource

    def _chosen(self, head: RequestHead) -> Resource:
        segments = head.target.segments
        mounted = self.mounted
        longest = max(map(len, mounted), default=0)
        for count in range(min(longest, len(segments)), 0, -1):
            found = mounted.get(segments[:count])
            if found is not None:
                return found
        return self.otherwise

    def respond(self, head: RequestHead) -> Answer:
        """
        Let the chosen resource answer.
        """
        return self._chosen(head).respond(head)

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Let the chosen resource say.
        """
        return receiver_of(self._chosen(head), head)

    @property
    def for_connection(self) -> Binder[Resource] | None:
        """
        Be made anew where one of the resources is.
        """
        if all(binder_of(one) is None for one in (*self.mounted.values(), self.otherwise)):
            return None

        def bind(facts: ConnectionFacts) -> Mounts:
            def bound(resource: Resource) -> Resource:
                binder = binder_of(resource)
                return resource if binder is None else binder(facts)

            mounted = {segments: bound(resource) for segments, resource in self.mounted.items()}
            return replace(self, mounted=mounted, otherwise=bound(self.otherwise))

        return bind
