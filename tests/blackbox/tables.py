"""
All cases, by what they are about.
"""

from __future__ import annotations

from tests.blackbox.case import Group
from tests.blackbox.chunks import CHUNKS
from tests.blackbox.connections import CONNECTIONS
from tests.blackbox.framing import FRAMING
from tests.blackbox.header_fields import HEADER_FIELDS
from tests.blackbox.representations import REPRESENTATIONS
from tests.blackbox.request_lines import REQUEST_LINES
from tests.blackbox.semantics import CONDITIONS, RANGES
from tests.blackbox.targets import TARGETS

STANDARD = (
    Group("request lines", REQUEST_LINES),
    Group("targets and paths", TARGETS),
    Group("field lines and Host", HEADER_FIELDS),
    Group("message framing", FRAMING),
    Group("chunks", CHUNKS),
    Group("connections and expectations", CONNECTIONS),
    Group("conditional requests", CONDITIONS),
    Group("range requests", RANGES),
    Group("types and codings", REPRESENTATIONS),
)
"""What any server of a folder may be asked."""
