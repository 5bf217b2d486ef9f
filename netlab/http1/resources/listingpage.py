"""
A folder's listing as a page for people.

The page holds no script and loads nothing, so its Content-Security-Policy allows nothing but its
own style block; it is sorted by links to the same folder with a query.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import escape
from typing import Final

from netlab.http1.resources.listing import (
    Listing,
    ListingEntry,
    ListingOrder,
    RenderedListing,
    SortKey,
    incompleteness_fields,
    shown_name,
)

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2024;--dim:#60646c;--paper:#fff;--line:#e4e6e9;
--shade:#f4f6f8;--link:#0b5cad;--folder:#c98a1b;--file:#9aa2ab;--note:#fff6dd}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--dim:#9aa3ad;--paper:#14171a;--line:#2a2f35;
--shade:#1d2126;--link:#7cb7f5;--folder:#e0ad52;--file:#6d7781;--note:#3a3118}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:64rem;margin:0 auto;padding:2rem 1.25rem 3rem}
h1{margin:0 0 1.25rem;padding-left:.5rem;font-size:1.375rem;
font-weight:600;line-height:1.35;overflow-wrap:anywhere}
h1 .sep{color:var(--dim);font-weight:400;padding:0 .2em}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
a:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.45rem .75rem;text-align:left;vertical-align:top;font-weight:400}
th:first-child,td:first-child{padding-left:.5rem}
thead th{position:sticky;top:0;background:var(--paper);box-shadow:inset 0 -1px var(--line);
font-size:.875rem;white-space:nowrap}
thead a{color:var(--dim)}
thead [aria-sort] a{color:var(--ink);font-weight:600}
tbody tr+tr{border-top:1px solid var(--line)}
tbody tr:hover{background:var(--shade)}
tbody th a{display:flex;gap:.6rem;overflow-wrap:anywhere}
tbody bdi{min-width:0}
svg{flex:none;width:1.125rem;height:1.5rem;fill:var(--file)}
.folder svg{fill:var(--folder)}
.size,.time{white-space:nowrap;color:var(--dim);width:1%}
thead .size,tbody .size{text-align:right}
.note{background:var(--note);padding:.6rem .9rem;border-radius:6px;margin:0 0 1rem}
footer{color:var(--dim);margin-top:1.25rem;font-size:.875rem;padding-left:.5rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);
white-space:nowrap}
@media(max-width:36rem){main{padding:1.25rem .75rem 2rem}th,td{padding:.45rem .4rem}
.time .clock{display:none}}
@media print{thead th{position:static}}
"""

_ICONS: Final = (
    '<svg class="hidden" aria-hidden="true" focusable="false">'
    '<symbol id="folder" viewBox="0 0 18 24"><path d="M1 4h6l2 2h8v12H1z"/></symbol>'
    '<symbol id="file" viewBox="0 0 18 24"><path fill-rule="evenodd" '
    'd="M3 3h7.5L15 7.5V20H3zm1.5 1.5v14h9V8.5H9.5v-4z"/></symbol>'
    '<symbol id="up" viewBox="0 0 18 24"><path d="M9 4l6 6.5h-4V19H7v-8.5H3z"/></symbol>'
    "</svg>"
)

CONTENT_SECURITY_POLICY: Final = (
    b"default-src 'none'; style-src 'sha256-%b'; base-uri 'none'; form-action 'none'; "
    b"frame-ancestors 'none'" % b64encode(sha256(_STYLE.encode("ascii")).digest())
)
"""What the page needs: its style, known by its hash, and nothing else (CSP Level 3)."""

