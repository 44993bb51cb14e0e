"""Sums, means, variances and logical folds over any axes.

`axis` in an op's parameters is a tuple of negative axes (see `gradcli.ops.axes`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DtypeError, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.arguments import dtype_named, settled
from gradcli.ops.axes import (
    Axes,
    EveryAxis,
    axes_of,
    reduced_count,
    reduced_shape,
    restored,
)
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import divide, equal, multiply, not_equal, real, where
from gradcli.ops.function import case
from gradcli.ops.kinds import Rule, conj, constant, expanded, fits, general, linear
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

#: Calls for the tests of any reduction.
REDUCTIONS = (
    case((3,)),
    case(()),
    case((2, 3), 0),
    case((2, 3), -1, keepdims=True),
    case((2, 3, 2), [0, -1]),
    case((2, 1, 3), [1, 2], keepdims=True),
    case((2, 0, 3), 0),
)
#: The same for those that have an answer for no elements.
REDUCTIONS_OF_NONE = (*REDUCTIONS, case((0,)), case((2, 0), 1))


def node_names(name: str) -> Rule:
    """PyTorch's node names of a reduction: one where no axes are named, another where they are."""

    def torch(operands: tuple[CoreValue, ...], params: dict[str, Any]) -> str:
        whole = isinstance(params["axis"], EveryAxis) and not params["keepdims"]
        return f"{name}Backward{0 if whole else 1}"

    return torch


def summing_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which NumPy adds up: small integers and bools become 64-bit ones."""
    if dtype.kind in "bi":
        return np.dtype(np.int64)
    return np.dtype(np.uint64) if dtype.kind == "u" else dtype


def _sum_shape(x: CoreValue, *, axis: Axes, keepdims: bool) -> Spec:
    return Spec(reduced_shape(shape_of(x), axis, keepdims), summing_dtype(dtype_of(x)))


def _mean_shape(x: CoreValue, *, axis: Axes, keepdims: bool) -> Spec:
    return Spec(reduced_shape(shape_of(x), axis, keepdims), dtype_of(x))


def reduced_spec(x: CoreValue, *, axis: Axes, keepdims: bool, **_: Any) -> Spec:
    """The result of a reduction to real numbers, whatever its other parameters."""
    return Spec(reduced_shape(shape_of(x), axis, keepdims), real_dtype(dtype_of(x)))


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the parts of a complex number; any other dtype is itself."""
    return np.empty(0, dtype).real.dtype


# --- sum and mean ----------------------------------------------------------------------------------------------------


