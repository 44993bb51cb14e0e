"""Reading and writing elements: `x[i]`, `x[1:3] = 0`, of tensors, lists, texts and dicts."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, concrete
from gradcli.language.at import At, AtIndex
from gradcli.language.operations import ELEMENT_BYTES, as_index, key_of, listed, operand
from gradcli.language.values import DEEPEST_LIST, LanguageValue, describe
from gradcli.tensor import Tensor


def read(x: LanguageValue, index: LanguageValue) -> LanguageValue:
    """x[index].

    Raises:
        GradcliError: there is no such element, or the value has none.
    """
    if type(x) is Tensor:
        where = tensor_index(index)
        getitem = OPERATORS["[]"]
        if _is_basic(where):
            return Tensor.view_of(x, lambda value: getitem(value, where))
        return Tensor(getitem(x.value, where))
    if type(x) is At:
        return AtIndex(x.tensor, tensor_index(index))
    if isinstance(x, dict):
        key = key_of(index)
        if key not in x:
            raise GradcliError(f"the dict has no key {key!r}")
        return x[key]
    if isinstance(x, list | tuple | str | range):
        where = _sequence_index(x, index)
        if isinstance(where, slice):
            budget.charge(len(range(*where.indices(len(x)))) * 8, "a slice")
        return x[where]
    raise GradcliError(f"{describe(x)} has no elements", mend="array(...) makes a tensor" if index is None else None)


def write(x: LanguageValue, index: LanguageValue, value: LanguageValue) -> None:
    """x[index] = value.

    Raises:
        GradcliError: there is no such element, or it can't be assigned.
    """
    if type(x) is Tensor:
        x.write(tensor_index(index), operand(value, "="))
    elif isinstance(x, dict):
        budget.charge(3 * ELEMENT_BYTES, "a dict")
        x[key_of(index)] = value
    elif isinstance(x, list):
        where = _sequence_index(x, index)
        if isinstance(where, slice):
            _write_slice(x, where, listed(value))
        else:
            x[where] = value
    else:
        raise GradcliError(f"elements of {describe(x)} cannot be assigned")


def _write_slice(x: list[Any], where: slice, items: list[Any]) -> None:
    count = len(range(*where.indices(len(x))))
    if where.step not in (None, 1) and count != len(items):
        raise GradcliError(f"{len(items)} values for a slice of {count} elements")
    x[where] = items


def _sequence_index(x: Any, index: LanguageValue) -> int | slice:
    if isinstance(index, slice):
        return index
    if isinstance(index, tuple):
        raise GradcliError(f"{describe(x)} takes one index", mend="write x[i][j], or array(x)[i, j]")
    where = as_index(index)
    if not -len(x) <= where < len(x):
        raise GradcliError(f"index {where} is out of range for {describe(x)} of {len(x)} elements")
    return where


def tensor_index(index: LanguageValue) -> Any:
    """An index as ops take it: ints, slices, None, `...`, int and bool arrays, lists, or a tuple of those.

    Raises:
        GradcliError: it is no index.
    """
    if isinstance(index, tuple):
        return tuple([_part(part) for part in index])
    return _part(index)


def _part(index: LanguageValue) -> Any:
    if index is None or index is Ellipsis or type(index) in (int, bool, slice):
        return index
    if type(index) is Tensor:
        return _array_index(index)
    if isinstance(index, float):
        return as_index(index)
    if isinstance(index, list | tuple | range):
        return _list_index(index)
    raise GradcliError(f"{describe(index)} is no index", mend="an index is an integer, a slice or a mask")


def _array_index(index: Tensor) -> CoreValue:
    if index.dtype.kind in "iub":
        # A 0-d integer picks one element, as a plain integer does.
        return as_index(index) if not index.ndim and index.dtype.kind != "b" else index.value
    if not index.ndim:
        return as_index(index)
    whole = concrete(index.value)
    if index.dtype.kind != "f" or not np.all(whole == np.floor(whole)):
        raise GradcliError("an index must be of integers or bools", mend="floor(...) rounds down")
    return OPERATORS["astype"](index.value, np.dtype(np.int64))


def _list_index(index: Any, depth: int = 0) -> Any:
    if depth > DEEPEST_LIST:
        raise GradcliError("a list in an index nests too deeply")
    parts = listed(index)
    if not any(isinstance(part, Tensor | float | list | tuple) for part in parts):
        return parts
    if any(isinstance(part, list | tuple) for part in parts):
        return [_list_index(part, depth + 1) if isinstance(part, list | tuple) else as_index(part) for part in parts]
    return [as_index(part) for part in parts]


def slice_of(lower: LanguageValue, upper: LanguageValue, step: LanguageValue) -> slice:
    """lower:upper:step, each None or something integral.

    Raises:
        GradcliError: a bound is no integer, or the step is 0.
    """
    bounds = [None if bound is None else as_index(bound, "a slice's bound") for bound in (lower, upper, step)]
    if bounds[2] == 0:
        raise GradcliError("a slice's step cannot be zero")
    if state.torch_semantics and bounds[2] is not None and bounds[2] < 0:
        raise GradcliError("step must be greater than zero", mend="flip(x, 0) reverses")
    return slice(*bounds)


def _is_basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or type(part) in (int, slice) for part in parts)
