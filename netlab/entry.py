"""
Where the C{netlab} command begins: until all of it is there, Ctrl-C ends it at once, in silence.
"""

from __future__ import annotations

import signal

#: Reading the rest takes a tenth of a second, in which Python would show where it is.
_HANDLER = signal.getsignal(signal.SIGINT)
if _HANDLER is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> int:
    """
    Run the command.

    @return: its exit status.
    """
    from netlab.cli import main as run

    try:
        signal.signal(signal.SIGINT, _HANDLER)
        return run()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    raise SystemExit(main())
