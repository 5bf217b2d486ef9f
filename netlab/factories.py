"""
C{Factory} with the type of its protocols in brackets, for all supported versions of Twisted.

Type checkers have always known C{Factory[P]}; at run time Twisted has it since 26.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from twisted.internet import protocol

__all__ = ["Factory"]

if TYPE_CHECKING:
    from twisted.internet.protocol import Factory
elif hasattr(protocol.Factory, "__class_getitem__"):
    Factory = protocol.Factory
else:

    class Factory(protocol.Factory):
        """
        Twisted's, with brackets that mean nothing when the program runs.
        """

        def __class_getitem__(cls, item: Any) -> type[Self]:
            """
            Ignore what protocols are made.
            """
            return cls
