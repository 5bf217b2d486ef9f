"""
Tests for L{netlab.http1.resources.conditional}.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.conditional import (
    PreconditionOutcome,
    Validators,
    evaluate_preconditions,
    fields_of_304,
    file_etag,
    range_applies,
)
from netlab.http1.sansio.dates import format_date
from netlab.http1.sansio.fields import Fields

# Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 section 5.6.7.
MODIFIED = 784111777
NOW = MODIFIED + 86400.5
VALIDATORS = Validators(b'"one"', MODIFIED)

FAILED = PreconditionOutcome.PRECONDITION_FAILED
NOT_MODIFIED = PreconditionOutcome.NOT_MODIFIED
PROCEED = PreconditionOutcome.PROCEED


def outcome(*lines: tuple[bytes, bytes], method: bytes = b"GET") -> PreconditionOutcome:
    """
    Evaluate these field lines against L{VALIDATORS} at L{NOW}.
    """
    return evaluate_preconditions(method, Fields(lines), VALIDATORS, NOW)


class ValidatorsTests(SynchronousTestCase):
    """
    Validators of a representation, RFC 9110 section 8.8.
    """

    def test_only_strong_tags(self) -> None:
        """
        A weak tag, a tag without quotes and one with a quote or a space inside are refused
        (section 8.8.3).
        """
        for etag in (b'W/"a"', b"a", b'"a', b'"a"b"', b'"a b"', b"", b'"a"\n'):
            with self.subTest(etag=etag):
                self.assertRaises(ValueError, Validators, etag, 0)

    def test_empty_tag(self) -> None:
        """
        The opaque part of a tag may be empty (section 8.8.3).
        """
        self.assertEqual(Validators(b'""', None).etag, b'""')

    def test_file_etag_tells_states_apart(self) -> None:
        """
        Another size, another nanosecond or another coding is another entity tag, and each is a
        strong one (sections 8.8.1 and 8.8.3.3).
        """
        tags = {
            file_etag(210, 1_000_000_001),
            file_etag(211, 1_000_000_001),
            file_etag(210, 1_000_000_002),
            file_etag(210, 1_000_000_001, b"gzip"),
            file_etag(210, 1_000_000_001, b"br"),
        }
        self.assertEqual(len(tags), 5)
        for tag in tags:
            Validators(tag, None)

    def test_file_etag_before_the_epoch(self) -> None:
        """
        A file that is older than the epoch has a valid entity tag too.
        """
        Validators(file_etag(1, -1), None)


class IfNoneMatchTests(SynchronousTestCase):
    """
    If-None-Match, RFC 9110 section 13.1.2.
    """

    def test_match(self) -> None:
        """
        A tag that matches answers GET and HEAD with 304, every other method with 412.
        """
        line = (b"If-None-Match", b'"one"')
        self.assertEqual(outcome(line), NOT_MODIFIED)
        self.assertEqual(outcome(line, method=b"HEAD"), NOT_MODIFIED)
        self.assertEqual(outcome(line, method=b"PUT"), FAILED)

    def test_no_match(self) -> None:
        """
        A tag that does not match lets the request proceed.
        """
        self.assertEqual(outcome((b"If-None-Match", b'"two"')), PROCEED)

    def test_any(self) -> None:
        """
        An asterisk matches whatever representation there is.
        """
        self.assertEqual(outcome((b"If-None-Match", b"*")), NOT_MODIFIED)
        nothing = Validators(None, None)
        fields = Fields([(b"If-None-Match", b"*")])
        self.assertEqual(evaluate_preconditions(b"GET", fields, nothing, NOW), NOT_MODIFIED)

    def test_weak_comparison(self) -> None:
        """
        A weak tag with the same opaque part matches (section 8.8.3.2).
        """
        self.assertEqual(outcome((b"If-None-Match", b'W/"one"')), NOT_MODIFIED)

    def test_w_is_case_sensitive(self) -> None:
        """
        The mark of a weak tag is a capital W (section 8.8.3), so C{w/} makes no tag.
        """
        self.assertEqual(outcome((b"If-None-Match", b'w/"one"')), PROCEED)

    def test_lists(self) -> None:
        """
        One match in a list is enough, wherever it stands, whatever white space or empty elements
        are around it (section 5.6.1.2), and a comma may be part of a tag.
        """
        for value in (
            b'"zero", "one"',
            b'"one","two"',
            b',, \t"one" ,',
            b'"a,b", W/"one"',
            b'"", "one"',
            b'"\xff", "one"',
        ):
            with self.subTest(value=value):
                self.assertEqual(outcome((b"If-None-Match", value)), NOT_MODIFIED)

    def test_several_lines(self) -> None:
        """
        Several field lines are one list (section 5.3).
        """
        self.assertEqual(
            outcome((b"If-None-Match", b'"zero"'), (b"If-None-Match", b'"one"')), NOT_MODIFIED
        )

    def test_tag_within_a_tag(self) -> None:
        """
        A tag that only looks contained in the list, between two others' quotes, does not match.
        """
        fields = Fields([(b"If-None-Match", b'"a", "b"')])
        between = Validators(b'","', None)
        self.assertEqual(evaluate_preconditions(b"GET", fields, between, NOW), PROCEED)
        self.assertEqual(outcome((b"If-None-Match", b'"zone", "onex"')), PROCEED)

    def test_malformed(self) -> None:
        """
        What is no list of entity tags matches nothing, even where a valid tag stands in it: the
        content is sent, which is never wrong.
        """
        for value in (
            b"one",
            b"",
            b'"one',
            b'"one" x',
            b'"one" "two"',
            b'x, "one"',
            b'"one", *',
            b"*, *",
            b'W/ "one"',
            b"'one'",
        ):
            with self.subTest(value=value):
                self.assertEqual(outcome((b"If-None-Match", value)), PROCEED)

    def test_case_matters(self) -> None:
        """
        Opaque tags are compared byte by byte (section 8.8.3.2).
        """
        self.assertEqual(outcome((b"If-None-Match", b'"ONE"')), PROCEED)

    def test_wins_over_if_modified_since(self) -> None:
        """
        With If-None-Match, even a malformed one, If-Modified-Since is ignored (section 13.1.3).
        """
        since = (b"If-Modified-Since", format_date(MODIFIED))
        for value in (b'"two"', b"malformed"):
            with self.subTest(value=value):
                self.assertEqual(outcome((b"If-None-Match", value), since), PROCEED)


class IfModifiedSinceTests(SynchronousTestCase):
    """
    If-Modified-Since, RFC 9110 section 13.1.3.
    """

    def test_not_modified(self) -> None:
        """
        A moment at or after the last modification answers GET and HEAD with 304.
        """
        for moment in (MODIFIED, MODIFIED + 1, int(NOW)):
            line = (b"If-Modified-Since", format_date(moment))
            with self.subTest(moment=moment):
                self.assertEqual(outcome(line), NOT_MODIFIED)
                self.assertEqual(outcome(line, method=b"HEAD"), NOT_MODIFIED)

    def test_modified(self) -> None:
        """
        One second earlier the content is sent.
        """
        self.assertEqual(outcome((b"If-Modified-Since", format_date(MODIFIED - 1))), PROCEED)

    def test_three_formats(self) -> None:
        """
        All three forms of an HTTP-date are read (section 5.6.7).
        """
        for value in (
            b"Sun, 06 Nov 1994 08:49:37 GMT",
            b"Sunday, 06-Nov-94 08:49:37 GMT",
            b"Sun Nov  6 08:49:37 1994",
        ):
            with self.subTest(value=value):
                self.assertEqual(outcome((b"If-Modified-Since", value)), NOT_MODIFIED)

    def test_invalid(self) -> None:
        """
        What is no HTTP-date is ignored.
        """
        for value in (b"", b"yesterday", b"784111777", b"Sun, 31 Nov 1994 08:49:37 GMT"):
            with self.subTest(value=value):
                self.assertEqual(outcome((b"If-Modified-Since", value)), PROCEED)

    def test_future(self) -> None:
        """
        A moment that lies ahead of our clock is a moment like any other: RFC 9110 section 13.1.3
        has no exception for it.
        """
        future = format_date(NOW + 86400)
        self.assertEqual(outcome((b"If-Modified-Since", future)), NOT_MODIFIED)

    def test_other_methods(self) -> None:
        """
        It is ignored for any method but GET and HEAD.
        """
        line = (b"If-Modified-Since", format_date(MODIFIED))
        self.assertEqual(outcome(line, method=b"POST"), PROCEED)

    def test_twice(self) -> None:
        """
        More than one member makes the field void, also where two lines would make one date when
        joined at its comma.
        """
        line = (b"If-Modified-Since", format_date(MODIFIED))
        self.assertEqual(outcome(line, line), PROCEED)
        self.assertEqual(
            outcome(
                (b"If-Modified-Since", b"Sun"),
                (b"If-Modified-Since", b"06 Nov 1994 08:49:37 GMT"),
            ),
            PROCEED,
        )

    def test_without_modification_date(self) -> None:
        """
        It is ignored where the representation has no modification date.
        """
        fields = Fields([(b"If-Modified-Since", format_date(MODIFIED))])
        self.assertEqual(
            evaluate_preconditions(b"GET", fields, Validators(b'"a"', None), NOW), PROCEED
        )


class IfMatchTests(SynchronousTestCase):
    """
    If-Match, RFC 9110 section 13.1.1.
    """

    def test_match(self) -> None:
        """
        A tag that matches, in a list too, or an asterisk lets any method proceed.
        """
        for value in (b'"one"', b'"zero", "one"', b"*"):
            for method in (b"GET", b"HEAD", b"PUT"):
                with self.subTest(value=value, method=method):
                    self.assertEqual(outcome((b"If-Match", value), method=method), PROCEED)

    def test_no_match(self) -> None:
        """
        Without a match any method is answered with 412.
        """
        for method in (b"GET", b"HEAD", b"PUT", b"DELETE"):
            with self.subTest(method=method):
                self.assertEqual(outcome((b"If-Match", b'"two"'), method=method), FAILED)

    def test_without_entity_tag(self) -> None:
        """
        A representation without an entity tag matches the asterisk and no tag.
        """
        without = Validators(None, MODIFIED)
        for value, expected in ((b"*", PROCEED), (b'"one"', FAILED), (b'""', FAILED)):
            fields = Fields([(b"If-Match", value)])
            with self.subTest(value=value):
                self.assertEqual(evaluate_preconditions(b"PUT", fields, without, NOW), expected)

    def test_strong_comparison(self) -> None:
        """
        A weak tag never matches (section 8.8.3.2).
        """
        self.assertEqual(outcome((b"If-Match", b'W/"one"')), FAILED)
        self.assertEqual(outcome((b"If-Match", b'W/"one", "one"')), PROCEED)

    def test_malformed(self) -> None:
        """
        What is no list of entity tags matches nothing, so the request does not proceed.
        """
        for value in (b"one", b"", b'"one" x', b'*, "one"'):
            with self.subTest(value=value):
                self.assertEqual(outcome((b"If-Match", value)), FAILED)

    def test_wins_over_if_unmodified_since(self) -> None:
        """
        With If-Match, If-Unmodified-Since is ignored (section 13.1.4).
        """
        since = (b"If-Unmodified-Since", format_date(MODIFIED - 1))
        self.assertEqual(outcome((b"If-Match", b'"one"'), since), PROCEED)

    def test_comes_before_if_none_match(self) -> None:
        """
        If-Match is step 1 and If-None-Match step 3 of section 13.2.2.
        """
        none_match = (b"If-None-Match", b'"one"')
        self.assertEqual(outcome(none_match, (b"If-Match", b'"two"')), FAILED)
        self.assertEqual(outcome(none_match, (b"If-Match", b'"one"')), NOT_MODIFIED)

    def test_comes_before_if_modified_since(self) -> None:
        """
        If-Match that holds is followed by If-Modified-Since, step 4 of section 13.2.2.
        """
        self.assertEqual(
            outcome((b"If-Match", b"*"), (b"If-Modified-Since", format_date(MODIFIED))),
            NOT_MODIFIED,
        )


class IfUnmodifiedSinceTests(SynchronousTestCase):
    """
    If-Unmodified-Since, RFC 9110 section 13.1.4.
    """

    def test_unmodified(self) -> None:
        """
        A moment at or after the last modification lets the request proceed.
        """
        for moment in (MODIFIED, NOW + 1000):
            self.assertEqual(outcome((b"If-Unmodified-Since", format_date(moment))), PROCEED)

    def test_modified(self) -> None:
        """
        One second earlier any method is answered with 412.
        """
        line = (b"If-Unmodified-Since", format_date(MODIFIED - 1))
        for method in (b"GET", b"HEAD", b"DELETE"):
            with self.subTest(method=method):
                self.assertEqual(outcome(line, method=method), FAILED)

    def test_void(self) -> None:
        """
        It is ignored when it is no date, comes twice, or there is no modification date.
        """
        early = (b"If-Unmodified-Since", format_date(MODIFIED - 1))
        self.assertEqual(outcome((b"If-Unmodified-Since", b"once")), PROCEED)
        self.assertEqual(outcome(early, early), PROCEED)
        self.assertEqual(
            evaluate_preconditions(b"GET", Fields([early]), Validators(b'"a"', None), NOW), PROCEED
        )


class EvaluationTests(SynchronousTestCase):
    """
    Preconditions as a whole, RFC 9110 section 13.2.
    """

    def test_none(self) -> None:
        """
        A request without preconditions proceeds.
        """
        self.assertEqual(outcome((b"Accept", b"*/*")), PROCEED)

    def test_methods_without_representation(self) -> None:
        """
        OPTIONS, TRACE and CONNECT select no representation, so preconditions are ignored
        (section 13.2.1).
        """
        for method in (b"OPTIONS", b"TRACE", b"CONNECT"):
            with self.subTest(method=method):
                self.assertEqual(outcome((b"If-Match", b'"two"'), method=method), PROCEED)

    def test_values_are_statuses(self) -> None:
        """
        The value of an outcome is the status code to answer with.
        """
        self.assertEqual([PROCEED.value, NOT_MODIFIED.value, FAILED.value], [200, 304, 412])

    @settings(deadline=None, max_examples=200)
    @given(
        method=st.sampled_from([b"GET", b"HEAD", b"POST"]),
        lines=st.lists(
            st.tuples(
                st.sampled_from(
                    [
                        b"if-match",
                        b"if-none-match",
                        b"if-modified-since",
                        b"if-unmodified-since",
                        b"if-range",
                    ]
                ),
                st.one_of(
                    st.sampled_from(
                        [b"*", b'"one"', b'W/"one"', b'"a,b"', format_date(MODIFIED), b""]
                    ),
                    st.binary(max_size=40),
                ),
            ),
            max_size=6,
        ),
    )
    def test_any_values(self, method: bytes, lines: list[tuple[bytes, bytes]]) -> None:
        """
        Any field values give an outcome, and 304 only to a method that reads.
        """
        fields = Fields.known(lines)
        result = evaluate_preconditions(method, fields, VALIDATORS, NOW)
        self.assertIsInstance(result, PreconditionOutcome)
        self.assertIsInstance(range_applies(fields, VALIDATORS, NOW), bool)
        if method == b"POST":
            self.assertIsNot(result, NOT_MODIFIED)

    @settings(deadline=None, max_examples=100)
    @given(
        st.lists(
            st.tuples(
                st.booleans(),
                st.text("ab,/W*", max_size=4).map(lambda text: b'"%b"' % text.encode()),
            ),
            min_size=1,
            max_size=6,
        )
    )
    def test_any_list(self, tags: list[tuple[bool, bytes]]) -> None:
        """
        A list matches exactly when one of its tags does, weakly for If-None-Match and strongly for
        If-Match.
        """
        value = b", ".join((b"W/" if is_weak else b"") + tag for is_weak, tag in tags)
        validators = Validators(b'"a,b"', None)
        self.assertEqual(
            evaluate_preconditions(b"GET", Fields([(b"If-None-Match", value)]), validators, NOW),
            NOT_MODIFIED if any(tag == b'"a,b"' for _weak, tag in tags) else PROCEED,
        )
        self.assertEqual(
            evaluate_preconditions(b"GET", Fields([(b"If-Match", value)]), validators, NOW),
            PROCEED if (False, b'"a,b"') in tags else FAILED,
        )


class RangeAppliesTests(SynchronousTestCase):
    """
    If-Range, RFC 9110 section 13.1.5.
    """

    def applies(self, *values: bytes, now: float = NOW) -> bool:
        """
        Evaluate these lines of If-Range against L{VALIDATORS}.
        """
        fields = Fields([(b"If-Range", value) for value in values])
        return range_applies(fields, VALIDATORS, now)

    def test_absent(self) -> None:
        """
        Without If-Range a Range applies.
        """
        self.assertTrue(self.applies())

    def test_entity_tag(self) -> None:
        """
        The same strong tag lets the Range apply; another one, or a weak one, does not.
        """
        self.assertTrue(self.applies(b'"one"'))
        self.assertFalse(self.applies(b'"two"'))
        self.assertFalse(self.applies(b'W/"one"'))

    def test_list_and_asterisk(self) -> None:
        """
        It has one validator: no list, and no asterisk.
        """
        self.assertFalse(self.applies(b'"one", "two"'))
        self.assertFalse(self.applies(b"*"))
        self.assertFalse(self.applies(b'"one"', b'"one"'))

    def test_date(self) -> None:
        """
        A date must be exactly Last-Modified, in any of the three forms: a later one is no match.
        """
        self.assertTrue(self.applies(format_date(MODIFIED)))
        self.assertTrue(self.applies(b"Sunday, 06-Nov-94 08:49:37 GMT"))
        self.assertFalse(self.applies(format_date(MODIFIED + 1)))
        self.assertFalse(self.applies(format_date(MODIFIED - 1)))

    def test_date_that_is_weak(self) -> None:
        """
        Within the second of the modification the date is a weak validator (section 8.8.2.2), so
        the Range does not apply.
        """
        date = format_date(MODIFIED)
        self.assertFalse(self.applies(date, now=MODIFIED + 0.999))
        self.assertTrue(self.applies(date, now=MODIFIED + 1))

    def test_malformed(self) -> None:
        """
        What is neither a tag nor a date does not match.
        """
        for value in (b"one", b"", b'"', b"now"):
            with self.subTest(value=value):
                self.assertFalse(self.applies(value))

    def test_without_validators(self) -> None:
        """
        Nothing matches a representation without validators.
        """
        fields = Fields([(b"If-Range", format_date(MODIFIED))])
        self.assertFalse(range_applies(fields, Validators(None, None), NOW))


class FieldsOf304Tests(SynchronousTestCase):
    """
    What a 304 repeats of the 200, RFC 9110 section 15.4.5.
    """

    def test_what_stays(self) -> None:
        """
        What a cache updates and what is about the answer stays, in order; metadata that describes
        the content goes, Last-Modified with it.
        """
        kept = (
            (b"Cache-Control", b"no-cache"),
            (b"ETag", b'"one"'),
            (b"Vary", b"Accept-Encoding"),
            (b"Expires", b"0"),
            (b"Content-Location", b"/a"),
            (b"Access-Control-Allow-Origin", b"*"),
        )
        gone = (
            (b"Content-Type", b"text/html"),
            (b"content-encoding", b"gzip"),
            (b"Content-Language", b"en"),
            (b"Last-Modified", format_date(MODIFIED)),
        )
        self.assertEqual(fields_of_304(Fields(kept + gone)), Fields(kept))
        self.assertEqual(fields_of_304(Fields(gone + kept)), Fields(kept))

    def test_last_modified_without_etag(self) -> None:
        """
        Last-Modified stays where it is the only validator.
        """
        fields = Fields([(b"Last-Modified", format_date(MODIFIED))])
        self.assertEqual(fields_of_304(fields), fields)
