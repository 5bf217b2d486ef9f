"""
From a capture file to its story.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from netlab.analysis.claims.choice import ALL, Choice
from netlab.analysis.claims.viewpoint import View
from netlab.analysis.explanation.explain import Explainer
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.story import CaptureStory
from netlab.analysis.http.allowance import NOT_ALL_MESSAGES
from netlab.analysis.observations.dialogue import Dialogue, Dialogues
from netlab.analysis.tcp.figures import FIGURES_MAX, FigureStore
from netlab.analysis.tcp.frames import Analysed
from netlab.analysis.tcp.pipeline import THOROUGH_FRAMES, Pipeline
from netlab.analysis.tls.cryptographic import tools_for
from netlab.analysis.tls.keylog import KeyLog, parse_keylog
from netlab.analysis.tls.tools import NO_TOOLS, Tools
from netlab.capture.faults import Fault
from netlab.capture.opening import Bounds, open_capture
from netlab.capture.reading import Reader
from netlab.capture.records import Interface
from netlab.capture.segments import Other
from netlab.errors import KnownError
from netlab.report.redact import with_shown_options

_ICMP: Final = frozenset({"ICMP", "ICMPv6"})

_STEP_RECORDS = 2000
"""After how many frames progress is reported."""


class Reading(NamedTuple):
    """
    What one reading of a capture gave.

    @ivar story: What happened.
    @ivar interfaces: The capture's interfaces.
    @ivar figures: Those of all segments, if they were asked for.
    """

    story: CaptureStory
    interfaces: Sequence[Interface]
    figures: FigureStore | None = None


class Talks(NamedTuple):
    """
    The conversations of a capture.

    @ivar dialogues: They, finished.
    @ivar left_out: How many segments belong to others, of which there were too many.
    @ivar frame_count: How many frames the capture has.
    @ivar faults: What is wrong with it.
    """

    dialogues: list[Dialogue]
    left_out: int
    frame_count: int
    faults: tuple[Fault, ...]


def read_dialogues(
    path: str,
    trail_max: int = 0,
    tools: Tools = NO_TOOLS,
    *,
    bounds: Bounds | None = None,
    opened: int | None = None,
) -> Talks:
    """
    Read the conversations of a capture to its end.

    @param path: Of the file; C{-} is standard input.
    @param trail_max: How many segments of each are kept one by one.
    @param tools: With what TLS is opened; secrets that the capture holds are added to its key log.
    @param bounds: How much of it is read.
    @param opened: A descriptor of it, if it is open already; it is closed.
    @raise netlab.capture.faults.CaptureError: It cannot be read, is no capture, or is too large.
    """
    parts_max = None if bounds is None else bounds.parts_max
    dialogues = Dialogues(trail_max=trail_max, tools=tools, parts_max=parts_max)
    with open_capture(path, bounds=bounds, opened=opened) as reader:
        pipeline = Pipeline(reader, frames_max=None if bounds is None else bounds.frames_max)
        for analysed in pipeline.segments():
            while reader.secrets and tools.keylog is not None:
                parse_keylog(reader.secrets.pop(), tools.keylog)
            dialogues.receive(analysed)
        found = dialogues.finish()
        faults = pipeline.faults
        if dialogues.allowance.is_used_up:
            faults = (Fault("messages", NOT_ALL_MESSAGES), *faults)
        return Talks(found, dialogues.left_out, pipeline.frame_count, faults)


def read_segments(path: str) -> Iterator[Analysed]:
    """
    Analyse the segments of a capture as it is read.

    @param path: Of the file; C{-} is standard input.
    @raise netlab.capture.faults.CaptureError: It cannot be read, or is no capture.
    """
    with open_capture(path) as reader:
        yield from Pipeline(reader).segments()


def read_story(
    path: str,
    discretion: Discretion | None = None,
    *,
    choice: Choice = ALL,
    tells_frames: bool = True,
    figures: FigureStore | None = None,
    progress: Callable[[int], None] | None = None,
    captured: View | None = None,
    keylog: KeyLog | None = None,
    tells_all: bool = False,
) -> Reading:
    """
    Read a capture and tell what happened.

    @param path: Of the file; C{-} is standard input.
    @param discretion: What is left out of the story.
    @param choice: What of it is explained.
    @param tells_frames: Whether frames are explained one by one.
    @param figures: Is given every segment of what is explained.
    @param progress: Called now and then with the number of bytes read, unpacked.
    @param captured: Where it was captured, if that need not be inferred.
    @param keylog: Secrets by which TLS is opened, beside those that the capture itself holds.
    @param tells_all: Whether conversations of a large capture are reported in which nothing went
        wrong.
    @raise KnownError: It cannot be read, holds no TCP, or has no such conversation. The text is one
        line.
    """
    with open_capture(path) as reader:
        return tell(
            reader,
            path,
            discretion,
            choice=choice,
            tells_frames=tells_frames,
            figures=figures,
            progress=progress,
            captured=captured,
            keylog=keylog,
            tells_all=tells_all,
        )


def tell(
    reader: Reader,
    name: str,
    discretion: Discretion | None = None,
    *,
    choice: Choice = ALL,
    tells_frames: bool = True,
    figures: FigureStore | None = None,
    progress: Callable[[int], None] | None = None,
    captured: View | None = None,
    keylog: KeyLog | None = None,
    tells_all: bool = False,
) -> Reading:
    """
    As L{read_story}, of a capture that is open already.

    @param reader: The capture.
    @param name: What an error calls it.
    @param discretion: What is left out of the story.
    @param choice: What of it is explained.
    @param tells_frames: Whether frames are explained one by one.
    @param figures: Is given every segment of what is explained.
    @param progress: Called now and then with the number of bytes read, unpacked.
    @param captured: Where it was captured, if that need not be inferred.
    @param keylog: Secrets by which TLS is opened; those that the capture holds are added to it.
    @param tells_all: Whether conversations of a large capture are reported in which nothing went
        wrong.
    @raise KnownError: It holds no TCP, or has no such conversation.
    """
    secrets = KeyLog() if keylog is None else keylog
    # Where every frame is shown, all that was shown is as in Wireshark; beyond it, memory counts.
    is_whole = figures is not None or not choice.takes_all
    hides = discretion is not None and not discretion.quotes
    pipeline = Pipeline(
        reader,
        thorough_frames=FIGURES_MAX if is_whole else THOROUGH_FRAMES,
        # FigureStore would be made of what stands in malformed options.
        shown=with_shown_options if hides else None,
    )
    explainer = Explainer(
        discretion,
        choice=choice,
        tells_frames=tells_frames,
        captured=captured,
        tools=tools_for(secrets),
        tells_all=tells_all,
    )
    number = 0
    observe, secrets_read = explainer.observe, reader.secrets
    for frame in pipeline:
        number += 1
        while secrets_read:
            parse_keylog(secrets_read.pop(), secrets)
        if progress is not None and number % _STEP_RECORDS == 0:
            progress(reader.offset)
        if isinstance(frame, Other):
            if frame.protocol in _ICMP and (error := pipeline.icmp_of(frame.record)) is not None:
                explainer.observe_other(frame, error, pipeline.stream_of(error.key))
            else:
                explainer.observe_other(frame)
            continue
        # What an ICMP error quotes may be the first that is seen of a conversation, and counts
        # among them.
        if frame[0].is_quoted:
            record = frame.segment.record
            error = pipeline.icmp_of(record)
            name = "ICMPv6" if error is not None and error.version == 6 else "ICMP"
            explainer.observe_other(Other(record, name), error, frame.stream)
        else:
            observe(frame)
        if figures is not None and choice.takes(frame.conversation):
            first_ns = explainer.start_ns
            if not choice.is_timed or choice.spans(frame.time_ns - first_ns):
                figures.add(frame)
    total = explainer.conversation_count
    if choice.conversation is not None and not 0 <= choice.conversation < total:
        last = f"0 to {total - 1}" if total > 1 else "only 0" if total else "none"
        raise KnownError(f"{name} has no conversation {choice.conversation}: it has {last}")
    explainer.note_drops(sum(reader.drops.values()))
    faults = list(pipeline.faults)
    if figures is not None and figures.left_out:
        text = f"Of {figures.left_out} frames no figures are here: there are too many."
        faults.insert(0, Fault("figures", text))
    story = explainer.finish(faults)
    if not total and not story.claims:
        what = f"{number} frames, none of them TCP" if number else "no frame at all"
        raise KnownError(f"{name} holds {what}: there is nothing to explain")
    if not choice.takes_all and not story.conversations:
        told = f"{total} conversations" if total != 1 else "1 conversation"
        raise KnownError(
            f"{name} has {told}, but none matches the given --host, --port, --from and --to"
        )
    return Reading(story, tuple(reader.interfaces), figures)
