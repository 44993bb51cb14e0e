"""Functions: the names by which programs call ops, and what each name means in which module.

A spelling is `module.name` ("numpy.sum", "torch.sum", "scipy.special.expit"), `.name` for a method (`.sum`,
`.max@torch` or `.max@numpy` where the two differ), `@T` for an attribute, or a bare `name` that no module has ("ln").
A bare name in a program is looked up in the order of `BARE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, GradcliError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Value

#: Where a bare name is looked up, in this order.
BARE = (
    "",
    "numpy",
    "scipy.special",
    "numpy.linalg",
    "scipy.linalg",
    "torch.nn.functional",
    "torch",
    "torch.special",
    "torch.linalg",
    "jax.nn",
    "numpy.random",
    "math",
)
_SAME = {
    "jax.numpy": "numpy",
    "jax.numpy.linalg": "numpy.linalg",
    "jax.scipy.special": "scipy.special",
    "jax.scipy.linalg": "scipy.linalg",
}
_SYNONYMS = {
    "dim": "axis",
    "dims": "axis",
    "keepdim": "keepdims",
    "axes": "axis",
    "axis": "dim",
    "keepdims": "keepdim",
    "size": "shape",
    "split_size": "split_size_or_sections",
    "N": "n",
    "M": "m",
}
#: What modules call the first, and the second, of the values that a function takes.
_FIRST = frozenset(
    ["input", "a", "x", "x1", "A", "arr", "array", "arrays", "ary", "m", "object", "tensor", "tensors", "v"]
)
_SECOND = frozenset(["other", "b", "x2", "exponent", "vec2", "mat2", "tensor2"])
#: What Python's own math module has, of the names that NumPy has in the same meaning.
_MATH = frozenset(
    [
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "cbrt",
        "ceil",
        "copysign",
        "cos",
        "cosh",
        "degrees",
        "exp",
        "exp2",
        "expm1",
        "fabs",
        "floor",
        "fmod",
        "hypot",
        "isfinite",
        "isinf",
        "isnan",
        "log",
        "log10",
        "log1p",
        "log2",
        "pow",
        "prod",
        "radians",
        "sin",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
        "trunc",
    ]
)


class Case:
    """One call that the tests derived from the table make: arguments (a tuple of ints stands for a random float array
    of that shape) and keywords."""

    __slots__ = ("args", "kwargs")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        words = [repr(a) for a in self.args] + [f"{k}={v!r}" for k, v in self.kwargs.items()]
        return f"case({', '.join(words)})"


def case(*args: Any, **kwargs: Any) -> Case:
    """A call for the tests; see `Case`."""
    return Case(args, kwargs)


class Function:
    """A function of the language over core values.

    Attributes:
        name: canonical name.
        call: the Python function behind it.
        op: the op it stands for, or None for one that is made of others.
        family: elementwise, reduction, shape, indexing, linalg, special, random, constructor, logic.
        doc: one line.
        derivative: its derivative as a formula for people, or "" where none is carried. Of an elementwise function,
            the partial derivatives with respect to its float parameters, as expressions of the language in the names of
            the parameters (a test compares them); of any other, or where that would not be the whole story, `vjp: ...`
            in words, with g for the cotangent of the result.
        spellings: all its names.
        parameters: names of its parameters in order; `*xs` takes any number.
        views: whether the result may share memory with the first argument.
        domain: (low, high) of the ordinary points that the tests draw.
        cases: further calls for the tests.
        differentiable: whether it carries a derivative.
        plain: whether it is its elementwise op and nothing more.
    """

    __slots__ = (
        "_accepted",
        "call",
        "cases",
        "derivative",
        "differentiable",
        "doc",
        "domain",
        "family",
        "name",
        "op",
        "parameters",
        "plain",
        "spellings",
        "views",
    )

    def __init__(
        self,
        name: str,
        call: Callable[..., Any],
        *,
        family: str,
        doc: str,
        op: Op | None = None,
        derivative: str = "",
        spellings: tuple[str, ...] = (),
        parameters: tuple[str, ...] | None = None,
        views: bool = False,
        domain: tuple[float, float] = (-2.0, 2.0),
        cases: tuple[Case, ...] = (),
        differentiable: bool = True,
    ) -> None:
        self.name = name
        self.call = call
        self.plain = False
        self.family = family
        self.doc = doc
        self.op = op
        self.derivative = derivative
        self.spellings = spellings
        self.parameters = parameters if parameters is not None else _parameters(call)
        self._accepted = frozenset(p.lstrip("*") for p in self.parameters)
        self.views = views
        self.domain = domain
        self.cases = cases
        self.differentiable = differentiable

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it with core values, numbers and lists.

        Raises:
            ArgumentError: it has no such arguments.
            GradcliError: what the op itself objects to.
        """
        if kwargs:
            kwargs = self._translated(kwargs)
        try:
            return self.call(*args, **kwargs)
        except GradcliError:
            raise
        except TypeError as error:
            raise ArgumentError(_argument_message(self, args, kwargs, error)) from error
        except (ValueError, IndexError, OverflowError) as error:
            raise ArgumentError(f"{self.name}: {error}") from error

    def _translated(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Keywords as this function spells them: `dim` for `axis`, `input` for its first parameter."""
        found = {}
        for key, value in kwargs.items():
            key = self._spelled_here(key)
            if key in found:
                raise ArgumentError(f"{self.name}() got '{key}' twice")
            found[key] = value
        return found

    def _spelled_here(self, key: str) -> str:
        accepted = self._accepted
        if key not in accepted:
            if _SYNONYMS.get(key) in accepted:
                return _SYNONYMS[key]
            values = [p for p in self.parameters if p != "condition"]
            if key in _FIRST and values:
                return values[0]
            if key in _SECOND and len(values) > 1:
                return values[1]
        return key

    def takes(self, key: str) -> bool:
        """Whether a call may have a keyword."""
        return self._spelled_here(key) in self._accepted

    def __repr__(self) -> str:
        return f"<function {self.name}>"

    @property
    def signature(self) -> str:
        """`name(parameters)` as documentation shows it."""
        return f"{self.name}({', '.join(self.parameters)})"


def _parameters(call: Callable[..., Any]) -> tuple[str, ...]:
    code = call.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    names = list(code.co_varnames[:count])
    if code.co_flags & 0x04:
        names.insert(code.co_argcount, "*" + code.co_varnames[count])
    return tuple(names)


def _arguments(count: int) -> str:
    return "1 argument" if count == 1 else f"{count} arguments"


def _argument_message(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any], error: TypeError) -> str:
    """What is wrong with a call, in this language's words rather than Python's."""
    parameters = [p for p in function.parameters if not p.startswith("*")]
    variadic = len(parameters) < len(function.parameters)
    unknown = [k for k in kwargs if k not in function._accepted]
    if unknown:
        return f"{function.name}() has no argument '{unknown[0]}'; it takes {function.signature}"
    if len(args) > len(parameters) and not variadic:
        return f"{function.name}() takes {_arguments(len(parameters))} but {len(args)} were given: {function.signature}"
    required = len(parameters) - len(function.call.__defaults__ or ())
    if len(args) + len(kwargs) < required:
        return f"{function.name}() takes {_arguments(required)} but {len(args)} were given: {function.signature}"
    words = str(error).replace(f"{function.call.__name__}()", f"{function.name}()")
    return f"{function.name}: {words}" if function.name not in words else words


_TABLE: dict[tuple[str, str], Function] = {}
_METHODS: dict[tuple[str, bool], Function] = {}
_ATTRIBUTES: dict[str, Function] = {}
#: Every function, in order of declaration.
FUNCTIONS: list[Function] = []


def register(function: Function) -> Function:
    """Enter a function under all its spellings; each may be taken once."""
    FUNCTIONS.append(function)
    for spelling in function.spellings:
        _enter(function, spelling)
    return function


def _enter(function: Function, spelling: str) -> None:
    if spelling.startswith("@"):
        _claim(_ATTRIBUTES, spelling[1:], function)
    elif spelling.startswith("."):
        name, _, face = spelling[1:].partition("@")
        for torch in (False, True):
            if face in ("", "torch" if torch else "numpy"):
                _claim(_METHODS, (name, torch), function)
    else:
        module, _, name = spelling.rpartition(".")
        _claim(_TABLE, (module, name), function)


def _claim(table: dict[Any, Function], key: Any, function: Function) -> None:
    if key in table:
        raise AssertionError(f"{key} is declared twice: {table[key].name} and {function.name}")
    table[key] = function


def spelled(name: str, where: str, also: Iterable[str] = ()) -> tuple[str, ...]:
    """Spellings of `name`: `where` is of the words numpy, torch, method, linalg, F, scipy, bare; `also` adds others."""
    places = {
        "numpy": (f"numpy.{name}",),
        "torch": (f"torch.{name}",),
        "method": (f".{name}",),
        "linalg": (f"numpy.linalg.{name}", f"torch.linalg.{name}", f"scipy.linalg.{name}"),
        "F": (f"torch.nn.functional.{name}",),
        "scipy": (f"scipy.special.{name}",),
        "bare": (name,),
    }
    found = [spelling for word in where.split() for spelling in places[word]]
    return (*found, *also)


def function(
    name: str | None = None,
    *,
    family: str,
    where: str = "numpy torch method",
    also: Iterable[str] = (),
    op: Op | None = None,
    derivative: str = "",
    views: bool = False,
    domain: tuple[float, float] = (-2.0, 2.0),
    cases: tuple[Case, ...] = (),
    differentiable: bool = True,
) -> Callable[[Callable[..., Any]], Function]:
    """Decorator: make a Python function over core values a function of the language; its docstring's first line is its
    documentation. `where` says which modules have it under its own name (see `spelled`)."""

    def declare(call: Callable[..., Any]) -> Function:
        own = name or call.__name__.rstrip("_")
        doc = (call.__doc__ or "").strip().split("\n")[0]
        return register(
            Function(
                own,
                call,
                family=family,
                doc=doc,
                op=op,
                derivative=derivative,
                spellings=spelled(own, where, also),
                views=views,
                domain=domain,
                cases=cases,
                differentiable=differentiable,
            )
        )

    return declare


def elementwise_function(
    op: Op,
    *,
    parameters: tuple[str, ...] = ("x",),
    floats: bool = True,
    where: str = "numpy torch method",
    also: Iterable[str] = (),
    derivative: str = "",
    domain: tuple[float, float] = (-2.0, 2.0),
    cases: tuple[Case, ...] = (),
    family: str = "elementwise",
) -> Function:
    """The function of an elementwise op. With `floats`, integers become floats first, as sine's do."""
    arity = len(parameters)

    def call(*xs: Any, **named: Any) -> CoreValue:
        if named:
            xs = (*xs, *(named.pop(p) for p in parameters[len(xs) :] if p in named))
        if named or len(xs) != arity:
            raise TypeError(f"takes {arity} arguments")
        return bind(op, *operands(xs, floats))

    made = Function(
        op.name,
        call,
        family=family,
        doc=op.doc,
        op=op,
        derivative=derivative,
        spellings=spelled(op.name, where, also),
        parameters=parameters,
        domain=domain,
        cases=cases,
        differentiable=op.kind != "constant",
    )
    made.plain = True
    return register(made)


def is_plain_unary(function: Function) -> bool:
    """Whether a function is its elementwise op and nothing more, on floats."""
    return function.plain and len(function.parameters) == 1


def operands(xs: tuple[Any, ...], floats: bool) -> list[CoreValue]:
    """Arguments of an elementwise function as operands: lists become arrays, and so do numbers when all are numbers."""
    for x in xs:
        if not hasattr(x, "dtype") or x.dtype.kind not in "fc":
            break
    else:  # floats alone, as nearly always
        return list(xs)
    found = [as_core(x) if isinstance(x, list | tuple) else x for x in xs]
    if not any(hasattr(x, "dtype") for x in found):
        found = [as_core(x) for x in found]
    if floats and not any(_is_floating(x) for x in found):
        found = [to_float(x) for x in found]
    return found


def _is_floating(x: CoreValue) -> bool:
    return x.dtype.kind in "fc" if hasattr(x, "dtype") else isinstance(x, float | complex)


def to_float(x: CoreValue) -> CoreValue:
    """`x` in the default float dtype, if it is of integers or bools."""
    if not hasattr(x, "dtype"):
        return x
    return OPERATORS["astype"](x, state.default_float) if x.dtype.kind in "iub" else x


def as_core(x: Any) -> CoreValue:
    """An argument as a core value: numbers and (nested) lists become arrays, lists of traced values a stack.

    Raises:
        ArgumentError: it is no number, array or list of them, or the list is ragged.
    """
    if isinstance(x, Value | np.ndarray | np.generic):
        return x
    if isinstance(x, bool):
        return np.asarray(x)
    if isinstance(x, int):
        return np.asarray(x, dtype=np.int64)
    if isinstance(x, float):
        return np.asarray(x, dtype=state.default_float)
    if isinstance(x, complex):
        return np.asarray(x, dtype=np.result_type(state.default_float, np.complex64))
    if isinstance(x, list | tuple | range):
        return _from_list(list(x))
    raise ArgumentError(f"expected a number, a tensor or a list of them, not {type(x).__name__}")


def _from_list(items: list[Any]) -> CoreValue:
    if _plain(items):
        return _from_numbers(items)
    parts = [as_core(x) for x in items]
    shapes = {tuple(p.shape) for p in parts}
    if len(shapes) > 1:
        raise _ragged(shapes)
    if state.recording is not None or any(isinstance(p, Value) for p in parts):
        return OPERATORS["stack"](parts, 0)
    return np.array(parts)


def _plain(items: list[Any]) -> bool:
    """Whether a nested list holds Python's numbers alone."""
    return all(isinstance(x, int | float | complex) or (isinstance(x, list | tuple) and _plain(list(x))) for x in items)


def _from_numbers(items: list[Any]) -> np.ndarray[Any, Any]:
    """A nested list of Python's numbers as an array; one float among integers makes all floats."""
    if not items:
        return np.zeros(0, dtype=state.default_float)
    try:
        made = np.array(items)
    except ValueError:
        parts = [as_core(x) for x in items]
        raise _ragged({tuple(p.shape) for p in parts}) from None
    if made.dtype.kind == "f":
        return made.astype(state.default_float, copy=False)
    if made.dtype.kind == "c":
        return made.astype(np.result_type(state.default_float, np.complex64), copy=False)
    if made.dtype.kind not in "bi":
        raise ArgumentError("an integer of the list does not fit in 64 bits", mend="write it as a float")
    return made


def _ragged(shapes: set[tuple[int, ...]]) -> ArgumentError:
    if len(shapes) < 2:
        return ArgumentError("a list nested too deeply is no array", mend="arrays have at most 64 axes")
    first, second = sorted(shapes, key=lambda s: (len(s), s))[:2]
    return ArgumentError(
        f"a list of unequal parts is no array: shapes {list(first)} and {list(second)}",
        mend="make all rows equally long",
    )


def lookup(module: str, name: str) -> Function | None:
    """What `name` means in `module`; "" is a bare name in a program."""
    _load_all()
    if module == "":
        for place in BARE:
            found = _in_module(place, name)
            if found is not None:
                return found
        return None
    return _in_module(_SAME.get(module, module), name)


def _in_module(module: str, name: str) -> Function | None:
    found = _TABLE.get((module, name))
    if found is None and module == "math" and name in _MATH:
        found = _TABLE.get(("numpy", name)) or _TABLE.get(("torch", name))
    return found


def method(name: str, torch: bool) -> Function | None:
    """The method `name` of a tensor."""
    _load_all()
    return _METHODS.get((name, torch))


def attribute(name: str, torch: bool) -> Function | None:
    """The computed attribute `name` of a tensor, such as `T`."""
    _load_all()
    return _ATTRIBUTES.get(name)


def names(module: str) -> Iterator[str]:
    """All names in `module` ("" for every name that may stand bare, ".": methods and attributes)."""
    _load_all()
    if module == ".":
        yield from {name for name, _ in _METHODS} | set(_ATTRIBUTES)
        return
    places = BARE if module == "" else (_SAME.get(module, module),)
    for place, name in _TABLE:
        if place in places:
            yield name


def modules() -> frozenset[str]:
    """Modules that have functions."""
    _load_all()
    return frozenset(place for place, _ in _TABLE if place) | frozenset(_SAME) | {"math"}


def _load_all() -> None:
    import gradcli.ops  # noqa: F401  (declares every family)
