"""
The contrast of the page's colours (WCAG 2.2, 1.4.3 and 1.4.11), from its style sheet.
"""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import netlab.report

_STYLE = Path(netlab.report.__file__).parent / "templates" / "report.css"

#: What text is written in, and on what.
_TEXT = ("ink", "muted", "probe", "client", "server", "fail", "pass")
_GROUND = ("paper", "surface", "select", "cite")


def luminance(colour: str) -> float:
    """
    Give a colour's relative luminance, as WCAG defines it.
    """
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    """
    Give the contrast of two colours, from 1 to 21.
    """
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


class ContrastTests(SynchronousTestCase):
    """
    Light and dark.
    """

    def themes(self) -> dict[str, dict[str, str]]:
        """
        Give the colours of each block of the style sheet that sets them.
        """
        blocks = re.findall(r"(:root[^{]*)\{([^}]*--paper[^}]*)\}", _STYLE.read_text())
        return {
            selector.strip(): dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", body))
            for selector, body in blocks
        }

    def test_text(self) -> None:
        """
        Every colour that text has is readable on every ground that it stands on: at least 4.5.
        """
        for selector, colours in self.themes().items():
            for text in _TEXT:
                for ground in _GROUND:
                    ratio = contrast(colours[text], colours[ground])
                    self.assertGreaterEqual(ratio, 4.5, (selector, text, ground))

    def test_dark_is_dark_either_way(self) -> None:
        """
        Dark by the system and dark by the button are the same colours.
        """
        themes = self.themes()
        self.assertEqual(len(themes), 3)
        system, button = (
            themes[':root:not([data-theme="light"])'],
            themes[':root[data-theme="dark"]'],
        )
        self.assertEqual(system, button)
