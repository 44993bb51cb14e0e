"""Sums, means and logical folds over any axes, of all elements or of those that a mask chooses.

`axis` in an op's parameters is a tuple of negative axes (see `gradcli.ops.axes`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DtypeError, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.arguments import dtype_named
from gradcli.ops.axes import (
    Axes,
    EveryAxis,
    axes_of,
    reduced_count,
    reduced_shape,
    restored,
)
from gradcli.ops.casts import cast
from gradcli.ops.dependence import along_axes
from gradcli.ops.elementwise import add, divide, equal, not_equal, real
from gradcli.ops.elementwise import where as choose
from gradcli.ops.function import case
from gradcli.ops.kinds import Rule, broadcast_shape, conj, constant, expanded, fits, linear
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.registry import function

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
#: Complex numbers for the tests.
COMPLEX = np.array([[1.5 - 0.5j, -0.75 + 2.0j, 0.25 + 1.0j], [-1.25 - 1.0j, 0.5 + 0.25j, 2.0 - 1.5j]])


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
    moves="back",
    doc="Sum over axes.",
)


def _mean(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    return np.true_divide(np.sum(x, axis=axis, keepdims=keepdims), reduced_count(x.shape, axis))


def _mean_transpose(g: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    share = g / max(reduced_count(shape_of(x), axis), 1)
    return expanded(restored(share, x, axis, keepdims), shape_of(x))


MEAN = linear(
    "mean",
    _mean,
    _mean_shape,
    transpose=_mean_transpose,
    torch=node_names("Mean"),
    depends=along_axes(),
    doc="Mean over axes.",
)


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


# --- elements that a mask chooses ------------------------------------------------------------------------------------


def mask_of(name: str, where: Any, x: CoreValue) -> CoreValue | None:
    """The argument `where=` as a mask of x's shape; None where all elements count.

    Raises:
        DtypeError: it is none of bools.
        ShapeError: it does not broadcast to the shape of x.
    """
    if where is None or where is True:
        return None
    mask = as_core(where)
    if dtype_of(mask).kind != "b":
        raise DtypeError(f"{name}: where= takes bools, not {dtype_of(mask)}", mend="where=x > 0")
    shape = shape_of(x)
    if broadcast_shape(name, shape_of(mask), shape) != shape:
        raise ShapeError(f"{name}: where= of shape {fits(shape_of(mask))} does not fit shape {fits(shape)}")
    return expanded(mask, shape)


def kept(x: CoreValue, mask: CoreValue | None, filler: Any) -> CoreValue:
    """`x` where the mask holds, the filler elsewhere: it selects, so that nothing comes from what is left out."""
    return x if mask is None else choose(mask, x, filler)


def kept_count(x: CoreValue, mask: CoreValue, axis: Axes, keepdims: bool) -> CoreValue:
    """How many elements count over axes, in x's real dtype."""
    return cast(total(mask, axis, keepdims), real_dtype(dtype_of(x)))


def mean_of_some(x: CoreValue, mask: CoreValue, axis: Axes, keepdims: bool) -> CoreValue:
    """The mean of the elements where the mask holds; nan, of derivative 0, where it holds for none."""
    count = kept_count(x, mask, axis, keepdims)
    whole = total(kept(x, mask, 0), axis, keepdims)
    nothing = equal(count, 0)
    return choose(nothing, np.nan, divide(whole, choose(nothing, 1.0, count)))


#: A mask for the tests, and how a call takes it.
MASK = np.array([[True, False, True], [False, True, True]])
_MASKED = (case((2, 3), where=MASK), case((2, 3), 1, keepdims=True, where=np.array([True, False, True])))


@function(
    "sum",
    family="reduction",
    also=("jax.lax.reduce_sum",),
    op=SUM,
    derivative="vjp: g broadcast along axis, 0 outside of where",
    cases=(*REDUCTIONS_OF_NONE, *_MASKED, case((3,), initial=2.5), case(COMPLEX, 1)),
)
def sum_(
    x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> CoreValue:
    """Sum of the elements over axes; of bools, how many hold."""
    dtype, keepdims = dtype_or_flag(dtype, keepdims)
    found = typed(x, dtype)
    mask = mask_of("sum", where, found)
    whole = total(kept(found, mask, 0), axes_of("sum", axis, found), keepdims)
    return whole if initial is None else add(whole, initial)


_TORCH_WORDS = {"bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long"}


@function(
    family="reduction",
    op=MEAN,
    derivative="vjp: g/n broadcast along axis, 0 outside of where",
    defined="at least one element",
    cases=(*REDUCTIONS, *_MASKED, case(COMPLEX, 0)),
)
def mean(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, where: Any = None) -> CoreValue:
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
    axes, mask = axes_of("mean", axis, found), mask_of("mean", where, found)
    return average(found, axes, keepdims) if mask is None else mean_of_some(found, mask, axes, keepdims)


def real_product(a: CoreValue, b: CoreValue) -> CoreValue:
    """Re(conj(a) b), elementwise: the inner product's summand, over the reals."""
    return real(conj(a) * b) if "c" in (dtype_of(a).kind, dtype_of(b).kind) else a * b


# --- logical folds ---------------------------------------------------------------------------------------------------


def _bool_shape(x: CoreValue, *, axis: Axes, keepdims: bool) -> Spec:
    return Spec(reduced_shape(shape_of(x), axis, keepdims), np.dtype(np.bool_))


ANY = constant(
    "any", lambda x, *, axis, keepdims: np.any(x, axis=axis, keepdims=keepdims), _bool_shape, doc="Whether one holds."
)
ALL = constant(
    "all", lambda x, *, axis, keepdims: np.all(x, axis=axis, keepdims=keepdims), _bool_shape, doc="Whether all hold."
)


def truths(x: Any) -> CoreValue:
    """Whether each element is true: not zero."""
    found = as_core(x)
    return found if found.dtype.kind == "b" else not_equal(found, 0)


@function(
    "any",
    family="logic",
    differentiable=False,
    also=("jax.lax.reduce_or",),
    op=ANY,
    cases=(*REDUCTIONS_OF_NONE, case(MASK, 0, where=np.array([True, False, True]))),
)
def any_(x: Any, axis: Any = None, keepdims: bool = False, where: Any = None) -> CoreValue:
    """Whether any element over axes is true (not zero)."""
    mask = truths(x)
    chosen = kept(mask, mask_of("any", where, mask), False)
    return bind(ANY, chosen, axis=axes_of("any", axis, mask), keepdims=bool(keepdims))


@function(
    "all",
    family="logic",
    differentiable=False,
    also=("jax.lax.reduce_and",),
    op=ALL,
    cases=(*REDUCTIONS_OF_NONE, case(MASK, 0, where=np.array([True, False, True]))),
)
def all_(x: Any, axis: Any = None, keepdims: bool = False, where: Any = None) -> CoreValue:
    """Whether all elements over axes are true (not zero)."""
    mask = truths(x)
    chosen = kept(mask, mask_of("all", where, mask), True)
    return bind(ALL, chosen, axis=axes_of("all", axis, mask), keepdims=bool(keepdims))


@function(family="reduction", differentiable=False, where="numpy torch method", cases=REDUCTIONS_OF_NONE)
def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """How many elements over axes are not zero."""
    mask = truths(x)
    return total(mask, axes_of("count_nonzero", axis, mask), keepdims)
