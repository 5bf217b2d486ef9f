"""
Try the cases of tests/blackbox on other servers, to see that they are fair, and on ours.

    .venv/bin/python benchmarks/strictness.py                 # or: make strictness
    .venv/bin/python benchmarks/strictness.py --show nginx    # what nginx does otherwise

Every server serves the same folder on 127.0.0.1, as it comes, but for what it must be told to serve
one: its root and an index; no modules for precompressed files and for a type's charset. Others are
judged by status, framing and what becomes of the connection, wherever the standard leaves a choice
by all of it; ours in addition by the choice that we made, and by its fields.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_TOP))

from tests.blackbox.client import run  # noqa: E402
from tests.blackbox.tables import STANDARD  # noqa: E402
from tests.blackbox.tree import make_tree  # noqa: E402

_PATIENCE_SECONDS = 3.0

_NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr crit;
worker_processes 1;
events {{}}
http {{
    access_log off;
    include /etc/nginx/mime.types;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {root};
    }}
}}
"""

_LIGHTTPD = """\
server.document-root = "{root}"
server.port = {port}
server.bind = "127.0.0.1"
server.modules = ("mod_indexfile", "mod_staticfile")
index-file.names = ("index.html")
mimetype.assign = (".html" => "text/html", ".txt" => "text/plain", "" => "application/octet-stream")
"""


def _nginx(folder: Path, root: Path, port: int) -> list[str]:
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(folder=folder, root=root, port=port))
    return ["nginx", "-e", "stderr", "-c", str(configuration)]


def _lighttpd(folder: Path, root: Path, port: int) -> list[str]:
    configuration = folder / "lighttpd.conf"
    configuration.write_text(_LIGHTTPD.format(root=root, port=port))
    return ["lighttpd", "-D", "-f", str(configuration)]


def _twistd(name: str, *options: str) -> Callable[[Path, Path, int], list[str]]:
    def command(folder: Path, root: Path, port: int) -> list[str]:
        run_twistd = "from twisted.scripts.twistd import run; run()"
        listen = f"tcp:{port}:interface=127.0.0.1"
        twistd = [sys.executable, "-c", run_twistd, "-n", "--pidfile=", name, "--listen", listen]
        return [*twistd, *[option.format(root=root) for option in options]]

    return command


_SERVERS = {
    "netlab-http": _twistd("netlab-http", "--root", "{root}"),
    "lighttpd": _lighttpd,
    "nginx": _nginx,
    "twistd web": _twistd("web", "--path", "{root}"),
}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None:
                sys.exit(f"{process.args!r} ended with status {process.returncode}")
            time.sleep(0.05)
        else:
            return
    sys.exit(f"{process.args!r} does not listen")


def _try_server(name: str, *, shows: bool) -> list[tuple[int, int]]:
    """
    Run all cases on one server.

    @return: of each group, how many cases passed, and how many there are.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)  # nginx's workers are nobody
        root, port = make_tree(folder), _free_port()
        command = _SERVERS[name](folder, root, port)
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                _wait_for(port, process)
                counts = []
                for group in STANDARD:
                    results = run(
                        ("127.0.0.1", port),
                        group.cases,
                        is_ours=name == "netlab-http",
                        patience=_PATIENCE_SECONDS,
                    )
                    counts.append((sum(not wrong for _, wrong in results), len(results)))
                    for case, wrong in results:
                        if wrong and shows:
                            print(f"  RFC {case.rule}: {case.name}: {'; '.join(wrong)}")
                return counts
            finally:
                process.terminate()


def main() -> None:
    """
    Print a table.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--show", choices=_SERVERS, help="list what this server does otherwise")
    shown = parser.parse_args().show
    if shown is not None:
        _try_server(shown, shows=True)
        return
    columns = {}
    for name in _SERVERS:
        if name in ("nginx", "lighttpd") and shutil.which(name) is None:
            print(f"{name} is not installed", file=sys.stderr)
            continue
        columns[name] = _try_server(name, shows=False)
    print("| cases | of | " + " | ".join(columns) + " |")
    print("|--|--|" + "--|" * len(columns))
    for number, group in enumerate(STANDARD):
        passed = [str(column[number][0]) for column in columns.values()]
        print(f"| {group.name} | {len(group.cases)} | {' | '.join(passed)} |")
    totals = [str(sum(passed for passed, _ in column)) for column in columns.values()]
    print(f"| all | {sum(len(g.cases) for g in STANDARD)} | {' | '.join(totals)} |")


if __name__ == "__main__":
    main()
