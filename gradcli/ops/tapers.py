"""Windows of signal processing: weights that fall off towards both ends.

NumPy's are symmetric. PyTorch's are by themselves periodic: those of one more number, without the last.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec
from gradcli.ops.arguments import settled
from gradcli.ops.constructors import checked_sizes, dtype_or_default
from gradcli.ops.function import case
from gradcli.ops.kinds import constant
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.selecting import taken

_SHAPES = {"hanning": np.hanning, "blackman": np.blackman, "bartlett": np.bartlett}


def _taper(*, shape: str, length: int, dtype: np.dtype[Any]) -> Any:
    return _SHAPES[shape](length).astype(dtype)


def _raised_cosine(*, length: int, alpha: float, beta: float, dtype: np.dtype[Any]) -> Any:
    if length < 2:
        return np.ones(length, dtype)
    return (alpha + beta * np.cos(np.pi * np.arange(1 - length, length, 2) / (length - 1))).astype(dtype)


def _taper_rule(*, length: int, dtype: np.dtype[Any], **_: Any) -> Spec:
    return Spec((length,), dtype)


TAPER: Op = constant("taper", _taper, _taper_rule, doc="Weights that fall off towards both ends.")
HAMMING: Op = constant("hamming", _raised_cosine, _taper_rule, doc="A raised cosine.")


def length_of(name: str, given: Any) -> int:
    """A window's length, checked."""
    (length,) = checked_sizes(name, (given,))
    return length


def _tapered(op: Op, name: str, given: Any, periodic: Any, dtype: Any, **params: Any) -> CoreValue:
    length = length_of(name, given)
    whole = length + 1 if periodic and length > 1 else length
    made = bind(op, length=whole, dtype=dtype_or_default(dtype), **params)
    return made if whole == length else taken(made, slice(0, length), -1)


_LENGTHS = (case(5), case(4), case(1), case(0))


def _declare(numpy: str, torch: str, doc: str) -> None:
    def symmetric(M: Any) -> CoreValue:
        return _tapered(TAPER, numpy, M, False, None, shape=numpy)

    def periodic(window_length: Any, periodic: bool = True, *, dtype: Any = None) -> CoreValue:
        return _tapered(TAPER, torch, window_length, periodic, dtype, shape=numpy)

    symmetric.__doc__ = f"{doc}."
    periodic.__doc__ = f"{doc}, periodic."
    function(numpy, family="constructor", where="numpy", differentiable=False, cases=_LENGTHS)(symmetric)
    function(torch, family="constructor", where="torch", differentiable=False, cases=(*_LENGTHS, case(4, False)))(
        periodic
    )


_declare("hanning", "hann_window", "The window 0.5 + 0.5*cos(pi*t) for t from -1 to 1")
_declare("blackman", "blackman_window", "The window 0.42 + 0.5*cos(pi*t) + 0.08*cos(2*pi*t) for t from -1 to 1")
_declare("bartlett", "bartlett_window", "The window 1 - abs(t) for t from -1 to 1")


@function(family="constructor", where="numpy", differentiable=False, cases=_LENGTHS)
def hamming(M: Any) -> CoreValue:
    """The window 0.54 + 0.46*cos(pi*t) for t from -1 to 1."""
    return _tapered(HAMMING, "hamming", M, False, None, alpha=0.54, beta=0.46)


@function(family="constructor", where="torch", differentiable=False, cases=(*_LENGTHS, case(4, False, 0.5, 0.5)))
def hamming_window(
    window_length: Any, periodic: bool = True, alpha: Any = 0.54, beta: Any = 0.46, *, dtype: Any = None
) -> CoreValue:
    """The window alpha + beta*cos(pi*t) for t from -1 to 1, periodic."""
    numbers = {"alpha": _number("alpha", alpha), "beta": _number("beta", beta)}
    return _tapered(HAMMING, "hamming_window", window_length, periodic, dtype, **numbers)


def _number(name: str, x: Any) -> float:
    found = settled(as_core(x))
    if found.shape or found.dtype.kind not in "biuf":
        raise ArgumentError(f"hamming_window: {name} must be a number")
    return float(found)
