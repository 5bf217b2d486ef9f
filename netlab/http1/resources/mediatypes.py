"""
A file's name to its Content-Type (RFC 9110 section 8.3).

The table is our own, so that every machine and every Python gives the same answer (decision 0032).
"""

from __future__ import annotations

from typing import Final

DEFAULT_MEDIA_TYPE: Final = b"application/octet-stream"

_TABLE: Final = """
text/css                    css
text/csv                    csv
text/calendar               ics
text/html                   html htm
text/javascript             js mjs cjs
text/markdown               md markdown
text/plain                  txt text log conf ini cfg toml asc diff patch srt
text/tab-separated-values   tsv
text/vcard                  vcf
text/vtt                    vtt
text/x-c                    c h cc cpp hpp
text/x-python               py
text/x-rst                  rst
text/x-shellscript          sh

application/atom+xml        atom
application/epub+zip        epub
application/geo+json        geojson
application/gzip            gz tgz svgz
application/java-archive    jar
application/json            json map
application/ld+json         jsonld
application/manifest+json   webmanifest
application/msword          doc
application/ogg             ogx
application/pdf             pdf
application/pgp-signature   sig
application/postscript      ps eps ai
application/rss+xml         rss
application/rtf             rtf
application/sql             sql
application/vnd.android.package-archive  apk
application/vnd.apple.mpegurl            m3u8
application/vnd.debian.binary-package    deb
application/vnd.ms-excel                 xls
application/vnd.ms-fontobject            eot
application/vnd.ms-powerpoint            ppt
application/vnd.oasis.opendocument.presentation  odp
application/vnd.oasis.opendocument.spreadsheet   ods
application/vnd.oasis.opendocument.text          odt
application/vnd.openxmlformats-officedocument.presentationml.presentation  pptx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet          xlsx
application/vnd.openxmlformats-officedocument.wordprocessingml.document    docx
application/vnd.rar         rar
application/vnd.sqlite3     sqlite sqlite3
application/vnd.tcpdump.pcap  pcap cap dmp
application/wasm            wasm
application/x-7z-compressed 7z
application/x-bittorrent    torrent
application/x-bzip2         bz2 tbz2
application/x-pcapng        pcapng
application/x-tar           tar
application/x-xz            xz txz
application/xhtml+xml       xhtml
application/xml             xml xsl xsd
application/xslt+xml        xslt
application/yaml            yaml yml
application/zip             zip whl
application/zstd            zst

audio/aac                   aac
audio/flac                  flac
audio/midi                  mid midi
audio/mp4                   m4a
audio/mpeg                  mp3
audio/ogg                   ogg oga opus
audio/wav                   wav
audio/webm                  weba

font/collection             ttc
font/otf                    otf
font/ttf                    ttf
font/woff                   woff
font/woff2                  woff2

image/apng                  apng
image/avif                  avif
image/bmp                   bmp
image/gif                   gif
image/heic                  heic
image/heif                  heif
image/jpeg                  jpg jpeg jfif pjpeg
image/jxl                   jxl
image/png                   png
image/svg+xml               svg
image/tiff                  tif tiff
image/vnd.microsoft.icon    ico
image/webp                  webp

model/gltf+json             gltf
model/gltf-binary           glb
model/stl                   stl

video/3gpp                  3gp
video/3gpp2                 3g2
video/matroska              mkv
video/mp2t                  ts m2ts
video/mp4                   mp4 m4v
video/mpeg                  mpg mpeg
video/ogg                   ogv
video/quicktime             mov
video/webm                  webm
video/x-msvideo             avi
"""


def _read_table() -> dict[bytes, bytes]:
    types: dict[bytes, bytes] = {}
    for line in _TABLE.encode("ascii").splitlines():
        media_type, *extensions = line.split() or [b""]
        if media_type.startswith(b"text/"):
            # All text we serve is taken for UTF-8. Types that are not text say their encoding
            # themselves (XML) or have only one (JSON, RFC 8259 section 8.1).
            media_type += b"; charset=utf-8"
        for extension in extensions:
            types[extension] = media_type
    return types


MEDIA_TYPES: Final = _read_table()
"""Content-Type by extension, in lower case and without the dot."""


def media_type_of(name: bytes) -> bytes:
    """
    Find the Content-Type of a file.

    Only the last extension counts, in any case. A name that has none, as where its only dot is its
    first byte, or one that we do not know, is L{DEFAULT_MEDIA_TYPE}: a browser downloads it.

    C{a.tar.gz} is C{application/gzip}, and so is C{a.html.gz} when it is asked for by that name:
    the file that was asked for is a gzip file. Only a file that is sent in place of another, as its
    precompressed variant, has a Content-Encoding.

    @param name: the last segment of the file's path.
    """
    stem, dot, extension = name.rpartition(b".")
    if not dot or not stem.strip(b"."):
        return DEFAULT_MEDIA_TYPE
    return MEDIA_TYPES.get(extension.lower(), DEFAULT_MEDIA_TYPE)
