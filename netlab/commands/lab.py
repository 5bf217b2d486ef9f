"""
C{netlab lab}.
"""

from __future__ import annotations

import argparse
import shlex
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netlab.commands.outcome import STATUS_FAILED, Run, columns_of_terminal, fold, show
from netlab.errors import KnownError

if TYPE_CHECKING:
    from netlab.lab.api.knobs import Knobs
    from netlab.lab.api.sides import Side
    from netlab.lab.runs.batch import Finished

SUMMARY = "Run experiments between two hosts on a wire that records every frame."

_WIDTH = 100

#: From here on a late frame can change what the hosts do: half of a delayed ACK's 40 ms.
_LATE_SECONDS = 0.02

#: Repeated from L{netlab.lab.api.knobs}, so that --help need not import it; a test compares.
KNOBS = {
    "delay": ("20ms", "how long each frame takes, one way"),
    "jitter": ("5ms", "how much longer a frame may take by chance"),
    "rate": ("10M", "bits per second"),
    "queue": ("20", "frames that may wait for their turn at that rate"),
    "loss": ("1%", "how many frames are lost"),
    "duplicate": ("1%", "how many frames arrive twice"),
    "reorder": ("1%", "how many frames are held back and overtaken"),
    "corrupt": ("1%", "how many frames get a wrong bit"),
}


def add_options(parser: argparse.ArgumentParser) -> Run:
    """
    Describe the options.

    @return: what runs the subcommand.
    """
    parser.epilog = (
        "See netlab lab ACTION --help for more.\n\n"
        "Examples:\n"
        "    netlab lab list\n"
        "    netlab lab show fast_retransmit\n"
        "    netlab lab run fast_retransmit"
    )
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    for name, summary, add in (
        ("list", "List the experiments.", _add_list),
        ("show", "Show an experiment's question, programs and explanation.", _add_show),
        ("run", "Run experiments, and check that they show what they should.", _add_run),
        ("verify", "Tell whether any capture shows what an experiment expects.", _add_verify),
    ):
        action = actions.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        action.set_defaults(act=add(action))

    def run(arguments: argparse.Namespace) -> int:
        act: Run = arguments.act
        return act(arguments)

    return run


def _add_list(parser: argparse.ArgumentParser) -> Run:
    def run(arguments: argparse.Namespace) -> int:
        from netlab.lab.results.catalogue import load, names

        width = max(len(name) for name in names())
        for name in names():
            show(fold(f"{name:<{width}}  {load(name).question}", hanging=width + 2))
        return 0

    return run