_COLUMNS: Final = (
    (SortKey.NAME, "Name", "name", False),
    (SortKey.SIZE, "Size", "size", True),
    (SortKey.TIME, "Modified (UTC)", "time", True),
)
"""Sort key, heading, class, and whether the first click puts the greatest first."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def render_page(segments: Sequence[bytes], listing: Listing) -> RenderedListing:
    """
    Make the page.

    @param segments: the decoded segments of the request's path, which ends in a slash, so that the
        last one is empty. All links are relative to that path.
    @return: the page and its field lines.
    """
    folders = list(segments[:-1])
    title = escape("/" + "".join(shown_name(folder) + "/" for folder in folders))
    head = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>Index of {title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'{_ICONS}\n<main>\n<h1><span class="hidden">Index of </span>{_path_links(folders)}</h1>\n'
    )
    parts = [head]
    if not listing.is_complete:
        parts.append(
            '<p class="note">This folder holds more than what is listed here; any other entry can '
            "still be asked for by its name.</p>\n"
        )
    if listing.entries or folders:
        parts.append(_table_head(listing.order))
        if folders:
            parts.append(
                '<tr class="folder"><th scope="row"><a href="../"><svg aria-hidden="true">'
                '<use href="#up"/></svg><span>Parent folder</span></a></th>'
                '<td class="size"></td><td class="time"></td></tr>\n'
            )
        parts.extend(map(_row, listing.entries))
        parts.append("</tbody>\n</table>\n")
    parts.append(f"<footer>{_summary(listing)}</footer>\n</main>\n</body>\n</html>\n")
    return RenderedListing(
        (
            (b"Content-Type", b"text/html; charset=utf-8"),
            (b"Content-Security-Policy", CONTENT_SECURITY_POLICY),
            (b"Vary", b"Accept"),
            *incompleteness_fields(listing),
        ),
        "".join(parts).encode("utf-8"),
    )


def _path_links(folders: Sequence[bytes]) -> str:
    """
    Make the heading: each folder of the path, all but the last one as links upwards.
    """
    separator = '<span class="sep">/</span>'
    names = [shown_name(folder) for folder in folders]
    links = []
    for depth, name in enumerate(["Home", *names]):
        text = f"<bdi>{escape(name)}</bdi>"
        ups = len(folders) - depth
        links.append(f'<a href="{"../" * ups}">{text}</a>' if ups else text)
    return separator.join(links) + separator


def _table_head(order: ListingOrder) -> str:
    cells = []
    for key, heading, style, is_descending_first in _COLUMNS:
        is_current = order.key is key
        is_descending = (not order.is_descending) if is_current else is_descending_first
        direction = "desc" if is_descending else "asc"
        mark = state = ""
        if is_current:
            state = ' aria-sort="descending"' if order.is_descending else ' aria-sort="ascending"'
            mark = f' <span aria-hidden="true">{"↓" if order.is_descending else "↑"}</span>'
        cells.append(
            f'<th scope="col" class="{style}"{state}>'
            f'<a href="?sort={key}&amp;order={direction}">{heading}{mark}</a></th>'
        )
    return (
        '<table>\n<caption class="hidden">Folders and files; the headings sort them</caption>\n'
        f"<thead><tr>{''.join(cells)}</tr></thead>\n<tbody>\n"
    )


def _row(entry: ListingEntry) -> str:
    name = escape(shown_name(entry.name))
    href = escape(entry.href.decode("ascii"))
    if entry.is_folder:
        opening, icon, slash, size = '<tr class="folder">', "folder", "/", ""
    else:
        opening, icon, slash, size = "<tr>", "file", "", _shown_size(entry.size)
    return (
        f'{opening}<th scope="row"><a href="{href}"><svg aria-hidden="true">'
        f'<use href="#{icon}"/></svg><bdi>{name}{slash}</bdi></a></th>'
        f'<td class="size">{size}</td><td class="time">{_shown_time(entry.modified)}</td></tr>\n'
    )


def _shown_size(size: int) -> str:
    """
    Write a size with three figures or so; the exact one is in the element's value.
    """
    value, power = float(size), 0
    # What would round to 1024.0 goes into the next unit.
    while value >= 1023.95 and power < len(_UNITS) - 1:
        value /= 1024
        power += 1
    shown = f"{value:.1f}" if power else str(size)
    return f'<data value="{size}">{shown} {_UNITS[power]}</data>'


def _shown_time(seconds: int) -> str:
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return ""
    text = moment.isoformat()
    return (
        f'<time datetime="{text[:19]}Z">{text[:10]}<span class="clock"> {text[11:16]}</span></time>'
    )


def _summary(listing: Listing) -> str:
    folders = sum(entry.is_folder for entry in listing.entries)
    files = len(listing.entries) - folders
    if not listing.entries:
        return "This folder is empty." if listing.is_complete else "What was found is not shown."
    counts = []
    if folders:
        counts.append(f"{folders:,} folder{'s' * (folders != 1)}")
    if files:
        size = sum(entry.size for entry in listing.entries if not entry.is_folder)
        counts.append(f"{files:,} file{'s' * (files != 1)}, {_shown_size(size)}")
    return ", ".join(counts)
