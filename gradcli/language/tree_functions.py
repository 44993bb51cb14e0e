"""`jax.tree`, `jax.tree_util` and `jax.flatten_util`: functions of nested lists, tuples and dicts, and their leaves.

As in JAX, None is a tree without leaves, and the leaves of a dict are in the order of its keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from gradcli.autodiff import trees
from gradcli.graph.errors import ArgumentError
from gradcli.graph.values import OPERATORS, count_of, shape_of
from gradcli.language.arguments import matched
from gradcli.language.objects import ObjectValue
from gradcli.language.operations import listed
from gradcli.language.transforms import function_of
from gradcli.language.values import DEEPEST_LIST, Arguments, Builtin, Keywords, LanguageValue, array
from gradcli.ops.pieces import concatenated
from gradcli.ops.shape import reshaped
from gradcli.tensor import Tensor

if TYPE_CHECKING:
    from gradcli.language.machine import Machine


class TreeForm(ObjectValue):
    """The form of a tree without its leaves."""

    __slots__ = ("tree",)

    described: ClassVar[str] = "a tree's form"

    def __init__(self, tree: LanguageValue) -> None:
        self.tree = tree


def _leaves(tree: LanguageValue) -> list[LanguageValue]:
    _check_depth(tree)
    return [leaf for leaf in trees.leaves(_ordered(tree)) if leaf is not None]


def _ordered(tree: LanguageValue) -> LanguageValue:
    """The tree with the entries of its dicts in the order of their keys."""
    if isinstance(tree, dict):
        keys = sorted(tree) if len({type(key) for key in tree}) == 1 else list(tree)
        return {key: _ordered(tree[key]) for key in keys}
    if isinstance(tree, list | tuple):
        parts = [_ordered(part) for part in tree]
        return tuple(parts) if isinstance(tree, tuple) else parts
    return tree


def _check_depth(tree: LanguageValue, depth: int = 0) -> None:
    if depth > DEEPEST_LIST:
        raise ArgumentError("a tree nests too deeply")
    if isinstance(tree, dict | list | tuple):
        for part in tree.values() if isinstance(tree, dict) else tree:
            _check_depth(part, depth + 1)


def _filled(tree: LanguageValue, leaves: list[LanguageValue]) -> LanguageValue:
    given = iter(leaves)
    return trees.mapped(lambda leaf: None if leaf is None else next(given), _ordered(tree))


def _map(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`tree_map(f, tree, *rest)`: the tree of f of the leaves."""
    if len(args) < 2 or set(kwargs) - {"is_leaf"}:
        raise ArgumentError("tree_map() takes a function and one tree or more")
    f, tree = function_of("tree_map", args[0]), args[1]
    columns, ordered = [_leaves(tree)], _ordered(tree)
    for other in args[2:]:
        columns.append([leaf for leaf in trees.aligned(ordered, other, "tree_map: a tree") if leaf is not None])
    if len({len(column) for column in columns}) > 1:
        raise ArgumentError("tree_map: the trees have different forms")
    made = []
    for leaves in zip(*columns, strict=True):
        made.append(run.call(f, list(leaves)))
    return _filled(tree, made)


def _reduce(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`tree_reduce(f, tree, initializer)`: the leaves folded by f."""
    found = matched("tree_reduce", args, kwargs, ("function", "tree", "initializer", "is_leaf"), 2)
    f, items = function_of("tree_reduce", found["function"]), _leaves(found["tree"])
    return _folded(run, f, items, found.get("initializer", ...), "tree_reduce")


def _folded(run: Machine, f: Any, items: list[LanguageValue], start: LanguageValue, name: str) -> LanguageValue:
    if start is ...:
        if not items:
            raise ArgumentError(f"{name}() of nothing needs a value to begin with")
        start, items = items[0], items[1:]
    for item in items:
        start = run.call(f, [start, item])
    return start


def _list_of_leaves(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    return _leaves(matched("tree_leaves", args, kwargs, ("tree", "is_leaf"), 1)["tree"])


def _structure(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    return TreeForm(matched("tree_structure", args, kwargs, ("tree", "is_leaf"), 1)["tree"])


def _flatten(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    tree = matched("tree_flatten", args, kwargs, ("tree", "is_leaf"), 1)["tree"]
    return _leaves(tree), TreeForm(tree)


def _unflatten(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("tree_unflatten", args, kwargs, ("treedef", "leaves"), 2)
    form, leaves = found["treedef"], listed(found["leaves"])
    if not isinstance(form, TreeForm):
        raise ArgumentError("tree_unflatten() takes the form that tree_flatten() gives")
    if len(leaves) != len(_leaves(form.tree)):
        raise ArgumentError(f"tree_unflatten: {len(_leaves(form.tree))} leaves are due, {len(leaves)} given")
    return _filled(form.tree, leaves)


def _ravel(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`ravel_pytree(tree)`: all numbers in one vector, and the function that makes a tree of such a vector."""
    tree = matched("ravel_pytree", args, kwargs, ("pytree",), 1)["pytree"]
    parts = [array(leaf, "ravel_pytree") for leaf in _leaves(tree)]
    if not parts:
        raise ArgumentError("ravel_pytree() needs a number at least")
    shapes = [shape_of(x) for x in parts]

    def unravel(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        vector = array(matched("unravel", args, kwargs, ("vector",), 1)["vector"], "unravel")
        made, start = [], 0
        for shape in shapes:
            stop = start + count_of(shape)
            made.append(Tensor(reshaped(OPERATORS["[]"](vector, slice(start, stop)), shape)))
            start = stop
        return _filled(tree, made)

    return Tensor(concatenated([reshaped(x, (-1,)) for x in parts], 0)), Builtin("unravel", unravel)


# --- functools -------------------------------------------------------------------------------------------------------


def _partial(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`partial(f, *args, **kwargs)`: f with its first arguments given."""
    if not args:
        raise ArgumentError("partial() takes a function and its first arguments")
    f, first, named = function_of("partial", args[0]), list(args[1:]), dict(kwargs)
    made = Builtin(f.name, lambda run, args, kwargs: run.call(f, [*first, *args], {**named, **kwargs}))
    made.inner = (f, first, named)
    return made


def _reduce_items(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("reduce", args, kwargs, ("function", "iterable", "initial"), 2)
    f = function_of("reduce", found["function"])
    return _folded(run, f, listed(found["iterable"]), found.get("initial", ...), "reduce")


CALLS: dict[str, Callable[[Machine, Arguments, Keywords], Any]] = {
    "partial": _partial,
    "ravel_pytree": _ravel,
    "reduce": _reduce_items,
    "tree_flatten": _flatten,
    "tree_leaves": _list_of_leaves,
    "tree_map": _map,
    "tree_reduce": _reduce,
    "tree_structure": _structure,
    "tree_unflatten": _unflatten,
}
