"""NumPy and SciPy beside the table: the same function, and the same call of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from gradcli.ops.function import Function
from table.calls import Call, leaves

_MODULES = ("numpy", "numpy.linalg", "scipy.special", "scipy.linalg", "numpy.fft", "scipy.fft", "scipy.signal")


class NoPeer(Exception):
    """NumPy and SciPy have no such function, or don't take this form of the call."""


@cache
def peer(function: Function) -> Callable[..., Any] | None:
    """The same function in NumPy or SciPy."""
    for spelling in function.spellings:
        module, _, name = spelling.rpartition(".")
        found = getattr(_module(module), name, None)
        if callable(found):
            return found
    return None


def _module(path: str) -> Any:
    if path.startswith("scipy.stats."):
        return getattr(import_module("scipy.stats"), path.rpartition(".")[2], None)
    return import_module(path) if path in _MODULES else None


#: Functions that are real here of real numbers, where SciPy's is complex of any.
_REAL_OF_REAL = ("lambertw",)


def _plain(x: Any) -> Any:
    """Lists of integers as tuples, as NumPy wants its axes."""
    return tuple(x) if isinstance(x, list) and all(isinstance(n, int) for n in x) else x


def peers_results(call: Call) -> list[Any]:
    """What the peer makes of a call, flat.

    Raises:
        NoPeer: nothing that could be compared.
    """
    other = peer(call.function)
    if other is None or call.function.family == "random" or call.function.name.startswith("empty"):
        raise NoPeer
    if call.function.name.startswith("polygamma") and any(np.any(x < -1000) for x in call.floats):
        raise NoPeer  # SciPy counts up from there, one by one
    if call.function.name == "hyp1f1" and any(np.any(np.abs(x) > 1e6) for x in call.floats):
        raise NoPeer  # SciPy may not return from there
    args = [_plain(a) for a in call.args]
    kwargs = {k: _plain(v) for k, v in call.kwargs.items()}
    try:
        if call.function.in_place:
            changed = np.array(args[0])
            other(changed, *args[1:], **kwargs)
            return [changed]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            found = list(leaves(other(*args, **kwargs)))
        if call.function.name in _REAL_OF_REAL and all(x.dtype.kind == "f" for x in call.floats):
            found = [np.real(y) for y in found]
        return found
    except (TypeError, np.exceptions.AxisError, np.exceptions.ComplexWarning, ValueError, NotImplementedError):
        raise NoPeer from None
