"""
Scripts of packetdrill's language, played on our own TCP in virtual time.

L{netlab.tcp.script.language.parsing} reads one, L{netlab.tcp.script.player} plays it, and
C{python -m netlab.tcp.script FILE.pkt} does both. docs/packetdrill.md says what of the language is
there.
"""
