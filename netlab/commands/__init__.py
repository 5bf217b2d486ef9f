"""
The subcommands of C{netlab}, a module each.

A module has C{SUMMARY}, one sentence, and C{add_options}, which describes its options to a parser
and returns what runs it. What does the work is imported in there, so that no subcommand pays for
another.
"""
