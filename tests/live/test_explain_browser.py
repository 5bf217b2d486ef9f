"""
The explained page in a real browser, driven by keys. Pictures are kept under artefacts/browser/.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.report import html, htmlrows, svg
from tests.captures.reference import NAMES, exchange
from tests.captures.stories import reference_story, story_of
from tests.captures.talk import Talk
from tests.live.devtools import Browser, browser
from tests.live.tools import NEEDS_CHROMIUM, png_size

#: One server for all.
pytestmark = [NEEDS_CHROMIUM, pytest.mark.xdist_group("explain")]

_CHOSEN = "document.querySelector('[aria-current]')?.id"
_DETAIL = "document.getElementById('detail').innerText"
_CITED = "[...document.querySelectorAll('.cited')].map((row) => row.id).join(' ')"
_SHOWN = (
    "[...document.querySelectorAll('section')].filter((one) => !one.hidden)"
    ".map((one) => one.dataset.stream).join(' ')"
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """
    Start one browser for all tests here.
    """
    with browser(tmp_path_factory.mktemp("explain") / "browser") as found:
        yield found


def open_report(chromium: Browser, folder: Path, name: str, width: int = 1400) -> None:
    """
    Open the report on a reference exchange.
    """
    path = folder / f"{name}.html"
    path.write_text(html.render(reference_story(name), f"{name}.pcap"), encoding="utf-8")
    chromium.requested.clear()
    chromium.complaints.clear()
    chromium.open(path.as_uri(), width, 1000)


@pytest.mark.parametrize("name", NAMES)
def test_pictures(chromium: Browser, tmp_path: Path, name: str) -> None:
    """
    Each reference exchange is shown in light and dark; the page asks for nothing but itself, and
    its own policy has nothing to complain about.
    """
    for is_dark in (False, True):
        chromium.dark(is_dark)
        open_report(chromium, tmp_path, name)
        paper = chromium.ask("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(17, 20, 26)" if is_dark else "rgb(250, 249, 246)")
        chromium.press("ArrowDown")
        picture = chromium.picture(f"explain-{name}-{'dark' if is_dark else 'light'}")
        assert png_size(picture) == (1400, 1000)
        assert chromium.requested == [(tmp_path / f"{name}.html").as_uri()]
        assert chromium.complaints == []
    chromium.dark(False)


def test_every_frame_by_keyboard(chromium: Browser, tmp_path: Path) -> None:
    """
    The arrow keys go through all frames in the order of the page, End and Home to its ends; each
    frame's equations stand beside, and the frames that they cite are marked.
    """
    open_report(chromium, tmp_path, "notfound")
    visited = []
    for _ in exchange("notfound").frames:
        chromium.press("ArrowDown")
        visited.append(chromium.ask(_CHOSEN))
    expected = [*range(1, 10), 13, 14, 10, 11, 12, 15, 16, 17, 18]
    assert visited == [f"f{number}" for number in expected]
    chromium.press("ArrowDown")
    assert chromium.ask(_CHOSEN) == "f18"
    chromium.press("Home")
    assert chromium.ask(_CHOSEN) == "f1"
    chromium.press("End")
    chromium.press("ArrowUp")
    assert chromium.ask(_CHOSEN) == "f17"
    assert chromium.ask("document.activeElement.id") == "f17"


def test_the_details(chromium: Browser, tmp_path: Path) -> None:
    """
    A chosen frame shows its equations and marks the frames that its acknowledgement rests on; Esc
    takes both away.
    """
    open_report(chromium, tmp_path, "echo")
    for _ in range(7):
        chromium.press("j")
    # The data of a hundred frames are unpacked when the first of them is chosen.
    chromium.wait(f"{_DETAIL}.startsWith('#7 ')")
    detail = chromium.ask(_DETAIL)
    assert "ack 1928250499 = ISN 1928250445 + 1 (SYN) + 33 (#4) + 20 (#6)" in detail
    assert "window 1049600 = 4100 × 2^8" in detail
    assert "OVER THE LAZY DOG" in detail
    assert chromium.ask(_CITED) == "f1 f4 f6"
    assert chromium.ask("document.querySelector('.cursor').getAttribute('d')") != ""
    chromium.press("Escape")
    assert chromium.ask(_CHOSEN) is None
    assert chromium.ask(_CITED) == ""


def test_a_cited_frame_is_a_link(chromium: Browser, tmp_path: Path) -> None:
    """
    A frame that a text cites can be gone to by keyboard, also from a conversation that is hidden.
    """
    open_report(chromium, tmp_path, "redirect")
    chromium.press("ArrowRight")
    chromium.press("ArrowRight")
    assert chromium.ask(_SHOWN) == "1"
    chromium.ask("document.querySelector('#c1 .cite').focus()")
    assert chromium.ask("document.activeElement.textContent") == "#8"
    chromium.press("Enter")
    assert chromium.ask(_CHOSEN) == "f8"
    assert chromium.ask(_SHOWN) == "0 1"


def test_a_link_names_a_frame(chromium: Browser, tmp_path: Path) -> None:
    """
    The frame that the page's address names is chosen; one that there is not is none.
    """
    path = tmp_path / "echo.html"
    path.write_text(html.render(reference_story("echo"), "echo.pcap"), encoding="utf-8")
    for number, chosen in ((7, "f7"), (99, None)):
        chromium.open("about:blank", 1400, 1000)
        chromium.open(f"{path.as_uri()}#f{number}", 1400, 1000)
        assert chromium.ask("document.querySelector('[aria-current]')?.id") == chosen
        assert chromium.ask("scrollY") > 0 or chosen is None


def test_filter_and_equations(chromium: Browser, tmp_path: Path) -> None:
    """
    The side arrows show one conversation after the other, then all; e hides the equations.
    """
    open_report(chromium, tmp_path, "double_fin")
    shown = [chromium.ask(_SHOWN)]
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"):
        chromium.press(key)
        shown.append(chromium.ask(_SHOWN))
    assert shown == ["0 1", "0", "1", "1", "0", "0 1"]
    height = "document.querySelector('#f1 .eq').offsetHeight"
    assert chromium.ask(height) > 0
    chromium.press("e")
    assert chromium.ask(height) == 0


def test_theme(chromium: Browser, tmp_path: Path) -> None:
    """
    The button goes from the system's colours to light, to dark and back.
    """
    open_report(chromium, tmp_path, "echo")
    colours = []
    for _ in range(3):
        chromium.ask("document.getElementById('theme').click()")
        colours.append(chromium.ask("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(250, 249, 246)", "rgb(17, 20, 26)", "rgb(250, 249, 246)"]


@pytest.mark.parametrize("width", [380, 800, 1400])
def test_nothing_sticks_out(chromium: Browser, tmp_path: Path, width: int) -> None:
    """
    On a phone, a tablet and a screen the page is as wide as the window.
    """
    open_report(chromium, tmp_path, "redirect", width)
    assert chromium.ask("document.documentElement.scrollWidth") <= width
    chromium.press("ArrowDown")
    chromium.picture(f"explain-redirect-{width}")


def test_accessible_names(chromium: Browser, tmp_path: Path) -> None:
    """
    A screen reader finds headings, lists of frames with direction and text, and drawings by name.
    """
    open_report(chromium, tmp_path, "echo")
    tree = chromium.call("Accessibility.getFullAXTree")["nodes"]
    names = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree
        if not node["ignored"]
    ]
    assert ("heading", "echo.pcap") in names
    assert any(role == "heading" and "simultaneous close" in name for role, name in names)
    (plots,) = [name for role, name in names if role == "image" and name]
    assert "bytes were in flight" in plots
    text = " ".join(name for role, name in names if role == "StaticText")
    assert "server to client: FIN, ACK" in text.replace("  ", " ")
    assert "Frame 9" in text.replace("  ", " ")


def test_svg_picture(chromium: Browser, tmp_path: Path) -> None:
    """
    The image is shown by a browser as it is.
    """
    path = tmp_path / "double_fin.svg"
    path.write_text(svg.render(reference_story("double_fin"), "double_fin.pcap"), encoding="utf-8")
    chromium.open(path.as_uri(), 1120, 1300)
    chromium.picture("explain-double_fin-svg")
    assert chromium.ask("document.querySelectorAll('[marker-end]').length") == 22


@pytest.mark.slow
def test_ten_thousand_frames(chromium: Browser, tmp_path: Path) -> None:
    """
    A page of 10 000 frames answers to its keys, and lays out only what is looked at.
    """
    talk = Talk().open()
    while len(talk.frames) < 9_990:
        talk.say("c", b"x")
    talk.close("c")
    path = tmp_path / "large.html"
    with path.open("w", encoding="utf-8") as page:
        page.writelines(html.pieces(story_of(talk.pcap()), "large.pcap"))
    chromium.open(path.as_uri(), 1400, 900)
    total = len(talk.frames)
    rows = "document.querySelectorAll('.row[id]').length"
    assert chromium.ask(rows) < 500
    assert chromium.ask("document.querySelectorAll('*').length") < 5_000
    height = chromium.ask("document.documentElement.scrollHeight")
    chromium.press("End")
    assert chromium.ask(_CHOSEN) == f"f{total}"
    chromium.press("ArrowUp")
    chromium.wait(f"{_DETAIL}.startsWith('#{total - 1} ')")
    chromium.picture("explain-large")
    # The rows that were not there yet took as much room as they need now, or nearly.
    assert abs(chromium.ask("document.documentElement.scrollHeight") / height - 1) < 0.2
    chromium.ask("location.hash = '#f5001'")
    chromium.wait(f"{_CHOSEN} === 'f5001'")
    for key, number in (("ArrowUp", 5000), ("ArrowDown", 5001), ("ArrowDown", 5002)):
        chromium.press(key)
        assert chromium.ask(_CHOSEN) == f"f{number}"
    assert chromium.ask(rows) < 3_000
    laid_out = chromium.ask(
        "[...document.querySelectorAll('.chunk')].filter((one) => one.firstElementChild"
        "?.checkVisibility({contentVisibilityAuto: true})).length"
    )
    assert 0 < laid_out < 20
    chromium.ask("dispatchEvent(new Event('beforeprint'))")
    assert chromium.ask(rows) == total
    assert chromium.ask("document.getElementById('all-rows').hidden")


def test_rows_of_the_script(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The rows that the script makes are the same as those of the template.
    """
    found = []
    for most in (200, 0):
        monkeypatch.setattr(htmlrows, "STATIC_ROWS", most)
        texts = []
        for name in NAMES:
            open_report(chromium, tmp_path, name)
            chromium.ask("document.getElementById('all-rows').click()")
            texts.append(
                chromium.ask(
                    "[...document.querySelectorAll('.chunk')].map((one) => one.innerHTML"
                    ".replace(/>\\s+/g, '>').replace(/\\s+</g, '<').replace(/ tabindex=\"0\"/, '')"
                    ").join('')"
                )
            )
            assert chromium.complaints == []
        found.append(texts)
    assert found[0] == found[1]
    assert all("</li>" in text for text in found[0])
