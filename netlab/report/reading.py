"""
From a capture file to its story.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from netlab.analysis.claims.explain import FRAMES_TOLD_MAX, Explainer
from netlab.analysis.claims.privacy import Discretion
from netlab.analysis.claims.story import CaptureStory
from netlab.analysis.claims.viewpoint import View
from netlab.analysis.tcp.analyser import Analyser
from netlab.analysis.tcp.figures import FIGURES_MAX, Figures
from netlab.analysis.tcp.limits import STREAMING, THOROUGH
from netlab.analysis.tls.cryptographic import tools_for
from netlab.analysis.tls.keylog import KeyLog, parse_keylog
from netlab.capture.decode import Decoder
from netlab.capture.faults import Fault
from netlab.capture.opening import open_capture
from netlab.capture.reading import Reader
from netlab.capture.records import Interface
from netlab.capture.segments import Segment
from netlab.errors import KnownError

_STEP_RECORDS = 2000
"""After how many frames progress is told."""


class Reading(NamedTuple):
    """
    What one reading of a capture gave.

    @ivar story: What happened.
    @ivar interfaces: The capture's interfaces.
    @ivar figures: Those of all segments, if they were asked for.
    """

    story: CaptureStory
    interfaces: Sequence[Interface]
    figures: Figures | None = None


def read_story(
    path: str,
    discretion: Discretion | None = None,
    *,
    conversation: int | None = None,
    tells_frames: bool = True,
    figures: Figures | None = None,
    progress: Callable[[int], None] | None = None,
    captured: View | None = None,
    keylog: KeyLog | None = None,
) -> Reading:
    """
    Read a capture and tell what happened.

    @param path: Of the file; C{-} is standard input.
    @param discretion: What is left out of the story.
    @param conversation: Tell only the conversation of this number, from 0.
    @param tells_frames: Whether frames are told one by one.
    @param figures: Is given every segment of what is told.
    @param progress: Called now and then with the number of bytes read, unpacked.
    @param captured: Where it was captured, if that need not be inferred.
    @param keylog: Secrets by which TLS is opened, beside those that the capture itself holds.
    @raise KnownError: It cannot be read, holds no TCP, or has no such conversation. The text is one
        line.
    """
    with open_capture(path) as reader:
        return tell(
            reader,
            path,
            discretion,
            conversation=conversation,
            tells_frames=tells_frames,
            figures=figures,
            progress=progress,
            captured=captured,
            keylog=keylog,
        )


def tell(
    reader: Reader,
    name: str,
    discretion: Discretion | None = None,
    *,
    conversation: int | None = None,
    tells_frames: bool = True,
    figures: Figures | None = None,
    progress: Callable[[int], None] | None = None,
    captured: View | None = None,
    keylog: KeyLog | None = None,
) -> Reading:
    """
    As L{read_story}, of a capture that is open already.

    @param reader: The capture.
    @param name: What an error calls it.
    @param discretion: What is left out of the story.
    @param conversation: Tell only the conversation of this number, from 0.
    @param tells_frames: Whether frames are told one by one.
    @param figures: Is given every segment of what is told.
    @param progress: Called now and then with the number of bytes read, unpacked.
    @param captured: Where it was captured, if that need not be inferred.
    @param keylog: Secrets by which TLS is opened; those that the capture holds are added to it.
    @raise KnownError: It holds no TCP, or has no such conversation.
    """
    decoder, analyser = Decoder(), Analyser(THOROUGH)
    secrets = KeyLog() if keylog is None else keylog
    # Where every frame is shown, all that was shown is as in Wireshark; beyond it, memory counts.
    is_whole = figures is not None or conversation is not None
    thorough_until = FIGURES_MAX if is_whole else FRAMES_TOLD_MAX
    explainer = Explainer(
        discretion,
        conversation=conversation,
        tells_frames=tells_frames,
        captured=captured,
        tools=tools_for(secrets),
    )
    number = 0
    for record in reader:
        number += 1
        while reader.secrets:
            parse_keylog(reader.secrets.pop(), secrets)
        if progress is not None and number % _STEP_RECORDS == 0:
            progress(reader.offset)
        if number == thorough_until:
            analyser.remember(STREAMING)
        frame = decoder.decode(record)
        if isinstance(frame, Segment):
            # What an ICMP error quotes may be the first that is seen of a conversation, and counts
            # among them.
            analysed = analyser.analyse(frame)
            if frame.is_quoted:
                explainer.observe_other(record, "ICMP")
            else:
                explainer.observe(analysed)
            if figures is not None and conversation in (None, analysed.stream):
                figures.add(analysed)
        else:
            explainer.observe_other(record, frame.protocol)
    total = explainer.conversation_count
    if not total:
        what = f"{number} frames, none of them TCP" if number else "no frame at all"
        raise KnownError(f"{name} holds {what}: there is nothing to explain")
    if conversation is not None and not 0 <= conversation < total:
        last = f"0 to {total - 1}" if total > 1 else "only 0"
        raise KnownError(f"{name} has no conversation {conversation}: it has {last}")
    faults = [*reader.faults.kept, *decoder.faults.kept, *analyser.faults.kept]
    if figures is not None and figures.left_out:
        text = f"Of {figures.left_out} frames no figures are here: there are too many."
        faults.insert(0, Fault("figures", text))
    return Reading(explainer.finish(faults), tuple(reader.interfaces), figures)
