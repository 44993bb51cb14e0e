"""What variables of a program hold besides numbers, texts, lists and tensors: functions, modules, types."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.autodiff.trees import Constant
from gradcli.graph.errors import GradcliError
from gradcli.ops.operands import as_core
from gradcli.ops.results import Results
from gradcli.tensor import Tensor

if TYPE_CHECKING:
    from gradcli.language.frames import Frame
    from gradcli.language.machine import Machine

#: Anything that a variable may hold.
LanguageValue = Any

Arguments = list[Any]
Keywords = dict[str, Any]


class Size(tuple[int, ...]):
    """The shape of a tensor in a program that follows PyTorch."""

    __slots__ = ()

    def __add__(self, other: Any) -> Size:
        return Size((*self, *other))

    def __radd__(self, other: Any) -> Size:
        return Size((*other, *self))

    def __mul__(self, count: Any) -> Size:
        return Size(tuple(self) * count)

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Size(found) if isinstance(found, tuple) else found

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"


class FunctionValue:
    """Something that can be called."""

    __slots__ = ("name",)

    name: str

    def invoke(self, run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        """Call it.

        Raises:
            GradcliError: it objects to the arguments.
        """
        raise NotImplementedError


class UserFunction(FunctionValue):
    """A `def` or a `lambda`, with the frame it was made in and its evaluated defaults."""

    __slots__ = ("defaults", "frame", "node")

    def __init__(
        self, name: str, node: ast.FunctionDef | ast.Lambda, frame: Frame, defaults: dict[str, LanguageValue]
    ) -> None:
        self.name = name
        self.node = node
        self.frame = frame
        self.defaults = defaults

    def invoke(self, run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        """Call it; see `Machine.apply`."""
        return run.apply(self, args, kwargs)


class Builtin(FunctionValue):
    """A function written here, in Python: `call(run, args, kwargs)`.

    Attributes:
        inner: what it closes over, the program's functions among it.
        held: values that it closes over, by name, which may be replaced (`gradcli.language.closures`).
    """

    __slots__ = ("call", "held", "inner")

    def __init__(self, name: str, call: Callable[[Machine, Arguments, Keywords], LanguageValue]) -> None:
        self.name = name
        self.call = call
        self.inner: tuple[LanguageValue, ...] = ()
        self.held: dict[str, LanguageValue] = {}

    def invoke(self, run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        """Call it."""
        return self.call(run, args, kwargs)


class TypeValue(Builtin):
    """A type of Python, as `isinstance` and `dtype=` take it; called, it converts.

    Attributes:
        holds: whether a value is of the type.
        dtype: the dtype it stands for, or None.
    """

    __slots__ = ("dtype", "holds")

    def __init__(
        self,
        name: str,
        call: Callable[[Machine, Arguments, Keywords], LanguageValue],
        holds: Callable[[LanguageValue], bool],
        dtype: np.dtype[Any] | None = None,
    ) -> None:
        super().__init__(name, call)
        self.holds = holds
        self.dtype = dtype


class ModuleValue:
    """An imported module: a name and nothing more."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path


class GradSwitch:
    """What `no_grad()` and its like give to `with`.

    Attributes:
        tracks: whether what runs inside is tracked.
        before: for one that is on as soon as it is made, what `state.constant_below` was then.
    """

    __slots__ = ("before", "tracks")

    def __init__(self, tracks: bool, before: int | None = None) -> None:
        self.tracks = tracks
        self.before = before


class Iteration:
    """What `zip`, `enumerate`, `reversed` and `map` give: to be gone through once.

    Attributes:
        items: what is left to go through.
        depth: how many iterations within iterations that draws on; the C stack carries each.
    """

    __slots__ = ("depth", "items")

    def __init__(self, items: Iterator[LanguageValue], depth: int = 0) -> None:
        self.items = items
        self.depth = depth


def describe(value: LanguageValue) -> str:
    """What a value is, in words for an error message: `a list`, `a tensor of shape [2, 3]`."""
    if isinstance(value, Tensor):
        shape = list(value.shape)
        return f"a tensor of shape {shape}" if shape else "a scalar tensor"
    for kind, words in _WORDS:
        if isinstance(value, kind):
            return words
    if isinstance(value, FunctionValue):
        return f"the function '{value.name}'"
    if isinstance(value, ModuleValue):
        return f"the module '{value.path}'"
    if isinstance(value, np.dtype):
        return f"the dtype {value}"
    return getattr(type(value), "described", "this value")


_WORDS: tuple[tuple[type, str], ...] = (
    (bool, "a bool"),
    (int, "an integer"),
    (float, "a number"),
    (complex, "a complex number"),
    (str, "a text"),
    (type(None), "None"),
    (list, "a list"),
    (Size, "a size"),
    (tuple, "a tuple"),
    (dict, "a dict"),
    (range, "a range"),
    (slice, "a slice"),
    (Iteration, "an iteration"),
    (GradSwitch, "a context for 'with'"),
    (type(Ellipsis), "'...'"),
)

#: Lists nested deeper than this are neither arrays nor printed.
DEEPEST_LIST = 32


def core(value: LanguageValue, what: str, depth: int = 0) -> Any:
    """A value as ops take it: tensors become core values, inside lists, tuples and dicts too.

    Raises:
        GradcliError: it is, or holds, what no op can take.
    """
    if isinstance(value, Tensor):
        return value.value
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list or isinstance(value, tuple):
        if depth > DEEPEST_LIST:
            raise GradcliError(f"{what}: a list nests too deeply", mend="a tensor has at most 32 axes")
        items = [x if type(x) in _PLAIN else core(x, what, depth + 1) for x in value]
        return items if kind is list else tuple(items)
    if isinstance(value, TypeValue) and value.dtype is not None:
        return value.dtype
    if isinstance(value, np.dtype):
        return value
    if isinstance(value, Iteration):
        return [core(x, what, depth + 1) for x in value.items]
    if isinstance(value, FunctionValue):
        raise GradcliError(
            f"{what} takes numbers, not {describe(value)}",
            mend=f"give {value.name}=... to make it a variable" if isinstance(value, Builtin) else "call it",
        )
    raise GradcliError(f"{what} takes numbers, not {describe(value)}")


def array(value: LanguageValue, what: str) -> Any:
    """A value as an array or a traced value: numbers and lists become arrays.

    Raises:
        GradcliError: it is, or holds, what no array can.
    """
    try:
        return as_core(core(value, what))
    except (ValueError, OverflowError) as error:
        raise GradcliError(f"{what}: {error}") from None


_PLAIN = frozenset({int, float, bool, complex, str, type(None), range, slice, type(Ellipsis)})


def language(value: Any) -> LanguageValue:
    """What an op gave, as variables hold it: arrays and traced values become tensors, in lists and tuples too."""
    if type(value) in _PLAIN or isinstance(value, np.dtype):
        return value
    if isinstance(value, tuple):
        parts = [language(x) for x in value]
        return type(value)(parts) if isinstance(value, Results) else tuple(parts)
    if isinstance(value, list):
        return [language(x) for x in value]
    if isinstance(value, dict):
        return {k: language(x) for k, x in value.items()}
    return value.held if isinstance(value, Constant) else Tensor(value)
