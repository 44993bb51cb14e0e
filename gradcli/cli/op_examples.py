"""A worked example for every function: a command made of the calls that its declaration names, and what it prints."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, repeat
from typing import Any, NamedTuple

import numpy as np

from gradcli.cli.words import Invocation, parse
from gradcli.graph.errors import GradcliError, ShapeError
from gradcli.graph.values import Array
from gradcli.language import Program, Source
from gradcli.ops.function import Case, Function, case
from gradcli.ops.registry import lookup

_LETTERS = ("x", "y", "z", "u", "v", "w", "p", "q")
_SHORT = {"numpy": "np"}
#: What a function of integers is shown with.
_INTEGERS = (np.array([5, -3, 12]), np.array([3, 10, 6]), np.array([1, 2, 4]))
#: The inputs have at most so many elements together, and the answer, unless it is a gradient, so many.
_MOST, _MOST_SHOWN = 24, 16


class Example(NamedTuple):
    """A command line and what it prints.

    Attributes:
        arguments: the words after `gradcli`.
        output: the answer as a pipe gets it.
    """

    arguments: tuple[str, ...]
    output: str

    @property
    def command(self) -> str:
        """The command as one types it."""
        return shlex.join(("gradcli", *self.arguments))


def example_of(function: Function) -> Example | None:
    """The first call that shows something: finite numbers, few of them; None where no declared call does."""
    calls = [_Call(function, spec) for spec in _calls(function)]
    for telling in (True, False):
        for words in chain.from_iterable(call.commands(telling) for call in calls):
            output = _output(words, telling)
            if output is not None:
                return Example(words, output)
    return None


def spelling_in_program(function: Function) -> str | None:
    """How a program calls a function: by its bare name if that means it, else by its module; None: only as a method."""
    plain = [s for s in function.spellings if s[:1] not in "@."]
    for spelling in plain:
        name = spelling.rpartition(".")[2]
        if lookup("", name) is function:
            return name
    for spelling in plain:
        module, _, name = spelling.rpartition(".")
        return f"{_SHORT.get(module, module)}.{name}"
    return None


# --- calls -----------------------------------------------------------------------------------------------------------


def _calls(function: Function) -> list[Case]:
    """Calls by rising size of what they show."""
    found = list(function.cases)
    if function.op is not None and function.op.promotes:
        arity = len(function.parameters) - len(function.call.__defaults__ or ())
        found += [case(*[(3,)] * arity), case(*_INTEGERS[:arity])]
    return sorted(found, key=_plainness)


def _plainness(spec: Case) -> tuple[bool, bool, bool, int, int]:
    """Calls without real numbers last, and before them empty ones, then single numbers and singleton axes, by size."""
    arrays = [a for a in spec.args if _is_array(a)]
    real = any(_is_random(a) or a.dtype.kind == "f" for a in arrays)
    sizes = [math.prod(_shape(a)) for a in arrays]
    single = sum(sizes) < 2 or any(1 in _shape(a) for a in arrays)
    return (not real, 0 in sizes, single, sum(sizes), len(spec.kwargs))


def _shape(a: Any) -> tuple[int, ...]:
    return a if _is_random(a) else np.shape(a) if isinstance(a, np.ndarray) else ()


def _is_array(a: Any) -> bool:
    return isinstance(a, np.ndarray) or _is_random(a)


def _is_random(a: Any) -> bool:
    return isinstance(a, tuple) and all(type(n) is int and n >= 0 for n in a)


class _Call:
    """A call in the words of a program, with values for the float arrays in it."""

    def __init__(self, function: Function, spec: Case) -> None:
        self.function = function
        self.inputs: dict[str, Array] = {}
        self._intervals = _intervals(function)
        named = [p for p in function.parameters if not p.startswith("*")]
        self._words = [self._word(a, name) for a, name in zip(spec.args, chain(named, repeat("")), strict=False)]
        self._words += [f"{key}={self._word(value, key)}" for key, value in spec.kwargs.items()]
        self._before = ""
        self._result = self._written()

    def commands(self, differentiated: bool) -> Iterator[tuple[str, ...]]:
        """Command lines that show the call, the most telling first."""
        if not self._result:
            return
        values = [f"{name}={_text(x)}" for name, x in self.inputs.items()]
        if not (differentiated and self.function.differentiable and self.inputs):
            yield ("eval", self._before + self._result, *values)
            yield ("eval", f"{self._before}sum({self._result}**3)", *values)
            return
        found = self._result
        several = self._gives_several()
        for command, form in chain.from_iterable(
            self._forms(result) for result in ((f"{found}[0]", f"{found}[1]") if several else (found,))
        ):
            yield (command, self._before + form, *values, *self._only())

    def _forms(self, result: str) -> Iterator[tuple[str, str]]:
        yield "grad", result
        if self.function.op is not None and self.function.op.promotes:
            yield "grad", f"sum({result})"
        yield "jacobian", result
        yield "grad", f"sum({result}**3)"
        yield "grad", f"sum(abs({result})**3)"

    def _only(self) -> tuple[str, ...]:
        """With much to differentiate by, the smallest of it alone."""
        sizes = {name: x.size for name, x in self.inputs.items() if x.size > 0}
        smallest = min(sizes, key=lambda name: sizes[name], default="")
        return ("--wrt", smallest) if sum(sizes.values()) > _MOST and len(sizes) > 1 else ()

    def _gives_several(self) -> bool:
        with suppress(GradcliError):
            return Program.parse(Source("example", self._before + self._result)).run(self.inputs).is_tuple
        return False

    def _written(self) -> str:
        """The call as a program writes it; "" where it can't be written."""
        if not self.function.spellings:
            return ""
        name, words = spelling_in_program(self.function), ", ".join(self._words)
        if name is not None and self.function.in_place:
            self._before = f"out = {self._words[0]}.copy(); {name}({', '.join(['out', *self._words[1:]])}); "
            return "out"
        if name is not None:
            return f"{name}({words})"
        spelling = self.function.spellings[0]
        if spelling.startswith("@"):
            return f"{self._words[0]}.{spelling[1:]}"
        method, _, face = spelling[1:].partition("@")
        self._before = "import torch; " * (face == "torch")
        if method.startswith("at[i]."):
            return f"{self._words[0]}.at[{self._words[1]}].{method[6:]}({', '.join(self._words[2:])})"
        return f"{self._words[0]}.{method}({', '.join(self._words[1:])})"

    def _word(self, a: Any, name: str = "") -> str:
        if _is_random(a):
            low, high = next(self._intervals)
            return self._input(_spread(a, low, high, len(self.inputs)), name)
        if type(a) is float:  # a value like the others, not drawn: the next has an interval of its own
            next(self._intervals)
        if isinstance(a, np.ndarray) and a.dtype.kind == "f":
            return self._input(np.round(a, 2), name)
        if isinstance(a, np.ndarray):
            return repr(a.tolist())
        if isinstance(a, list | tuple):
            inner = ", ".join(self._word(part) for part in a)
            return f"[{inner}]" if isinstance(a, list) else f"({inner},)"
        return str(a) if isinstance(a, np.dtype) else repr(a)

    def _input(self, value: Array, name: str) -> str:
        name = next(n for n in (name, *_LETTERS) if len(n) == 1 and n not in self.inputs)
        self.inputs[name] = value
        return name


