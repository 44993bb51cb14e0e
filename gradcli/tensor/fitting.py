"""Whether a value fits the tensor that it is put into: its shape, its dtype, and what is said where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.errors import AutogradError, DtypeError, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.casts import astype
from gradcli.ops.kinds import fits
from gradcli.tensor.versions import TYPE_NAMES

if TYPE_CHECKING:
    from gradcli.tensor.handle import Tensor

_GRAD_DTYPE = (
    "The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can set the tensor's "
    "grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with caution. Diverging "
    "the dtypes of a tensor and its gradient may break downstream systems that assume they match."
)


def fitted(value: CoreValue, shape: tuple[int, ...], dtype: np.dtype[Any]) -> CoreValue:
    """A value that is to replace all of a tensor, as an array or traced value that broadcasts to it.

    Raises:
        ShapeError: it does not broadcast to the tensor's shape.
    """
    found = value if hasattr(value, "dtype") else np.asarray(value, dtype=dtype)
    try:
        fine = np.broadcast_shapes(shape_of(found), shape) == shape
    except ValueError:
        fine = False
    if not fine:
        raise ShapeError(_misfit(shape_of(found), shape))
    return found if found.dtype == dtype else astype(found, dtype)


def as_result(value: CoreValue, shape: tuple[int, ...], dtype: np.dtype[Any]) -> CoreValue:
    """The result of an in-place op, in the dtype of the tensor that it is put into.

    Raises:
        ShapeError: it has another shape.
        AutogradError, DtypeError: its dtype does not go into the tensor's.
    """
    if shape_of(value) != shape:
        raise ShapeError(_misfit(shape_of(value), shape))
    if value.dtype == dtype:
        return value
    _check_castable(value.dtype, dtype)
    return astype(value, dtype)


def check_gradient(value: Tensor, owner: Tensor) -> None:
    """Raise if `value` may not be assigned to `owner.grad`.

    Raises:
        AutogradError: its dtype or its shape is another.
    """
    if value.dtype != owner.dtype:
        raise AutogradError(
            f"attempting to assign a gradient with dtype '{_scalar_name(value.dtype)}' to a tensor with "
            f"grad_dtype '{TYPE_NAMES.get(str(owner.dtype), str(owner.dtype))}'. {_GRAD_DTYPE}"
        )
    if value.shape != owner.shape:
        raise AutogradError(
            f"attempting to assign a gradient of size '{fits(value.shape)}' to a tensor of size "
            f"'{fits(owner.shape)}'. Please ensure that the gradient and the tensor are the same size"
        )


def _misfit(given: tuple[int, ...], shape: tuple[int, ...]) -> str:
    if state.torch_semantics:
        return f"output with shape {fits(shape)} doesn't match the broadcast shape {fits(given)}"
    return f"an in-place result of shape {fits(given)} does not fit a tensor of shape {fits(shape)}"


_RANKS = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}


def _check_castable(given: np.dtype[Any], own: np.dtype[Any]) -> None:
    """Raise if a result of one dtype may not be put into a tensor of another: neither NumPy nor PyTorch cuts it off.

    Raises:
        AutogradError: in PyTorch's words, in a program that follows it.
        DtypeError: in any other program.
    """
    if _RANKS[given.kind] <= _RANKS[own.kind]:
        return
    if state.torch_semantics:
        names = [TYPE_NAMES.get(str(dtype), str(dtype)) for dtype in (given, own)]
        raise AutogradError(f"result type {names[0]} can't be cast to the desired output type {names[1]}")
    raise DtypeError(
        f"an in-place result of {given} does not fit a tensor of {own}",
        mend="write it as an assignment: x = x + ...",
    )


def _scalar_name(dtype: np.dtype[Any]) -> str:
    return {"float64": "double", "float32": "float", "int64": "long int", "int32": "int"}.get(str(dtype), str(dtype))
