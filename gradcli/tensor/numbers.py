"""A tensor as a Python number, where a program's course depends on it. A recording is told."""

from __future__ import annotations

from typing import Any

from gradcli.graph.errors import GradcliError
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, concrete
from gradcli.tensor.handle import Tensor


def _one(tensor: Tensor | CoreValue, what: str) -> Any:
    value = tensor.value if isinstance(tensor, Tensor) else tensor
    if value.size != 1:
        raise _ambiguous(what, value.size)
    found = concrete(value).reshape(()).item()
    if state.recording is not None:
        state.recording.guard(value, found)
    return found


def _ambiguous(what: str, size: int) -> GradcliError:
    """The error of a tensor where one element is due, in the words of the library that the program follows."""
    mend = "use any() or all(), and & | ~ to join masks" if what == "the truth" else "index one element"
    many = f"with {'more than one' if size else 'no'}"
    if state.torch_semantics:
        if what == "the truth":
            words = f"Boolean value of Tensor {many} value{'' if size else 's'} is ambiguous"
        else:
            words = f"a Tensor with {size} elements cannot be converted to Scalar"
    elif what == "the truth":
        array = f"an array {many} element" if size else "an empty array"
        words = f"The truth value of {array} is ambiguous"
    else:
        words = f"{what} of an array of {size} elements is ambiguous"
    return GradcliError(words, mend=mend)


def truth(tensor: Tensor | CoreValue) -> bool:
    """Whether a tensor of one element holds.

    Raises:
        GradcliError: it has more or fewer elements, or stands for many or unknown values.
    """
    return bool(_one(tensor, "the truth"))


def as_float(tensor: Tensor | CoreValue) -> float:
    """The one element as a float.

    Raises:
        GradcliError: as for `truth`, or the element is complex.
    """
    found = _one(tensor, "the number")
    if isinstance(found, complex):
        raise GradcliError("a complex number has no float value", mend="take .real or abs()")
    return float(found)


def as_int(tensor: Tensor | CoreValue) -> int:
    """The one element as an int; a float is cut towards zero, as Python's int().

    Raises:
        GradcliError: as for `as_float`, or the element is not finite.
    """
    found = _one(tensor, "the number")
    if isinstance(found, complex) or found != found or found in (float("inf"), float("-inf")):
        raise GradcliError(f"{found} has no integer value")
    return int(found)


def item(tensor: Tensor) -> Any:
    """The one element as a Python number, as `tensor.item()`.

    Raises:
        GradcliError: as for `truth`.
    """
    return _one(tensor, "the number")
