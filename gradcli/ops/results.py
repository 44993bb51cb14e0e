"""Several results with names, such as a largest element and its index."""

from __future__ import annotations

from typing import Any


class Results(tuple[Any, ...]):
    """The results of a function that gives several: a tuple whose parts have names too.

    Attributes:
        title: what the tuple is called where it is printed.
        fields: the names of its parts.
    """

    __slots__ = ()

    title: str = "torch.return_types"
    fields: tuple[str, ...] = ()


def named(function: str, *fields: str) -> type[Results]:
    """The type of a PyTorch function's results, made once for each function."""
    title = f"torch.return_types.{function}"
    return type(f"{function.title()}Results", (Results,), {"__slots__": (), "title": title, "fields": fields})
