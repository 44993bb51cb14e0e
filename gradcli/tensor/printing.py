"""Tensors as text, as PyTorch prints them, to the character.

A float tensor is shown in one of three ways, which its finite elements other than zero decide: as whole numbers with a
point (`27.`), with a fixed number of decimals, or in scientific notation, where they span more than three decades or
are very large or small. All elements get the width of the longest of those.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import AbstractValue
from gradcli.graph.state import state
from gradcli.graph.values import Array, concrete

if TYPE_CHECKING:
    from gradcli.tensor.handle import Tensor


PREFIX = "tensor("
#: Largest over smallest magnitude, largest and smallest magnitude that decimals are used for.
WIDEST_RANGE, LARGEST, SMALLEST = 1000.0, 1.0e8, 1.0e-4


class PrintOptions:
    """What `torch.set_printoptions` sets.

    Attributes:
        precision: digits after the point.
        threshold: a tensor of more elements is summarised.
        edgeitems: elements at each end of an axis in a summary.
        linewidth: columns of a line.
        sci_mode: scientific notation always or never; None lets the elements decide.
    """

    __slots__ = ("edgeitems", "linewidth", "precision", "sci_mode", "threshold")

    def __init__(self) -> None:
        self.use_profile("default")
        self.sci_mode: bool | None = None

    def use_profile(self, name: str) -> None:
        """Set all but the notation as PyTorch's profile `default`, `short` or `full` has it; others change nothing."""
        if name not in _PROFILES:
            return
        self.precision, self.threshold, self.edgeitems = _PROFILES[name]
        self.linewidth = 80

    def reset(self) -> None:
        """Back to what a new run begins with."""
        self.use_profile("default")
        self.sci_mode = None


_PROFILES: dict[str, tuple[int, float, int]] = {
    "default": (4, 1000, 3),
    "short": (2, 1000, 2),
    "full": (4, math.inf, 3),
}

#: The options of the run in progress.
options = PrintOptions()


def text_of(tensor: Tensor) -> str:
    """The tensor as `print` shows it."""
    try:
        array = concrete(tensor.value)
    except AbstractValue:
        return _with_suffixes(f"{PREFIX}...", [f"size={tensor.shape}"])
    if tensor.is_array:
        return np.array_str(array)
    contents = "[]" if not array.size else array_text(array, len(PREFIX))
    return _with_suffixes(PREFIX + contents, _suffixes(tensor, array))


def representation_of(tensor: Tensor) -> str:
    """The tensor as it is shown inside a list; of an array, NumPy's form of that."""
    return np.array_repr(concrete(tensor.value)) if tensor.is_array else text_of(tensor)


def array_text(array: Array, indent: int) -> str:
    """The elements of an array that has some, in brackets; `indent` columns stand before the first line.

    Raises:
        LimitReached: the text would not fit in the byte limit.
    """
    summarised = array.size > options.threshold
    shown = _shown(array) if summarised else array
    budget.charge(shown.size * (128 + 8 * options.precision), "the text of a tensor")
    if array.dtype.kind != "c":
        return _nested(array, indent, summarised, _Elements(shown))
    return _nested(array, indent, summarised, _ComplexElements(shown))


def _suffixes(tensor: Tensor, array: Array) -> list[str]:
    """What stands behind the elements: the size where they do not show it, the dtype, and the history."""
    found = []
    dtype = array.dtype
    if (not array.size and array.ndim != 1) or (array.size and not options.edgeitems):
        found.append(f"size={array.shape}")
    if dtype != state.default_float and (not array.size or not _is_evident(dtype)):
        found.append(f"dtype=torch.{dtype}")
    grad_fn = tensor.grad_fn
    if grad_fn is not None:
        found.append(f"grad_fn=<{grad_fn.title}>")
    elif tensor.requires_grad:
        found.append("requires_grad=True")
    return found


def _is_evident(dtype: np.dtype[Any]) -> bool:
    """Whether the elements tell the dtype: bools, int64, and complex numbers of the default precision."""
    return dtype in (np.bool_, np.int64, np.result_type(state.default_float, np.complex64))


def _with_suffixes(text: str, suffixes: list[str]) -> str:
    """Each suffix on the last line where it fits there, else on a line of its own."""
    used = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if used + len(suffix) + 2 > options.linewidth:
            text += ",\n" + " " * len(PREFIX) + suffix
            used = len(PREFIX) + len(suffix)
        else:
            text += ", " + suffix
            used += len(suffix) + 2
    return text + ")"


