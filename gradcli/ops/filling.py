"""One number put where a mask holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.node import Node
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, dtype_of, shape_of
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import where
from gradcli.ops.function import case
from gradcli.ops.kinds import fits, linear, sum_to
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def is_mask_of(index: Any, shape: Shape) -> bool:
    """Whether an index is one mask, over all axes of a shape or its first ones."""
    if not hasattr(index, "dtype") or index.dtype.kind != "b":
        return False
    own = shape_of(index)
    return own == shape[: len(own)]


def _fill_value(x: Any, v: Any, mask: Any) -> Any:
    return np.where(mask, v, x)


def _fill_rule(x: CoreValue, v: CoreValue, mask: CoreValue) -> Spec:
    try:
        joined = np.broadcast_shapes(shape_of(x), shape_of(mask))
    except ValueError:
        raise ShapeError(f"a mask of shape {fits(shape_of(mask))} does not fit shape {fits(shape_of(x))}") from None
    return Spec(joined, np.result_type(dtype_of(x), dtype_of(v)))


def _fill_transpose(g: CoreValue, x: CoreValue, v: CoreValue, mask: CoreValue) -> tuple[CoreValue, CoreValue]:
    zero = np.zeros((), dtype_of(g))
    return sum_to(where(mask, zero, g), shape_of(x)), sum_to(where(mask, g, zero), shape_of(v))


def _fill_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    rank = max(len(shape_of(x)) - flag for x, flag in zip(xs, batched, strict=True))
    return bind(
        MASKED_FILL,
        *(
            reshaped(x, (size,) + (1,) * (rank + 1 - len(shape_of(x))) + shape_of(x)[1:]) if flag else x
            for x, flag in zip(xs, batched, strict=True)
        ),
    )


def _fill_node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    return ("MaskedFillBackward1", (0, 1)) if isinstance(operands[1], Node) else ("MaskedFillBackward0", (0,))


def _filling(torch: Any) -> Op:
    return linear(
        "masked_fill",
        _fill_value,
        _fill_rule,
        transpose=_fill_transpose,
        batch=_fill_batch,
        operands=2,
        torch=torch,
        moves="forward",
        doc="The value with one number where a mask holds.",
    )


MASKED_FILL: Op = _filling(_fill_node)
#: The same, written as x[mask] = number.
MASK_WRITE: Op = _filling(lambda operands, params: ("IndexPutBackward0", (0, 1)))


@function(
    family="indexing",
    op=MASKED_FILL,
    where="torch method",
    derivative="vjp: g with zeros where the mask holds; for the number, the sum of g there",
    cases=(case((2, 3), np.array([True, False, True]), 1.5), case((3,), np.array([True, False, True]), ())),
)
def masked_fill(input: Any, mask: Any, value: Any) -> CoreValue:
    """The value with one number where a mask holds."""
    x = as_core(input)
    v = cast(as_core(value), x.dtype)
    if len(shape_of(v)):
        raise ShapeError(f"masked_fill takes one number, not shape {fits(shape_of(v))}", mend="where takes many")
    return bind(MASKED_FILL, x, v, as_mask(mask))


def as_mask(mask: Any) -> CoreValue:
    """An argument as a mask.

    Raises:
        ArgumentError: it is not of bools.
    """
    found = as_core(mask)
    if found.dtype.kind != "b":
        raise ArgumentError(f"a mask must be of bools, not {found.dtype}", mend="compare: mask > 0")
    return found
