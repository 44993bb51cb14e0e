"""Where variables live while a program runs."""

from __future__ import annotations

from typing import Any


class Frame:
    """The variables of one call, of one comprehension, or of the program itself.

    Attributes:
        values: what the variables hold now.
        own: the names that are variables here, bound or not yet.
        parent: the frame around the function's definition; None for the program's own.
    """

    __slots__ = ("own", "parent", "values")

    def __init__(self, own: frozenset[str], parent: Frame | None) -> None:
        self.values: dict[str, Any] = {}
        self.own = own
        self.parent = parent
