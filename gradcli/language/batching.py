"""`vmap(f, in_axes=0, out_axes=0)`, with PyTorch's names for its arguments too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradcli.autodiff import trees
from gradcli.autodiff.vmap import vmap
from gradcli.graph.errors import ArgumentError
from gradcli.language.arguments import matched
from gradcli.language.operations import as_index
from gradcli.language.transforms import core_tree, function_of
from gradcli.language.values import Arguments, Builtin, Keywords, LanguageValue, language

if TYPE_CHECKING:
    from gradcli.language.machine import Machine

_PARAMETERS = ("func", "in_dims", "out_dims", "randomness", "chunk_size", "axis_name", "axis_size")
_JAX_NAMES = {"fun": "func", "f": "func", "in_axes": "in_dims", "out_axes": "out_dims"}


def _vmap(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("vmap", args, {_JAX_NAMES.get(key, key): value for key, value in kwargs.items()}, _PARAMETERS, 1)
    f = function_of("vmap", found["func"])
    axes, out = _axes(found.get("in_dims", 0), "in_dims"), _axes(found.get("out_dims", 0), "out_dims")

    def mapped(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        if not args:
            raise ArgumentError("vmap: the function needs an argument to go along")
        names = list(kwargs)
        given = [_core(x, "vmap()") for x in (*args, *kwargs.values())]
        # As in JAX, arguments given by name go along their first axis, whatever in_axes says of the others.
        entries = _per_argument(axes, len(args)) + [0] * len(names)

        def call(*values: Any) -> Any:
            by_name = language(dict(zip(names, values[len(args) :], strict=True)))
            return _core(run.reenter(f, [language(x) for x in values[: len(args)]], by_name), f.name)

        return language(vmap(call, tuple(entries), out)(*given))

    made = Builtin(f"vmap({f.name})", mapped)
    made.inner = (f,)
    return made


def _core(x: LanguageValue, what: str) -> Any:
    """A tree of core values, which None and texts are as well: they are the same for every example."""
    return trees.Constant(x) if x is None or isinstance(x, str) else core_tree(x, what)


def _per_argument(axes: Any, count: int) -> list[Any]:
    if isinstance(axes, list | tuple):
        if len(axes) != count:
            raise ArgumentError(f"vmap: {len(axes)} axes are given for {count} arguments")
        return list(axes)
    return [axes] * count


def _axes(x: LanguageValue, what: str) -> Any:
    """Axes as integers, in the tree in which they are given."""
    return trees.mapped(lambda axis: None if axis is None else as_index(axis, what), x)


CALLS: dict[str, Callable[[Machine, Arguments, Keywords], Any]] = {"vmap": _vmap}
