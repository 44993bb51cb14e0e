"""`bind`: the one door through which every op call goes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import DomainError, GradcliError, LimitReached, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Level, Spec, Value, dtype_of, shape_of

#: Results below this many bytes are not foreseen one by one.
_SMALL = 1 << 16


def bind(op: Op, *operands: CoreValue, **params: Any) -> CoreValue:
    """Apply `op`: the operand of the highest level decides who interprets it; with none, NumPy computes.

    Raises:
        ShapeError, DtypeError, DomainError: the op can't take these operands.
        LimitReached: the result would not fit in the byte limit.
    """
    if state.recording is not None:
        return state.recording.process(op, operands, params)
    top: Level | None = None
    for x in operands:
        if isinstance(x, Value):
            level = x.level
            if top is None or level.id > top.id:
                top = level
    if top is not None:
        return top.process(op, operands, params)
    return evaluate(op, operands, params)


def evaluate(op: Op, operands: tuple[CoreValue, ...], params: dict[str, Any]) -> CoreValue:
    """The op on arrays, its result weighed against the byte limit before it is made."""
    try:
        if budget.limit_bytes is not None:
            _foresee(op, operands, params)
        if op.promotes and state.torch_semantics:
            operands = torch_promoted(operands)
        return op.value(*operands, **params)
    except GradcliError:
        raise
    except MemoryError as error:
        raise LimitReached("--max-bytes", f"{op.name} needs more memory than is left") from error
    except (ValueError, IndexError, TypeError, OverflowError, np.exceptions.AxisError) as error:
        infer(op, operands, params)  # says it better, where the shapes are to blame
        from gradcli.graph.words import in_our_words

        raise ShapeError(f"{op.name}: {in_our_words(error)}") from error
    except np.linalg.LinAlgError as error:
        raise DomainError(f"{op.name}: {str(error).lower()}") from error


def infer(op: Op, operands: tuple[CoreValue, ...], params: dict[str, Any]) -> Spec | tuple[Spec, ...]:
    """Shape and dtype of the result, without computing it.

    Raises:
        ShapeError, DtypeError: the op can't take these operands.
    """
    if op.promotes and state.torch_semantics:
        operands = _specs_promoted(operands)
    return op.shape(*operands, **params)


def _specs_promoted(operands: tuple[CoreValue, ...]) -> tuple[CoreValue, ...]:
    """What shape rules see of `torch_promoted(operands)`."""
    common = torch_common_dtype(operands)
    return tuple(
        x
        if common is None
        else Spec(shape_of(x), common)
        if hasattr(x, "dtype") and x.dtype != common
        else _wrapped(x, common)
        if type(x) is int
        else x
        for x in operands
    )


def _foresee(op: Op, operands: tuple[CoreValue, ...], params: dict[str, Any]) -> None:
    if op.views and len(operands) == 1:
        return
    if op.kind == "elementwise":
        # Broadcasting makes at most the product of the sizes (equal shapes count once): below that bound, nothing need
        # be looked at.
        bound = 8
        shape: tuple[int, ...] = ()
        for x in operands:
            if isinstance(x, np.ndarray) and x.size > 1 and x.shape != shape:
                shape = x.shape
                bound *= x.size
        if bound < _SMALL:
            return
    spec = infer(op, operands, params)
    budget.charge_spec(spec, op.name)


def torch_promoted(operands: tuple[CoreValue, ...]) -> tuple[CoreValue, ...]:
    """Operands in PyTorch's common dtype: tensors with axes outrank 0-d tensors, and those outrank numbers.

    Each rank decides only when it holds a higher category (bool < integer < float < complex) than the ranks above it.
    Source: the "Type promotion" section of PyTorch's notes on tensor attributes.
    """
    common = torch_common_dtype(operands)
    if common is None:
        return operands
    return tuple(
        _wrapped(x, common)
        if type(x) is int
        else x.astype(common)
        if hasattr(x, "astype") and x.dtype != common
        else x
        for x in operands
    )


def _wrapped(x: int, common: np.dtype[Any]) -> int:
    """An integer beside tensors of short integers as PyTorch takes it: its low bits, where it does not fit."""
    if common.kind in "iu" and not np.iinfo(common).min <= x <= np.iinfo(common).max:
        return int(np.asarray(x).astype(common))
    return x


_CATEGORY = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}


def torch_common_dtype(operands: tuple[CoreValue, ...]) -> np.dtype[Any] | None:
    """The dtype that PyTorch computes in, or None when no operand is a tensor."""
    ranks: tuple[list[np.dtype[Any]], ...] = ([], [], [])
    for x in operands:
        if hasattr(x, "dtype"):
            ranks[0 if len(shape_of(x)) else 1].append(dtype_of(x))
        else:
            ranks[2].append(_number_dtype(x))
    if not ranks[0] and not ranks[1]:
        return None
    common: np.dtype[Any] | None = None
    for rank in ranks:
        if not rank:
            continue
        found = rank[0]
        for dtype in rank[1:]:
            found = _torch_pair(found, dtype)
        if common is None or _CATEGORY[found.kind] > _CATEGORY[common.kind]:
            common = _raised(common, found)
    return common


def _raised(common: np.dtype[Any] | None, found: np.dtype[Any]) -> np.dtype[Any]:
    if common is not None and found.kind == "c" and common.kind == "f":
        return np.result_type(common, np.complex64)
    return found


def _torch_pair(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    if _CATEGORY[a.kind] < 2 <= _CATEGORY[b.kind]:
        return b
    if _CATEGORY[b.kind] < 2 <= _CATEGORY[a.kind]:
        return a
    return np.result_type(a, b)


def _number_dtype(x: Any) -> np.dtype[Any]:
    if isinstance(x, bool):
        return np.dtype(np.bool_)
    if isinstance(x, int):
        return np.dtype(np.int64)
    if isinstance(x, complex):
        return np.result_type(state.default_float, np.complex64)
    return state.default_float