def _sum_transpose(g: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    return expanded(restored(g, x, axis, keepdims), shape_of(x))


SUM = linear(
    "sum",
    lambda x, *, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
    _sum_shape,
    transpose=_sum_transpose,
    torch=node_names("Sum"),
    doc="Sum over axes.",
)


def _mean(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    return np.true_divide(np.sum(x, axis=axis, keepdims=keepdims), reduced_count(x.shape, axis))


def _mean_transpose(g: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    share = g / max(reduced_count(shape_of(x), axis), 1)
    return expanded(restored(share, x, axis, keepdims), shape_of(x))


MEAN = linear("mean", _mean, _mean_shape, transpose=_mean_transpose, torch=node_names("Mean"), doc="Mean over axes.")


def total(x: CoreValue, axis: Axes, keepdims: bool = False) -> CoreValue:
    """Sum over normalised axes, for rules."""
    return bind(SUM, x, axis=axis, keepdims=keepdims)


def average(x: CoreValue, axis: Axes, keepdims: bool = False) -> CoreValue:
    """Mean over normalised axes, for rules."""
    return bind(MEAN, x, axis=axis, keepdims=keepdims)


def typed(x: Any, dtype: Any) -> CoreValue:
    """An argument as a core value of `dtype`, if one is asked for."""
    found = as_core(x)
    return found if dtype is None else cast(found, dtype_named(dtype))


def dtype_or_flag(dtype: Any, keepdims: Any) -> tuple[Any, bool]:
    """(dtype, keepdims), where PyTorch's third positional argument is keepdim and NumPy's is dtype."""
    return (None, dtype) if isinstance(dtype, bool) else (dtype, bool(keepdims))


@function("sum", family="reduction", op=SUM, derivative="vjp: g broadcast along axis", cases=REDUCTIONS_OF_NONE)
def sum_(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> CoreValue:
    """Sum of the elements over axes; of bools, how many hold."""
    dtype, keepdims = dtype_or_flag(dtype, keepdims)
    found = typed(x, dtype)
    return total(found, axes_of("sum", axis, found), keepdims)


_TORCH_WORDS = {"bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long"}


@function(family="reduction", op=MEAN, derivative="vjp: g/n broadcast along axis", cases=REDUCTIONS)
def mean(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> CoreValue:
    """Arithmetic mean of the elements over axes."""
    dtype, keepdims = dtype_or_flag(dtype, keepdims)
    given = typed(x, dtype)
    if state.torch_semantics and dtype_of(given).kind in "biu":
        raise DtypeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            + _TORCH_WORDS[dtype_of(given).name],
            mend="x.float().mean()",
        )
    found = to_float(given)
    return average(found, axes_of("mean", axis, found), keepdims)


@function(
    "average",
    family="reduction",
    where="numpy",
    derivative="vjp: g*w/sum(w) along axis",
    cases=(
        case((2, 3)),
        case((2, 3), 0),
        case((3,), weights=np.array([1.0, 2.0, 0.5])),
        case((2, 3), 1, np.array([1.0, 2.0, 0.5])),
        case((2, 3), None, np.array([[1.0, 2.0, 0.5], [0.25, 3.0, 1.0]])),
    ),
)
def weighted_average(x: Any, axis: Any = None, weights: Any = None, keepdims: bool = False) -> CoreValue:
    """Mean of the elements over axes, weighted where weights are given (of x's shape, or one per place of an axis)."""
    found = to_float(as_core(x))
    axes = axes_of("average", axis, found)
    if weights is None:
        return average(found, axes, bool(keepdims))
    factors = as_core(weights)
    if shape_of(factors) != shape_of(found):
        lengths = tuple(shape_of(found)[a] for a in axes)
        if shape_of(factors) != lengths:
            raise ShapeError(
                f"average cannot weigh shape {fits(shape_of(found))} with {fits(shape_of(factors))}",
                mend=f"the axes have shape {fits(lengths)}",
            )
        kept = tuple(n if i - len(shape_of(found)) in axes else 1 for i, n in enumerate(shape_of(found)))
        factors = reshaped(factors, kept)
    whole = total(expanded(factors, shape_of(found)), axes, bool(keepdims))
    return divide(total(multiply(found, factors), axes, bool(keepdims)), whole)


# --- variance and standard deviation ---------------------------------------------------------------------------------


def _freedom(shape: tuple[int, ...], axis: Axes, correction: float) -> float:
    """What the squares are divided by; never below zero."""
    return max(reduced_count(shape, axis) - correction, 0)


def _reciprocal(n: float) -> float:
    return 1 / n if n else math.inf


def _var(x: Any, *, axis: Axes, correction: float, keepdims: bool) -> Any:
    count = reduced_count(x.shape, axis)
    d = x - np.true_divide(np.sum(x, axis=axis, keepdims=True), count)
    squares = d.real * d.real + d.imag * d.imag if d.dtype.kind == "c" else d * d
    return np.true_divide(np.sum(squares, axis=axis, keepdims=keepdims), _freedom(x.shape, axis, correction))


def _deviation(x: CoreValue, axis: Axes) -> CoreValue:
    return x - average(x, axis, True)


def _var_vjp(g: CoreValue, y: CoreValue, x: CoreValue, *, axis: Axes, correction: float, keepdims: bool) -> CoreValue:
    scale = 2 * _reciprocal(_freedom(shape_of(x), axis, correction))
    return restored(g, x, axis, keepdims) * (scale * _deviation(x, axis))


def _var_jvp(ts: Any, y: CoreValue, x: CoreValue, *, axis: Axes, correction: float, keepdims: bool) -> CoreValue:
    scale = 2 * _reciprocal(_freedom(shape_of(x), axis, correction))
    return scale * total(real_product(_deviation(x, axis), ts[0]), axis, keepdims)


def real_product(a: CoreValue, b: CoreValue) -> CoreValue:
    """Re(conj(a) b), elementwise: the inner product's summand, over the reals."""
    return real(conj(a) * b) if "c" in (dtype_of(a).kind, dtype_of(b).kind) else a * b


def _exact_var(S: Any, x: Any, *, axis: Axes, correction: float, keepdims: bool) -> Any:
    d = x - np.true_divide(np.sum(x, axis=axis, keepdims=True), reduced_count(x.shape, axis))
    n = reduced_count(x.shape, axis) - S.number(correction)
    return np.asarray(np.sum(d * d, axis=axis, keepdims=keepdims), dtype=object) / n


VAR = general(
    "var",
    _var,
    reduced_spec,
    vjps=(_var_vjp,),
    jvp=_var_jvp,
    meaning=_exact_var,
    torch="Var",
    saves=(0,),
    doc="Variance over axes; the squares are divided by n - correction.",
)


def _inverse(y: CoreValue) -> CoreValue:
    """1/y, and 0 where y is 0: the derivative of a root at its tip is taken to be 0."""
    tip = equal(y, 0)
    return where(tip, 0.0, 1 / where(tip, 1.0, y))


def _std_vjp(g: CoreValue, y: CoreValue, x: CoreValue, *, axis: Axes, correction: float, keepdims: bool) -> CoreValue:
    scale = _reciprocal(_freedom(shape_of(x), axis, correction))
    return restored(g * _inverse(y), x, axis, keepdims) * (scale * _deviation(x, axis))


def _std_jvp(ts: Any, y: CoreValue, x: CoreValue, *, axis: Axes, correction: float, keepdims: bool) -> CoreValue:
    scale = _reciprocal(_freedom(shape_of(x), axis, correction))
    return _inverse(y) * (scale * total(real_product(_deviation(x, axis), ts[0]), axis, keepdims))


def _exact_std(S: Any, x: Any, **params: Any) -> Any:
    from gradcli.ops.exact import each

    return each(S.sqrt, _exact_var(S, x, **params))


def _std_kink(x: Any, *, axis: Axes, correction: float, keepdims: bool) -> Any:
    return (x == np.max(x, axis=axis, keepdims=True)).all(axis=axis, keepdims=True) & np.ones(x.shape, bool)


STD = general(
    "std",
    lambda x, **params: np.sqrt(_var(x, **params)),
    reduced_spec,
    vjps=(_std_vjp,),
    jvp=_std_jvp,
    meaning=_exact_std,
    torch="Std",
    kink=_std_kink,
    saves=(0, "y"),
    doc="Standard deviation over axes; its derivative where all elements are equal is 0.",
)


def _spread_of(op: Any, x: Any, axis: Any, correction: Any, keepdims: Any) -> CoreValue:
    found = to_float(as_core(x))
    axes = axes_of(op.name, axis, found)
    number = correction if type(correction) in (int, float) else settled(correction).item()
    return bind(op, found, axis=axes, correction=number, keepdims=bool(keepdims))


_TORCH_SPREADS = (case((3,)), case((2, 3), 0), case((2, 3), 1, unbiased=False), case((2, 3), dim=1, correction=0))


@function(
    family="reduction",
    where="numpy",
    also=(".var@numpy",),
    op=VAR,
    derivative="vjp: 2*g*(x - mean(x))/(n - ddof)",
    cases=(*REDUCTIONS, case((4,), ddof=1)),
)
def var(x: Any, axis: Any = None, ddof: Any = 0, keepdims: bool = False, correction: Any = None) -> CoreValue:
    """Variance: the mean square deviation, of n - ddof elements."""
    return _spread_of(VAR, x, axis, ddof if correction is None else correction, keepdims)


@function(
    family="reduction",
    where="numpy",
    also=(".std@numpy",),
    op=STD,
    derivative="vjp: g*(x - mean(x))/((n - ddof)*std(x)), 0 where std(x) = 0",
    cases=(*REDUCTIONS[:1], *REDUCTIONS[2:], case((4,), ddof=1)),
)
def std(x: Any, axis: Any = None, ddof: Any = 0, keepdims: bool = False, correction: Any = None) -> CoreValue:
    """Standard deviation: the root of the variance."""
    return _spread_of(STD, x, axis, ddof if correction is None else correction, keepdims)


def _torch_spread(op: Any, input: Any, dim: Any, unbiased: Any, keepdim: Any, correction: Any) -> CoreValue:
    if isinstance(dim, bool):  # torch.var(x, False)
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased else 0
    return _spread_of(op, input, dim, correction, keepdim)


@function(
    "var_torch",
    family="reduction",
    where="",
    also=("torch.var", ".var@torch"),
    op=VAR,
    derivative="vjp: 2*g*(x - mean(x))/(n - correction)",
    cases=_TORCH_SPREADS,
)
def var_torch(
    input: Any, dim: Any = None, unbiased: Any = True, keepdim: bool = False, *, correction: Any = None
) -> CoreValue:
    """Variance as PyTorch takes it: unbiased by itself (n - 1)."""
    return _torch_spread(VAR, input, dim, unbiased, keepdim, correction)


@function(
    "std_torch",
    family="reduction",
    where="",
    also=("torch.std", ".std@torch"),
    op=STD,
    derivative="vjp: g*(x - mean(x))/((n - correction)*std(x)), 0 where std(x) = 0",
    cases=_TORCH_SPREADS,
)
def std_torch(
    input: Any, dim: Any = None, unbiased: Any = True, keepdim: bool = False, *, correction: Any = None
) -> CoreValue:
    """Standard deviation as PyTorch takes it: unbiased by itself (n - 1)."""
    return _torch_spread(STD, input, dim, unbiased, keepdim, correction)


# --- logical folds ---------------------------------------------------------------------------------------------------


def _bool_shape(x: CoreValue, *, axis: Axes, keepdims: bool) -> Spec:
    return Spec(reduced_shape(shape_of(x), axis, keepdims), np.dtype(np.bool_))


ANY = constant(
    "any", lambda x, *, axis, keepdims: np.any(x, axis=axis, keepdims=keepdims), _bool_shape, doc="Whether one holds."
)
ALL = constant(
    "all", lambda x, *, axis, keepdims: np.all(x, axis=axis, keepdims=keepdims), _bool_shape, doc="Whether all hold."
)


def _mask(x: Any) -> CoreValue:
    found = as_core(x)
    return found if found.dtype.kind == "b" else not_equal(found, 0)


@function("any", family="logic", differentiable=False, cases=REDUCTIONS_OF_NONE)
def any_(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Whether any element over axes is true (not zero)."""
    mask = _mask(x)
    return bind(ANY, mask, axis=axes_of("any", axis, mask), keepdims=bool(keepdims))


@function("all", family="logic", differentiable=False, cases=REDUCTIONS_OF_NONE)
def all_(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Whether all elements over axes are true (not zero)."""
    mask = _mask(x)
    return bind(ALL, mask, axis=axes_of("all", axis, mask), keepdims=bool(keepdims))


@function(family="reduction", differentiable=False, where="numpy torch", cases=REDUCTIONS_OF_NONE)
def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """How many elements over axes are not zero."""
    mask = _mask(x)
    return total(mask, axes_of("count_nonzero", axis, mask), keepdims)
