"""
The reference's redirect, in a real browser.
"""

from __future__ import annotations

import shutil

from netlab.demonstration import demonstration_root
from netlab.lab.api.expected import asks_apart, asks_somewhere
from netlab.lab.api.experiment import HTTP_PORT, Experiment, Laboratory, Side
from netlab.lab.experiments import redirect

BROWSER = "chromium"

#: No display, no sandbox (which needs rights that a host without privilege lacks), and nothing of
#: what a browser does on its own account. What it does all the same ends in the host, which knows
#: no way to anywhere but the server.
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-default-apps",
    # Of its log only what kills it: without a desktop it complains of every service there is not.
    "--log-level=3",
    # Without this it would show the page and end at once.
    "--remote-debugging-port=0",
)

#: What browsers ask for on their own; without it their second request would get a 404.
ICON_BYTES = 318


async def browse(lab: Laboratory, path: str, last_request: str) -> None:
    """
    Show a page in the browser, and keep it open until the server has closed all connections.

    @param last_request: what the server logs of the request that shows that the page is there.
    """
    root = lab.folder / "root"
    shutil.copytree(demonstration_root(), root, dirs_exist_ok=True)
    (root / "favicon.ico").write_bytes(bytes(ICON_BYTES))
    options = ("--bare-headers", "--show-requests", "--root", str(root))
    server = await lab.server.serve("netlab-http", *options)
    url = f"http://{lab.server.address}:{HTTP_PORT}{path}"
    browser = lab.client.start(BROWSER, *OPTIONS, url)
    await server.line(last_request)
    # The browser does not look at a connection that it does not use: it closes it when it ends.
    await lab.all_ended_by(Side.SERVER)
    browser.signal(15)
    await browser.ended()


async def perform(lab: Laboratory) -> None:
    """
    Show the page that the redirect leads to.
    """
    await browse(lab, "/redirect", r"GET /favicon\.ico")


EXPERIMENT = Experiment(
    name="redirect_browser",
    question="What of the redirect experiment does a real browser do, and what more?",
    programs="twistd netlab-http on the server; Chromium on the client.",
    look_for=(
        "As in the redirect experiment the 301 ends its connection and the page comes on a new "
        "one. The browser then asks for the site's icon, mostly on that connection, which is why "
        "it is worth keeping; a second later the server's idle timeout closes it, and the browser "
        "does so when it looks again. Now and then there is a connection to spare."
    ),
    explanation=redirect.EXPERIMENT.explanation,
    perform=perform,
    # What else a browser does, and who closes first, is up to it and different each time.
    expectations=(
        asks_somewhere(b"/redirect", 301),
        asks_somewhere(b"/result.html", 200),
        asks_somewhere(b"/favicon.ico", 200),
        asks_apart(b"/redirect", b"/result.html"),
    ),
    commands=(BROWSER,),
)
