"""The methods of NumPy's functions of two values: `np.add.reduce`, `np.maximum.accumulate`, `np.subtract.outer`.

`reduce`, `accumulate` and `reduceat` are functions of the table; `outer` is made of any function of two values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, ndim_of, shape_of
from gradcli.ops.arguments import integers
from gradcli.ops.axes import axis_of
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.extremes import max_, min_
from gradcli.ops.function import Function, case
from gradcli.ops.logsumexp import logsumexp
from gradcli.ops.nan_reductions import nanmax, nanmin
from gradcli.ops.operands import as_core
from gradcli.ops.pieces import stacked
from gradcli.ops.reduction import all_, any_, sum_, typed
from gradcli.ops.registry import function, lookup
from gradcli.ops.running import CUMPROD, CUMSUM, part, prod
from gradcli.ops.scans import CUMMAX, CUMMIN, LOGCUMSUMEXP
from gradcli.ops.shape import reshaped

#: The methods that a function of NumPy may have.
METHODS = ("reduce", "accumulate", "reduceat", "outer", "at")

_FOLDS: dict[str, tuple[Function, str]] = {
    "add": (sum_, "vjp: g broadcast along axis"),
    "multiply": (prod, "vjp: g times the product of the other elements"),
    "maximum": (max_, "vjp: g to the largest elements, shared evenly among ties"),
    "minimum": (min_, "vjp: g to the smallest elements, shared evenly among ties"),
    "fmax": (nanmax, "vjp: g to the largest elements, shared evenly among ties"),
    "fmin": (nanmin, "vjp: g to the smallest elements, shared evenly among ties"),
    "logaddexp": (logsumexp, "vjp: g*exp(x - y)"),
    "logical_and": (all_, ""),
    "logical_or": (any_, ""),
}
_SCANS: dict[str, tuple[Op, str]] = {
    "add": (CUMSUM, "vjp: running sum of g from the end"),
    "multiply": (CUMPROD, "vjp: product before x[i], times s[i] = g[i] + x[i+1]*s[i+1]"),
    "maximum": (CUMMAX, "vjp: g added up where the running extremes stand, the last of equals"),
    "minimum": (CUMMIN, "vjp: g added up where the running extremes stand, the last of equals"),
    "logaddexp": (LOGCUMSUMEXP, "vjp: exp(x[j] - y[j])*s[j] with s[j] = g[j] + exp(y[j] - y[j+1])*s[j+1]"),
}
_TIES = {
    "maximum": "equal extremes share the derivative evenly, as in PyTorch",
    "minimum": "equal extremes share the derivative evenly, as in PyTorch",
    "fmax": "equal extremes share the derivative evenly, as in PyTorch",
    "fmin": "equal extremes share the derivative evenly, as in PyTorch",
}


def _registered(name: str, method: str, call: Callable[..., Any], doc: str, **words: Any) -> Function:
    call.__doc__ = doc
    declare = function(
        f"{name}_{method}",
        family="logic" if name.startswith("logical") else "reduction",
        where="",
        also=(f"numpy.{name}.{method}",),
        differentiable=not name.startswith("logical"),
        **words,
    )
    return declare(call)


def _reduce(name: str, fold: Function, derivative: str) -> Function:
    plain = fold in (logsumexp, all_, any_)

    def call(
        array: Any, axis: Any = 0, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None
    ) -> CoreValue:
        x = typed(array, dtype)
        words = {"axis": axis, "keepdims": keepdims, "where": where}
        if initial is None or not plain:
            found: CoreValue = fold(x, **words) if plain else fold(x, initial=initial, **words)
            return found
        raise ArgumentError(f"{name}.reduce has no initial=")

    cases = (case((3,)), case((2, 3)), case((2, 3), 1), case((2, 3), axis=None), case((2, 3), [0, 1], keepdims=True))
    return _registered(
        name,
        "reduce",
        call,
        f"Fold of {name} over axes, the first by itself.",
        derivative=derivative,
        kinks=_TIES.get(name, ""),
        cases=cases,
    )


def _accumulate(name: str, op: Op, derivative: str) -> Function:
    def call(array: Any, axis: Any = 0, dtype: Any = None) -> CoreValue:
        x = typed(array, dtype)
        if not ndim_of(x):
            raise ArgumentError(f"{name}.accumulate takes elements along an axis, not a scalar")
        params: dict[str, Any] = {"reverse": False} if op is CUMSUM else {}
        return bind(op, x, axis=axis_of(f"{name}.accumulate", axis, x), **params)

    return _registered(
        name,
        "accumulate",
        call,
        f"Running fold of {name} along an axis, the first by itself.",
        op=op,
        derivative=derivative,
        kinks="equal extremes: the last of them, as in PyTorch's cummax" if op in (CUMMAX, CUMMIN) else "",
        cases=(case((3,)), case((2, 3)), case((2, 3), 1), case((2, 3), axis=-1)),
    )


def _reduceat(name: str, fold: Function, derivative: str) -> Function:
    def call(array: Any, indices: Any, axis: Any = 0, dtype: Any = None) -> CoreValue:
        x = typed(array, dtype)
        at = axis_of(f"{name}.reduceat", axis, x)
        row = moveaxis(x, at, -1)
        starts = integers(indices, f"{name}.reduceat: an index")
        length = shape_of(row)[-1]
        if not starts or any(not 0 <= i < length for i in starts):
            raise ArgumentError(f"{name}.reduceat: indices from 0 to {length - 1} are wanted, at least one")
        ends = (*starts[1:], length)
        pieces = [part(row, slice(a, b if b > a else a + 1)) for a, b in zip(starts, ends, strict=True)]
        return moveaxis(stacked([fold.call(piece, -1) for piece in pieces], -1), -1, at)

    return _registered(
        name,
        "reduceat",
        call,
        f"Folds of {name} over slices along an axis, from each index to the next.",
        derivative=derivative,
        kinks=_TIES.get(name, ""),
        cases=(case((5,), [0, 3, 1]), case((2, 4), [0, 2], axis=1), case((4, 2), [1])),
    )


for _name, (_fold, _rule) in _FOLDS.items():
    _reduce(_name, _fold, _rule)
for _name, (_op, _rule) in _SCANS.items():
    _accumulate(_name, _op, _rule)
for _name in ("add", "multiply", "maximum", "minimum"):
    _reduceat(_name, *_FOLDS[_name])


@cache
def _outer(of: Function) -> Function:
    def call(a: Any, b: Any) -> CoreValue:
        x, y = as_core(a), as_core(b)
        spread = reshaped(x, (*shape_of(x), *(1,) * ndim_of(y)))
        found: CoreValue = of(spread, y)
        return found

    return Function(
        f"{of.name}.outer",
        call,
        family=of.family,
        doc=f"{of.name} of every element of one value with every element of another.",
        derivative=of.derivative,
        differentiable=of.differentiable,
    )


def method_of(of: Function, name: str) -> Function | None:
    """The method `name` of a function, where NumPy has it: of one that takes two values, elementwise."""
    if name == "outer" and of.op is not None and of.op.promotes and len(of.parameters) == 2:
        return _outer(of)
    return lookup(f"numpy.{of.name}", name) if name in METHODS else None
