"""
Our figures beside those of tshark, frame by frame.
"""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.captures.reference import NAMES, exchange
from tests.oracle import comparison, differences, reference, synthetic
from tests.oracle.comparison import Difference

DATA = Path(__file__).parents[1] / "captures" / "data"

#: The rules that account for what differs; all other captures do not differ at all.
ACCEPTED = {
    "faults/f35_icmp_administratively_prohibited.pcap": {"quoted"},
    "faults/f35_icmp_fragmentation_needed.pcap": {"quoted"},
    "faults/f35_icmp_port_unreachable.pcap": {"quoted"},
    "faults/f35_icmp_time_exceeded.pcap": {"quoted"},
    "faults/f49_undecoded_layer.pcap": {"other-layers"},
    "pcap-parser/smtp.pcap": {"quoted"},
    "tcpdump/babel_update_oobr.pcap": {"impossible-time"},
    "tcpdump/beep-oobr.pcap": {"bad-options", "impossible-time"},
    "tcpdump/bgp-aigp.pcap": {"other-layers"},
    "tcpdump/bgp-bgp_capabilities_print-oobr-1.pcap": {"no-whole-segment", "impossible-time"},
    "tcpdump/bgp_pmsi_tunnel-oobr.pcap": {"no-whole-segment", "impossible-time"},
    "tcpdump/heapoverflow-tcp_print.pcap": {"bad-options", "impossible-time"},
    "tcpdump/kday4.pcap": {"impossible-time"},
    "tcpdump/rpki-rtr-oobr.pcap": {"no-whole-segment"},
    "tcpdump/tcp-auth-heapoverflow.pcap": {"bad-options", "impossible-time"},
}

#: One run of it holds every mark that there is.
SEED = 2

needs_tshark = pytest.mark.skipif(reference.TSHARK is None, reason="tshark is not installed")


@needs_tshark
class OracleTests(SynchronousTestCase):
    """
    C{tshark -2 -n -T fields} is right until a rule says why not.
    """

    def _compare(self, path: Path) -> tuple[list[Difference], set[str], int]:
        rows = {int(row["frame.number"]): row for row in reference.read(path)}
        found = comparison.compare(comparison.read(path), rows.values())
        left, rules = differences.unexplained(found, rows)
        return left, rules, len(rows)

    @pytest.mark.slow
    def test_captures_of_others(self) -> None:
        """
        On captures from the test suites of other tools nothing differs but by the rules that are
        named for that very capture.
        """
        paths = sorted(
            path for path in itertools.chain(DATA.rglob("*.pcap"), DATA.rglob("*.pcapng"))
        )
        total = 0
        unexplained = {}
        accepted = {}
        empty = []
        for path in paths:
            left, rules, count = self._compare(path)
            name = path.relative_to(DATA).as_posix()
            if not count:
                empty.append(name)
            total += count
            if left:
                unexplained[name] = left
            if rules:
                accepted[name] = rules
        self.assertEqual(unexplained, {})
        self.assertEqual(accepted, ACCEPTED)
        # Snapped within the TCP header, of which tshark then shows nothing.
        self.assertEqual(empty, ["faults/f50_snapped_at_40_bytes.pcap"])
        self.assertGreater(total, 1500)

    @pytest.mark.slow
    def test_reference_exchanges(self) -> None:
        """
        On the five reference exchanges nothing differs.
        """
        for name in NAMES:
            path = Path(self.mktemp())
            path.write_bytes(exchange(name).pcap())
            left, rules, count = self._compare(path)
            self.assertEqual((left, rules, count), ([], set(), len(exchange(name).frames)))

    @pytest.mark.slow
    def test_drawn_by_chance(self) -> None:
        """
        On conversations drawn by chance nothing differs, and every kind of mark occurs.
        """
        path = Path(self.mktemp())
        path.write_bytes(synthetic.capture(SEED))
        left, rules, count = self._compare(path)
        self.assertEqual((left, rules), ([], set()))
        self.assertGreater(count, 2000)
        marks = Counter(
            name
            for row in reference.read(path)
            for name, field in reference.MARKS.items()
            if row[field]
        )
        self.assertEqual(set(marks), set(reference.MARKS))


class ComparisonTests(SynchronousTestCase):
    """
    A difference is found where there is one.
    """

    def _rows(self, path: Path) -> list[reference.Row]:
        """
        Write down our own figures as if tshark had printed them.
        """
        fields = reference.FIGURES | reference.MARKS
        rows = []
        for analysed in comparison.read(path):
            figures = comparison.figures(analysed)
            row = {field: figures[name] for name, field in fields.items()}
            row |= {"frame.number": str(analysed.number), "frame.protocols": "eth:ip:tcp"}
            row |= {"ip.src": analysed.src, "ip.dst": analysed.dst, "ipv6.src": "", "ipv6.dst": ""}
            rows.append(row)
        return rows

    def setUp(self) -> None:
        """
        The echo exchange.
        """
        self.path = Path(self.mktemp())
        self.path.write_bytes(exchange("echo").pcap())
        self.rows = self._rows(self.path)

    def _compare(self) -> list[Difference]:
        return list(comparison.compare(comparison.read(self.path), self.rows))

    def test_alike(self) -> None:
        """
        Our figures do not differ from themselves.
        """
        self.assertEqual(self._compare(), [])

    def test_each_figure(self) -> None:
        """
        Whichever figure is changed, that one differs.
        """
        fields = reference.FIGURES | reference.MARKS | {"src": "ip.src", "dst": "ip.dst"}
        for name, field in fields.items():
            kept = self.rows[5][field]
            self.rows[5][field] = "77" if kept != "77" else "78"
            self.assertEqual([(d.number, d.figure) for d in self._compare()], [(6, name)])
            self.rows[5][field] = kept

    def test_frames(self) -> None:
        """
        A frame that only one of the two sees differs in its stream.
        """
        row = self.rows.pop(5)
        self.assertEqual(self._compare(), [Difference(6, "stream", "0", "")])
        self.rows.insert(5, row)
        self.rows.append(row | {"frame.number": "99"})
        self.assertEqual(self._compare(), [Difference(99, "stream", "", "0", "eth:ip:tcp")])
