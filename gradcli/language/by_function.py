"""NumPy's functions that take functions, such as piecewise, and those that give indices to a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError
from gradcli.graph.values import OPERATORS, CoreValue, count_of, shape_of
from gradcli.language.arguments import matched
from gradcli.language.operations import ELEMENT_BYTES, listed
from gradcli.language.transforms import function_of
from gradcli.language.values import Arguments, Builtin, FunctionValue, Keywords, LanguageValue, array, core
from gradcli.ops import registry
from gradcli.ops.arguments import dtype_named, integers, one_axis, settled
from gradcli.ops.constructors import checked_sizes
from gradcli.ops.indexing import setitem
from gradcli.ops.kinds import broadcast_shape, expanded
from gradcli.ops.shape import reshaped
from gradcli.tensor import Tensor

if TYPE_CHECKING:
    from gradcli.language.machine import Machine


def _op(name: str, *args: object, **kwargs: object) -> CoreValue:
    return registry.known("numpy", name)(*args, **kwargs)


def _split_call(name: str, args: Arguments, kwargs: Keywords, first: int) -> tuple[Arguments, Arguments, Keywords]:
    """The first arguments, and those that are handed on to the function."""
    if len(args) < first:
        raise ArgumentError(f"{name}() needs {first} arguments, and then those of the function")
    return args[:first], args[first:], kwargs


def _apply_along_axis(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """The function of every line along an axis; its results stand where the axis stood."""
    (f, axis, given), rest, named = _split_call("apply_along_axis", args, kwargs, 3)
    function = function_of("apply_along_axis", f)
    x = array(given, "apply_along_axis")
    at = one_axis("apply_along_axis", core(axis, "apply_along_axis"), shape_of(x))
    lines = _op("moveaxis", x, at, -1)
    lead = shape_of(lines)[:-1]
    if not count_of(lead):
        raise ArgumentError("apply_along_axis() needs a line at least")
    found = [
        array(run.call(function, [Tensor(_part(lines, place)), *rest], named), "apply_along_axis")
        for place in np.ndindex(lead)
    ]
    made = reshaped(_op("stack", found), (*lead, *shape_of(found[0])))
    rank, new = len(lead) + 1 + at, len(shape_of(found[0]))
    sources = list(range(len(lead), len(lead) + new))
    return Tensor(_op("moveaxis", made, sources, [rank + i for i in range(new)]) if new else made)


def _part(x: CoreValue, index: Any) -> CoreValue:
    return OPERATORS["[]"](x, index)


def _apply_over_axes(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """The function of a value and one axis after another."""
    found = matched("apply_over_axes", args, kwargs, ("func", "a", "axes"), 3)
    function = function_of("apply_over_axes", found["func"])
    x = array(found["a"], "apply_over_axes")
    for axis in integers(core(found["axes"], "apply_over_axes"), "apply_over_axes: an axis"):
        at = one_axis("apply_over_axes", axis, shape_of(x))
        made = array(run.call(function, [Tensor(x), len(shape_of(x)) + at]), "apply_over_axes")
        if len(shape_of(made)) == len(shape_of(x)) - 1:
            made = _op("expand_dims", made, len(shape_of(x)) + at)
        if len(shape_of(made)) != len(shape_of(x)):
            raise ArgumentError("apply_over_axes() takes a function that leaves the other axes")
        x = made
    return Tensor(x)


def _fromfunction(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """The function of the indices of every place of a shape, an array of them for each axis."""
    (f, shape), rest, named = _split_call("fromfunction", args, kwargs, 2)
    dtype = dtype_named(core(named.pop("dtype", "float64"), "fromfunction"))
    grids = _op("indices", checked_sizes("fromfunction", (core(shape, "fromfunction"),)), dtype)
    places = [Tensor(_part(grids, (i,))) for i in range(shape_of(grids)[0])]
    return run.call(function_of("fromfunction", f), [*places, *rest], named)


def _piecewise(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """Where a condition holds, its function of the elements there, or its number; of several, the last one's.

    Each function sees the elements that are its own, so nothing comes through from the others' branches.
    """
    (given, condlist, funclist), rest, named = _split_call("piecewise", args, kwargs, 3)
    x = array(given, "piecewise")
    functions = listed(funclist, "piecewise()")
    masks = _masks(condlist, x)
    if len(functions) == len(masks) + 1:
        masks.append(~np.logical_or.reduce(masks))
    if len(functions) != len(masks):
        raise ArgumentError(f"piecewise(): {len(functions)} functions are given for {len(masks)} conditions")
    made: CoreValue = _op("zeros_like", x)
    for mask, function in zip(masks, functions, strict=True):
        value = function
        if isinstance(function, FunctionValue):
            value = run.call(function, [Tensor(_part(x, mask)), *rest], named)
        made = setitem.call(made, mask, core(value, "piecewise"))
    return Tensor(made)


def _masks(condlist: LanguageValue, x: CoreValue) -> list[np.ndarray[Any, Any]]:
    """The conditions as masks of the shape of `x`; one alone may stand without a list."""
    if isinstance(condlist, Tensor) and condlist.shape == shape_of(x):
        condlist = [condlist]
    conditions = [array(c, "piecewise") for c in listed(condlist, "piecewise()")]
    return [np.broadcast_to(settled(c).astype(bool), shape_of(x)) for c in conditions]


def _vectorize(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """The function that calls a function of numbers for every element of arrays that broadcast."""
    function = function_of("vectorize", matched("vectorize", args, kwargs, ("pyfunc",), 1)["pyfunc"])

    def call(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        parts = [array(x, function.name) for x in args]
        shape = broadcast_shape(function.name, *(shape_of(x) for x in parts))
        budget.charge(400 * count_of(shape), "vectorize")
        spread = [expanded(x, shape) for x in parts]
        if not count_of(shape):
            raise ArgumentError(f"vectorize({function.name}) needs an element at least")
        found = [
            array(run.call(function, [Tensor(_part(x, place)) for x in spread], kwargs), function.name)
            for place in np.ndindex(shape)
        ]
        return Tensor(reshaped(_op("stack", found), shape))

    return Builtin(f"vectorize({function.name})", call)


def _mask_indices(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """Where a function of a matrix of ones, such as triu, leaves them."""
    found = matched("mask_indices", args, kwargs, ("n", "mask_func", "k"), 2)
    (n,) = checked_sizes("mask_indices", (core(found["n"], "mask_indices"),))
    function = function_of("mask_indices", found["mask_func"])
    made = run.call(function, [Tensor(_op("ones", (n, n))), found.get("k", 0)])
    return tuple([Tensor(x) for x in _op("nonzero", array(made, "mask_indices"))])


def _ndindex(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """The index of every place of a shape, one after another."""
    if kwargs:
        raise ArgumentError("ndindex() takes a shape")
    shape = checked_sizes("ndindex", tuple([core(x, "ndindex") for x in args]))
    return _indices(shape)


def _indices(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    budget.charge(count_of(shape) * (len(shape) + 2) * ELEMENT_BYTES, "a list")
    return list(np.ndindex(shape))


def _ndenumerate(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """The index and the element of every place of a value."""
    x = array(matched("ndenumerate", args, kwargs, ("arr",), 1)["arr"], "ndenumerate")
    return [(place, Tensor(_part(x, place))) for place in _indices(shape_of(x))]


#: Members of `numpy`.
BY_FUNCTION: dict[str, LanguageValue] = {
    name: Builtin(name, call)
    for name, call in (
        ("apply_along_axis", _apply_along_axis),
        ("apply_over_axes", _apply_over_axes),
        ("fromfunction", _fromfunction),
        ("mask_indices", _mask_indices),
        ("ndenumerate", _ndenumerate),
        ("ndindex", _ndindex),
        ("piecewise", _piecewise),
        ("vectorize", _vectorize),
    )
}
#: Those whose first argument is the function.
FUNCTION_FIRST = frozenset(["apply_along_axis", "apply_over_axes", "fromfunction", "vectorize"])
