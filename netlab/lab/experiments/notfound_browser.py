"""
The reference's missing page and the spare connection, in a real browser.
"""

from __future__ import annotations

from netlab.lab.api.expected import asks_on_one_only
from netlab.lab.api.experiment import Delay, Experiment, Kind, Laboratory, Rule, Side, WireSettings
from netlab.lab.experiments.redirect_browser import BROWSER, browse

#: Chromium opens a second connection when a handshake has not ended after 250 ms.
SLOW_HANDSHAKE_SECONDS = 0.4


async def perform(lab: Laboratory) -> None:
    """
    Show a page that is not there.
    """
    await browse(lab, "/missing.html", r"GET /missing\.html")


EXPERIMENT = Experiment(
    name="notfound_browser",
    question="When does a real browser open a connection that carries nothing?",
    programs="twistd netlab-http on the server; Chromium on the client.",
    look_for=(
        "The answer to the first SYN takes 0.4 s, and before it is there the browser opens a "
        "second connection. The request goes up on whichever is open first; the other one carries "
        "no byte, and the server's idle timeout closes it after a second."
    ),
    explanation=(
        "A lost SYN would be sent again only after a second, so Chromium does not wait for that: "
        "after 250 ms it tries a second connection beside the first. When both succeed one is to "
        "spare. Browsers also open spare connections to a site that they expect to be asked for "
        "more; both kinds look the same on the wire."
    ),
    perform=perform,
    expectations=(asks_on_one_only(404),),
    wire=WireSettings(rules=[Rule(Delay(SLOW_HANDSHAKE_SECONDS), Side.SERVER, Kind.SYN)]),
    commands=(BROWSER,),
    needs_wire=True,
)
