"""NumPy's objects that are written with brackets: mgrid, ogrid, r_, c_ and s_; and what its dtypes can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.errors import ArgumentError
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, shape_of
from gradcli.language.arguments import matched
from gradcli.language.values import Arguments, Builtin, Keywords, LanguageValue, array, core
from gradcli.ops import registry
from gradcli.ops.arguments import dtype_named
from gradcli.ops.results import Results
from gradcli.ops.shape import reshaped
from gradcli.tensor import Tensor

if TYPE_CHECKING:
    from gradcli.language.machine import Machine


class IndexTrick:
    """An object whose brackets make something of slices: `mgrid[0:5, 0:1:3j]`."""

    __slots__ = ("name",)

    described = "an object for brackets, such as mgrid[0:5]"

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, index: LanguageValue) -> LanguageValue:
        """What the brackets hold, made into arrays; ends of slices are as they were written.

        Raises:
            ArgumentError: they hold something else.
        """
        parts = list(index) if isinstance(index, tuple) else [index]
        if self.name in ("r_", "c_"):
            return Tensor(_joined(self.name, parts))
        lines = [_line(self.name, part) for part in parts]
        if not isinstance(index, tuple):
            return Tensor(lines[0])
        rank = len(lines)
        opened = [reshaped(x, (1,) * i + shape_of(x) + (1,) * (rank - i - 1)) for i, x in enumerate(lines)]
        if self.name == "ogrid":
            return tuple([Tensor(x) for x in opened])
        return Tensor(_numpy("stack", _numpy("broadcast_arrays", *opened)))


def _numpy(name: str, *args: Any, **kwargs: Any) -> Any:
    return registry.known("numpy", name)(*args, **kwargs)


def _line(name: str, part: LanguageValue) -> CoreValue:
    """The numbers that a slice stands for; a step with a j is how many there are, both ends included."""
    if not isinstance(part, slice):
        raise ArgumentError(f"{name} takes slices", mend=f"write {name}[0:5] or {name}[0:1:5j]")
    start, stop, step = (None if x is None else core(x, name) for x in (part.start, part.stop, part.step))
    start = 0 if start is None else start
    if stop is None:
        raise ArgumentError(f"{name}: a slice needs its end")
    if isinstance(step, complex):
        return _numpy("linspace", start, stop, int(abs(step)))
    return _numpy("arange", start, stop, 1 if step is None else step)


def _joined(name: str, parts: list[LanguageValue]) -> CoreValue:
    """r_: joined along the first axis; c_: vectors as columns, side by side."""
    found = []
    for part in parts:
        if isinstance(part, str):
            raise ArgumentError(f"{name} takes no directions in text here", mend="concatenate takes an axis")
        x = _line(name, part) if isinstance(part, slice) else array(part, name)
        if not shape_of(x):
            x = reshaped(x, (1,))
        if name == "c_" and len(shape_of(x)) == 1:
            x = reshaped(x, (*shape_of(x), 1))
        found.append(x)
    return _numpy("concatenate", found, -1 if name == "c_" else 0)


#: Members of `numpy`.
TRICKS: dict[str, LanguageValue] = {name: IndexTrick(name) for name in ("mgrid", "ogrid", "r_", "c_")}

# --- what dtypes can hold --------------------------------------------------------------------------------------------


class FloatInfo(Results):
    """What floats of a dtype can hold."""

    __slots__ = ()

    title = "finfo"
    fields = ("bits", "eps", "epsneg", "max", "min", "resolution", "smallest_normal", "smallest_subnormal", "tiny")


class IntegerInfo(Results):
    """What integers of a dtype can hold."""

    __slots__ = ()

    title = "iinfo"
    fields = ("bits", "max", "min")


def _dtype_of(name: str, args: Arguments, kwargs: Keywords, default: np.dtype[Any] | None) -> np.dtype[Any]:
    given = matched(name, args, kwargs, ("type",), 0 if default is not None else 1).get("type", default)
    if isinstance(given, Tensor):
        return given.dtype
    return dtype_named(core(given, name))


def _finfo(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    dtype = _dtype_of("finfo", args, kwargs, state.default_float)
    if dtype.kind not in "fc":
        raise ArgumentError(f"finfo() takes floats, not {dtype}", mend="iinfo is for integers")
    info = np.finfo(dtype)
    return FloatInfo(int(info.bits) if field == "bits" else float(getattr(info, field)) for field in FloatInfo.fields)


def _iinfo(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    dtype = _dtype_of("iinfo", args, kwargs, None)
    if dtype.kind not in "iu":
        raise ArgumentError(f"iinfo() takes integers, not {dtype}", mend="finfo is for floats")
    info = np.iinfo(dtype)
    return IntegerInfo((info.bits, int(info.max), int(info.min)))


#: Members of `numpy` and of `torch`.
DTYPE_INFO: dict[str, LanguageValue] = {"finfo": Builtin("finfo", _finfo), "iinfo": Builtin("iinfo", _iinfo)}
