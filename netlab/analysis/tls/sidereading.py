"""
What is known of one direction of a TLS connection while it is read.
"""

from __future__ import annotations

from typing import Final

from netlab.analysis.tls.carriers import Travel
from netlab.analysis.tls.messages import HandshakeReader
from netlab.analysis.tls.observations import TLSDirection
from netlab.analysis.tls.protection import TAG_BYTES, RecordProtection
from netlab.analysis.tls.records import RecordReader, TLSRecord

#: The shortest record of TLS 1.3 with a Finished (RFC 8446 section 4.4.4): a header of four bytes,
#: a hash of 32, the hidden type, and the tag. One with an alert has 19.
_FINISHED_MIN_BYTES: Final = 4 + 32 + 1 + TAG_BYTES


class SideReading:
    """
    One direction so far. L{TLSDirection} says what its counts mean.

    @ivar reader: of its records.
    @ivar handshake: of the handshake messages that travel in the open.
    @ivar inner_handshake: of those that are encrypted.
    @ivar protection: opens its records; None where that is not possible, or not yet.
    @ivar is_heard: whether any byte of it has come.
    @ivar is_claimed: whether its bytes are TLS's.
    @ivar is_protected: whether ChangeCipherSpec has come (TLS 1.2).
    @ivar is_opened: whether there were secrets to open it with.
    @ivar finished: the record that is known to hold its Finished.
    @ivar offset: how many bytes of application data were handed on.
    """

    __slots__ = (
        "application_bytes",
        "application_records",
        "cut_records",
        "early_records",
        "finished",
        "first_application",
        "first_protected",
        "first_protected_length",
        "handshake",
        "inner_handshake",
        "is_claimed",
        "is_heard",
        "is_opened",
        "is_protected",
        "key_updates",
        "last_application",
        "last_length",
        "last_protected",
        "offset",
        "opened_records",
        "protected_bytes",
        "protected_records",
        "protection",
        "reader",
        "records",
        "tickets",
    )

    def __init__(self, *, is_from_start: bool) -> None:
        self.reader = RecordReader(is_from_start=is_from_start)
        self.handshake = HandshakeReader()
        self.inner_handshake = HandshakeReader()
        self.protection: RecordProtection | None = None
        self.is_heard = self.is_claimed = self.is_protected = self.is_opened = False
        self.records = self.protected_records = self.protected_bytes = self.cut_records = 0
        self.application_records = self.application_bytes = self.opened_records = 0
        self.early_records = self.key_updates = self.tickets = self.last_length = 0
        self.first_protected: Travel | None = None
        self.first_protected_length = 0
        self.last_protected: Travel | None = None
        self.first_application: Travel | None = None
        self.last_application: Travel | None = None
        self.finished: Travel | None = None
        self.offset = 0

    def note_protected(self, record: TLSRecord, travel: Travel) -> None:
        """
        Count a protected record.
        """
        self.protected_records += 1
        self.protected_bytes += record.length
        if self.first_protected is None:
            self.first_protected, self.first_protected_length = travel, record.length
        self.last_protected = travel

    def note_application(self, length: int, travel: Travel) -> None:
        """
        Count a record of application data.

        @param length: of its content in bytes, without protection.
        """
        self.application_records += 1
        self.application_bytes += length
        self.first_application = self.first_application or travel
        self.last_application = travel

    def protect(self, protection: RecordProtection | None, *, is_late: bool = False) -> None:
        """
        Open records from now on. If some came already, their number is not known: captures may
        have frames in another order than they were sent in.
        """
        self.protection = protection
        self.is_opened = protection is not None
        if protection is not None and (is_late or self.protected_records):
            protection.is_astray = True

    def finished_record(self, *, may_be_hidden: bool) -> Travel | None:
        """
        Give the record with the Finished, or the one that must hold it: the first protected one of
        TLS 1.3, if it is long enough.
        """
        if self.finished is not None or not may_be_hidden:
            return self.finished
        return self.first_protected if self.first_protected_length >= _FINISHED_MIN_BYTES else None

    def summary(self, *, knows_application: bool, knows_bytes: bool) -> TLSDirection:
        """
        Say what is the case so far.

        @param knows_application: whether it is known which records were application data.
        @param knows_bytes: whether it is known how long their content was.
        """
        return TLSDirection(
            records=self.records,
            protected_records=self.protected_records,
            protected_bytes=self.protected_bytes,
            first_protected=self.first_protected,
            first_protected_length=self.first_protected_length,
            last_protected=self.last_protected,
            opened_records=self.opened_records,
            last_length=self.last_length,
            application_records=self.application_records if knows_application else None,
            application_bytes=self.application_bytes if knows_bytes else None,
            first_application=self.first_application if knows_application else None,
            last_application=self.last_application if knows_application else None,
            early_records=self.early_records,
            key_updates=self.key_updates,
            tickets=self.tickets,
            cut_records=self.cut_records,
            missing_bytes=self.reader.missing,
            skipped_bytes=self.reader.passed_over,
            unfinished_bytes=self.reader.unfinished_bytes,
        )