# --- brackets --------------------------------------------------------------------------------------------------------


def _shown(array: Array) -> Array:
    """The elements that a summary shows, and that so decide how it looks."""
    edge = options.edgeitems
    for axis, length in enumerate(array.shape):
        if length > 2 * edge:
            # Of a vector's last 0 elements there are all, as [-0:] gives them.
            whole = not edge and array.ndim == 1
            ends = range(length) if whole else [*range(edge), *range(length - edge, length)]
            array = np.take(array, list(ends), axis=axis)
    return array


def _nested(array: Array, indent: int, summarised: bool, elements: _Elements | _ComplexElements) -> str:
    if array.ndim == 0:
        return elements.text(array.item())
    if array.ndim == 1:
        return _row(array, indent, summarised, elements)
    parts = [
        "..." if part is None else _nested(part, indent + 1, summarised, elements) for part in _parts(array, summarised)
    ]
    between = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    return "[" + between.join(parts) + "]"


def _parts(array: Array, summarised: bool) -> Iterator[Array | None]:
    """The parts along the first axis; None stands for those left out."""
    edge, length = options.edgeitems, len(array)
    if not summarised or length <= 2 * edge:
        yield from array
        return
    yield from array[:edge]
    yield None
    yield from array[length - edge :]


def _row(array: Array, indent: int, summarised: bool, elements: _Elements | _ComplexElements) -> str:
    edge = options.edgeitems
    if summarised and not edge:
        words = ["..."]
    elif summarised and len(array) > 2 * edge:
        ends = [[elements.text(x) for x in part.tolist()] for part in (array[:edge], array[-edge:])]
        words = [*ends[0], " ...", *ends[1]]
    else:
        words = [elements.text(x) for x in array.tolist()]
    per_line = max(1, (options.linewidth - indent) // (elements.width + 2))
    lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


# --- elements --------------------------------------------------------------------------------------------------------


class _Elements:
    """How real elements are written: in what notation, and how wide.

    Attributes:
        width: columns of one element.
    """

    __slots__ = ("_decimals", "_form", "_is_float", "_whole", "width")

    def __init__(self, shown: Array) -> None:
        self.width = 1
        self._is_float = shown.dtype.kind == "f"
        self._whole, self._form = True, ".0f"
        self._decimals = options.precision
        if self._is_float:
            self._choose(shown[np.isfinite(shown) & (shown != 0)].astype(np.float64))
        else:
            self.width = max([1, *(len(str(x)) for x in shown.reshape(-1).tolist())])

    def _choose(self, numbers: Array) -> None:
        """Settle the notation by the finite elements other than zero; where there are none, whole numbers."""
        if not numbers.size:
            return
        self._whole = bool((numbers == np.ceil(numbers)).all())
        scientific = _wants_science(numbers) if options.sci_mode is None else options.sci_mode
        if scientific:
            self._whole, self._form = False, f".{self._decimals}e"
        elif not self._whole:
            self._form = f".{self._decimals}f"
        self.width = max(len(format(x, self._form)) for x in numbers.tolist()) + self._whole

    def text(self, x: Any) -> str:
        """One element, right-aligned."""
        if not self._is_float:
            return str(x).rjust(self.width)
        point = "." if self._whole and math.isfinite(x) else ""
        return (format(x, self._form) + point).rjust(self.width)


def _wants_science(numbers: Array) -> bool:
    magnitudes = np.abs(numbers)
    smallest, largest = float(magnitudes.min()), float(magnitudes.max())
    return largest / smallest > WIDEST_RANGE or largest > LARGEST or smallest < SMALLEST


class _ComplexElements:
    """How complex elements are written: the parts each in their own notation.

    Attributes:
        width: columns of one element, without its sign between.
    """

    __slots__ = ("_imaginary", "_real", "width")

    def __init__(self, shown: Array) -> None:
        self._real, self._imaginary = _Elements(shown.real), _Elements(shown.imag)
        self.width = self._real.width + self._imaginary.width + 1

    def text(self, x: complex) -> str:
        """One element."""
        imaginary = self._imaginary.text(x.imag).lstrip() + "j"
        sign = "" if imaginary[0] in "+-" else "+"
        return self._real.text(x.real) + sign + imaginary