def _add_show(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument("name", metavar="NAME", help="of an experiment, or the path of its file")

    def run(arguments: argparse.Namespace) -> int:
        from netlab.lab.results.catalogue import load
        from netlab.lab.results.description import describe

        width = min(columns_of_terminal() or _WIDTH, _WIDTH)
        for title, text in describe(load(arguments.name)):
            show(title)
            for paragraph in text:
                show(textwrap.indent(textwrap.fill(paragraph, width - 4), "    "))
            show("")
        return 0

    return run


def _add_verify(parser: argparse.ArgumentParser) -> Run:
    parser.epilog = (
        "The capture may come from anywhere, but is to hold the experiment's connections and no "
        "others. The exit status is 1 if it does not show what it should.\n\n"
        "Examples:\n"
        "    netlab lab verify fast_retransmit capture.pcapng --end server"
    )
    parser.add_argument("name", metavar="NAME", help="of an experiment, or the path of its file")
    parser.add_argument(
        "capture",
        metavar="FILE",
        help="a pcap or pcapng file, packed with gzip or not; - is standard input",
    )
    parser.add_argument(
        "--end",
        choices=("client", "server"),
        metavar="END",
        help="where it was captured, client or server: then what is expected of that end alone is "
        "judged too",
    )
    parser.add_argument(
        "--keylog", metavar="FILE", help="open TLS with the secrets in this file, as for https"
    )

    def run(arguments: argparse.Namespace) -> int:
        from pathlib import Path

        from netlab.analysis.tls.keylogfile import read_keylog
        from netlab.lab.api.sides import Side
        from netlab.lab.results.catalogue import load
        from netlab.lab.results.judgement import judge_capture

        side = None if arguments.end is None else Side(arguments.end)
        keylog = None if arguments.keylog is None else read_keylog(arguments.keylog)
        results = judge_capture(load(arguments.name), Path(arguments.capture), side, keylog)
        for result in results:
            verdict = "PASS" if result.shown.is_met else "FAIL"
            shown = f"{result.shown.detail}{_frames(result.shown.frames)}"
            show(fold(f"{verdict}  {result.expectation.sentence}. Found: {shown}", hanging=6))
        return 0 if all(result.shown.is_met for result in results) else STATUS_FAILED

    return run


def _add_run(parser: argparse.ArgumentParser) -> Run:
    parser.epilog = (
        "A knob's value is for both directions, or UP/DOWN: 20ms/5ms delays the client's frames by "
        "20 ms and the server's by 5. The exit status is 1 if an experiment did not show what it "
        "should; with knobs turned that may be just what you wanted to see.\n\n"
        "Examples:\n"
        "    netlab lab run echo\n"
        "    netlab lab run echo --delay 20ms --out slow\n"
        "    netlab lab run lost_request --rule 'drop client data 1-3'\n"
        "    netlab lab run slow_start --isolation simulated\n"
        "    netlab lab run ./mine.py\n"
        "    netlab lab run --all --jobs 4"
    )
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help="an experiment, or the path of a file with one"
    )
    parser.add_argument("--all", action="store_true", help="all experiments that come with netlab")
    parser.add_argument("--reference", action="store_true", help="the five reference exchanges")
    parser.add_argument(
        "--out",
        "--output-dir",
        metavar="DIR",
        default="lab-results",
        help="the folder for the results; those of an earlier run of the same experiment are "
        "replaced (default: %(default)s)",
    )
    parser.add_argument(
        "--jobs", metavar="N", default="1", help="how many run at once (default: %(default)s)"
    )
    parser.add_argument(
        "--isolation",
        choices=("root", "user", "simulated", "none"),
        metavar="HOW",
        help="how hosts are made: root, user (namespaces without privilege), simulated (our own "
        "TCP in virtual time, the same each time) or none (loopback and a relay, no frames); by "
        "itself the first of these that works",
    )
    for side in ("client", "server"):
        parser.add_argument(
            f"--{side}-stack",
            choices=("linux", "netlab"),
            default="linux",
            metavar="TCP",
            help=f"whose TCP the {side} has where hosts are made by root or user: linux, or our "
            "own, netlab, in real time (default: %(default)s)",
        )
    wire = parser.add_argument_group("the wire")
    for name, (example, text) in KNOBS.items():
        wire.add_argument(
            f"--{name}", metavar="VALUE", help=f"{text}, such as {example.replace('%', '%%')}"
        )
    wire.add_argument(
        "--rule",
        metavar="RULE",
        action="append",
        help="what happens to certain segments, such as 'drop server data 2' or 'hold server fin "
        "1 50ms'; may be repeated, and replaces the experiment's own rules; '' for none",
    )
    wire.add_argument(
        "--seed",
        metavar="N",
        help="a number: what chance decides is the same for the same seed (default: the "
        "experiment's)",
    )
    wire.add_argument(
        "--sysctl",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a system setting of both hosts, such as net.ipv4.tcp_sack=0; may be repeated",
    )
    wire.add_argument(
        "--congestion",
        metavar="NAME|FILE",
        help="the congestion control of both hosts: reno, cubic, or a file with a class of your "
        "own, which simulated hosts use",
    )

    def run(arguments: argparse.Namespace) -> int:
        return _run(arguments)

    return run


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from twisted.internet import reactor
    from twisted.internet.defer import CancelledError
    from twisted.python.usage import UsageError

    from netlab.lab.hosts.settings import Isolation
    from netlab.lab.results.catalogue import REFERENCE, load, names
    from netlab.lab.runs.batch import Batch, run_batch
    from netlab.options import count
    from netlab.terminal.foreground import run_until_done

    if arguments.congestion is not None:
        _choose_congestion(arguments)
    chosen = list(arguments.names)
    if arguments.all:
        chosen += [name for name in names() if name not in chosen]
    if arguments.reference:
        chosen += [name for name in REFERENCE if name not in chosen]
    if not chosen:
        raise UsageError("no experiment; name one, or write --reference or --all")
    chosen = list(dict.fromkeys(chosen))
    experiments = [load(name) for name in chosen]
    taken = [experiment.name for experiment in experiments]
    twice = {name for name in taken if taken.count(name) > 1}
    if twice:
        raise UsageError(f"two experiments are called {twice.pop()!a}; rename one")
    batch = Batch(
        Path(arguments.out).absolute(),
        _knobs(arguments),
        None if arguments.isolation is None else Isolation(arguments.isolation),
        count("--jobs", at_least=1, at_most=64)(arguments.jobs),
        _own_stacks(arguments),
        {
            experiment.name: _again(name, arguments)
            for name, experiment in zip(chosen, experiments, strict=True)
        },
    )
    try:
        finished = run_until_done(
            lambda reactor: run_batch(reactor, experiments, batch, show), reactor
        )
    except CancelledError as error:
        raise KeyboardInterrupt from error
    except BrokenPipeError:
        # It is not a result that could not be written, but a line to the reader of our output.
        raise
    except OSError as error:
        problem = f"{error.filename or 'a file'}: {error.strerror or error}"
        raise KnownError(f"cannot write results: {problem}; choose another --out") from error
    _show_verdicts(finished)
    show(f"Results: {batch.folder}/index.html")
    return 0 if all(one.is_good for one in finished) else STATUS_FAILED


