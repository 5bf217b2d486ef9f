"""
TCP as pure machines: segments and times in; segments, events and the next deadline out.

Every time, called C{now}, is an integer of nanoseconds on a clock that never goes back. A duration
is one, too, unless its name says otherwise. L{netlab.tcp.stack.Stack} is where to begin.
"""
