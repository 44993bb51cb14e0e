"""Trees of values: tuples, lists and dicts, flattened in order and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gradcli.graph.errors import ArgumentError


class Constant:
    """What stands in a tree beside its leaves and is none: None, or a text. It stays where it is, as it is.

    Attributes:
        held: it.
    """

    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held


def leaves(tree: Any) -> list[Any]:
    """The leaves of a tree, in order (dicts by insertion)."""
    return list(_walk(tree))


def _walk(tree: Any) -> Iterator[Any]:
    if isinstance(tree, list | tuple):
        for part in tree:
            yield from _walk(part)
    elif isinstance(tree, dict):
        for part in tree.values():
            yield from _walk(part)
    elif not isinstance(tree, Constant):
        yield tree


def like(tree: Any, values: list[Any] | tuple[Any, ...]) -> Any:
    """A tree of the form of `tree` whose leaves are `values`, in order."""
    given = iter(values)
    return mapped(lambda leaf: next(given), tree)


def mapped(f: Callable[[Any], Any], tree: Any) -> Any:
    """The tree whose leaves are `f` of another's, in order."""
    if isinstance(tree, list | tuple):
        parts = [mapped(f, part) for part in tree]
        return tuple(parts) if isinstance(tree, tuple) else parts
    if isinstance(tree, dict):
        return {key: mapped(f, part) for key, part in tree.items()}
    return tree if isinstance(tree, Constant) else f(tree)


def aligned(tree: Any, other: Any, what: str) -> list[Any]:
    """The leaves of `other`, which has the form of `tree`, in the order of the leaves of `tree`.

    Raises:
        ArgumentError: it has another form; `what` it is called.
    """
    if isinstance(tree, list | tuple):
        if not isinstance(other, list | tuple) or len(other) != len(tree):
            raise ArgumentError(f"{what} must have the form of what it stands for: {_form(tree)}, not {_form(other)}")
        return [leaf for a, b in zip(tree, other, strict=True) for leaf in aligned(a, b, what)]
    if isinstance(tree, dict):
        if not isinstance(other, dict) or other.keys() != tree.keys():
            raise ArgumentError(f"{what} must have the form of what it stands for: {_form(tree)}, not {_form(other)}")
        return [leaf for key, part in tree.items() for leaf in aligned(part, other[key], what)]
    if isinstance(other, dict) or isinstance(tree, Constant) != isinstance(other, Constant):
        raise ArgumentError(f"{what} must have the form of what it stands for: {_form(tree)}, not {_form(other)}")
    return [] if isinstance(tree, Constant) else [other]


def spread(prefix: Any, tree: Any, what: str) -> list[Any]:
    """One entry of `prefix` per leaf of `tree`: an entry stands for all that is below its place.

    Raises:
        ArgumentError: the prefix branches where the tree does not.
    """
    if not isinstance(prefix, list | tuple | dict):
        return [prefix] * len(leaves(tree))
    same = isinstance(tree, dict) if isinstance(prefix, dict) else isinstance(tree, list | tuple)
    if not same or len(prefix) != len(tree):
        raise ArgumentError(f"{what} does not fit: {_form(prefix)} stands for {_form(tree)}")
    if isinstance(prefix, dict):
        if prefix.keys() != tree.keys():
            raise ArgumentError(f"{what} does not fit: {_form(prefix)} stands for {_form(tree)}")
        return [entry for key, part in tree.items() for entry in spread(prefix[key], part, what)]
    return [entry for a, part in zip(prefix, tree, strict=True) for entry in spread(a, part, what)]


def _form(tree: Any) -> str:
    if isinstance(tree, dict):
        return "a dict of " + ", ".join(str(key) for key in list(tree)[:5])
    if isinstance(tree, list | tuple):
        return f"a {'list' if isinstance(tree, list) else 'tuple'} of {len(tree)}"
    if isinstance(tree, Constant):
        return "None" if tree.held is None else "a text"
    return "one value"