def _choose_congestion(arguments: argparse.Namespace) -> None:
    """
    Turn C{--congestion} into a system setting, and a file into a choice of simulated hosts.
    """
    from twisted.python.usage import UsageError

    from netlab.lab.runs.owncongestion import use_congestion

    text = arguments.congestion
    name = use_congestion(text)
    arguments.sysctl = [*arguments.sysctl, f"net.ipv4.tcp_congestion_control={name}"]
    if name != text:
        if arguments.isolation not in (None, "simulated"):
            raise UsageError(
                f"--congestion {text!a}: Linux's TCP cannot use it; leave out --isolation"
            )
        arguments.isolation = "simulated"


def _own_stacks(arguments: argparse.Namespace) -> Sequence[Side]:
    """
    Read which hosts have our own TCP.
    """
    from twisted.python.usage import UsageError

    from netlab.lab.api.sides import Side

    chosen = [side for side in Side if getattr(arguments, f"{side.value}_stack") == "netlab"]
    if chosen and arguments.isolation in ("simulated", "none"):
        option = f"--{chosen[0].value}-stack netlab"
        raise UsageError(f"{option}: only with hosts made by root or user; leave it out")
    return chosen


def _knobs(arguments: argparse.Namespace) -> Knobs:
    """
    Read the knobs.
    """
    from twisted.python.usage import UsageError

    from netlab.lab.api.knobs import KnobError, read_knobs
    from netlab.lab.api.script import ScriptError, parse_rule
    from netlab.options import count

    texts = {name: getattr(arguments, name) for name in KNOBS}
    rules = None
    try:
        if arguments.rule is not None:
            rules = [parse_rule(text) for text in arguments.rule if text]
        seed = None if arguments.seed is None else count("--seed")(arguments.seed)
        return read_knobs(
            {name: text for name, text in texts.items() if text is not None},
            rules,
            seed,
            arguments.sysctl,
        )
    except KnobError as error:
        raise UsageError(f"--{error}") from error
    except ScriptError as error:
        raise UsageError(f"--rule: {error}") from error


def _show_verdicts(finished: Sequence[Finished]) -> None:
    """
    Say which experiments showed what they should, and of the others why not.
    """
    for one in finished:
        name, judgement = one.outcome.experiment.name, one.judgement
        if one.outcome.problem:
            show(f"{name}: FAILED: {one.outcome.problem}")
        elif judgement is None:
            show(f"{name}: not checked: there is no capture")
        elif judgement.is_met:
            show(f"{name}: as expected, {judgement.count} of {judgement.count}")
        else:
            met = judgement.count - len(judgement.failures)
            show(f"{name}: NOT as expected, {met} of {judgement.count}")
            if one.outcome.lateness > _LATE_SECONDS:
                late = one.outcome.lateness * 1000
                show(f"    this machine was busy: frames may have come {late:.0f} ms late")
            for side, result in judgement.failures:
                show(fold(f"    at the {side.value}: {result.expectation.sentence}:"))
                show(fold(f"        but {result.shown.detail}{_frames(result.shown.frames)}"))


def _frames(frames: Sequence[int]) -> str:
    return f" ({', '.join(f'#{frame}' for frame in frames)})" if frames else ""


def _again(typed: str, arguments: argparse.Namespace) -> str:
    """
    Write the command line that runs one of the experiments again as it was run.

    @param typed: the experiment as it was named: by its name or by its file's path.
    """
    words = ["netlab", "lab", "run", typed]
    for side in ("client", "server"):
        if getattr(arguments, f"{side}_stack") == "netlab":
            words += [f"--{side}-stack", "netlab"]
    for option in ("isolation", *KNOBS, "rule", "seed", "sysctl"):
        value = getattr(arguments, option)
        for text in value if isinstance(value, list) else [value]:
            if text is not None:
                words += [f"--{option}", text]
    return shlex.join(words)