def _intervals(function: Function) -> Iterator[Any]:
    domain: Any = function.domain
    return chain(domain, repeat(domain[-1])) if isinstance(domain[0], tuple) else repeat(domain)


def _spread(shape: tuple[int, ...], low: float, high: float, place: int) -> Array:
    """Round numbers across an interval, in no order; others for every input."""
    size = math.prod(shape)
    fractions = (np.arange(size) * 0.618034 + 0.3 + 0.37 * place) % 1.0
    return np.round(low + (high - low) * fractions, 2).reshape(shape)


def _text(x: Array) -> str:
    """An array as a VALUE."""
    if x.size > _MOST:
        shape = ", ".join(map(str, x.shape))
        return f"linspace({x.min()}, {x.max()}, {x.size}).reshape({shape})"
    if x.ndim == 1 and x.size > 1:
        return ",".join(map(repr, x.tolist()))
    return repr(x.tolist()).replace(" ", "")


# --- their answers ---------------------------------------------------------------------------------------------------


def _output(words: tuple[str, ...], telling: bool) -> str | None:
    """What a command prints into a pipe; None where it fails, gives several results, or shows too much,
    or (asked to be `telling`) nothing but zeros."""
    from gradcli.files import encode

    invocation = parse(list(words))
    if not isinstance(invocation, Invocation):
        return None
    try:
        answer = _answer(invocation)
    except GradcliError:
        return None
    arrays = [np.asarray(array) for _, array in answer.results]
    size = sum(a.size for a in arrays)
    if not 0 < size <= (_MOST if words[0] == "grad" else _MOST_SHOWN) or (
        telling and not all(_telling(a) for a in arrays)
    ):
        return None
    return b"".join(encode(answer, "text")).decode()


def _telling(a: Array) -> bool:
    return a.dtype.kind not in "fc" or bool(np.isfinite(a).all() and np.any(a != 0))


def _answer(invocation: Invocation) -> Any:
    from gradcli.cli import derivatives, evaluate
    from gradcli.cli.session import choose_target, open_session

    session = open_session(invocation)
    kind = invocation.command.name
    if kind == "eval":
        return evaluate.answer_of(session)
    target = choose_target(session)
    found = derivatives.COMPUTE[kind](session, target)
    if found.is_tuple:
        raise ShapeError("an example shows one result")
    return derivatives.answer(kind, found, evaluate.output_names(target.output_names, len(found.values)))
