"""Trees of values: tuples, lists and dicts, flattened in order and put together again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


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
    else:
        yield tree


def like(tree: Any, values: list[Any] | tuple[Any, ...]) -> Any:
    """A tree of the form of `tree` whose leaves are `values`, in order."""
    return _filled(tree, iter(values))


def _filled(tree: Any, values: Iterator[Any]) -> Any:
    if isinstance(tree, list | tuple):
        parts = [_filled(part, values) for part in tree]
        return tuple(parts) if isinstance(tree, tuple) else parts
    if isinstance(tree, dict):
        return {key: _filled(part, values) for key, part in tree.items()}
    return next(values)
