"""Function: what a program calls, with its names, its parameters in any module's spelling, and its documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gradcli.graph.errors import ArgumentError, DtypeError, GradcliError
from gradcli.graph.op import Op

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


Interval = tuple[float, float]
#: One interval for every value that a function takes, or one for each.
Domain = Interval | tuple[Interval, ...]


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
        domain: (low, high) of the ordinary points that the tests draw; a tuple of such pairs where the values that the
            function takes differ in it.
        defined: where the function is real and has its derivative, "" for everywhere: of an elementwise function a
            condition of the language in the names of its parameters ("x > 0"), of any other in words.
        kinks: where the derivative jumps or a choice is made, and the value chosen there, in words; "" for nowhere.
        source: where a formula that is not obvious comes from.
        cases: further calls for the tests.
        differentiable: whether it carries a derivative.
        plain: whether it is its elementwise op and nothing more.
        real: whether it is of real numbers alone, and refuses complex ones.
        in_place: whether a program that calls it has its first argument changed, and gets nothing: NumPy's `put`, say.
        updates: of a function that changes arguments beside giving a result (running statistics), what it makes of
            them: called as the function is, it returns a dict of parameter names and new values; or None.
    """

    __slots__ = (
        "_accepted",
        "call",
        "cases",
        "defined",
        "derivative",
        "differentiable",
        "doc",
        "domain",
        "family",
        "in_place",
        "kinks",
        "name",
        "op",
        "parameters",
        "plain",
        "real",
        "source",
        "spellings",
        "updates",
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
        domain: Domain = (-2.0, 2.0),
        defined: str = "",
        kinks: str = "",
        source: str = "",
        cases: tuple[Case, ...] = (),
        differentiable: bool = True,
        in_place: bool = False,
        real: bool = False,
        updates: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        self.name = name
        self.call = call
        self.plain = False
        self.in_place = in_place
        self.real = real
        self.updates = updates
        self.family = family
        self.doc = doc
        self.op = op
        self.derivative = derivative
        self.spellings = spellings
        self.parameters = parameters if parameters is not None else _parameters(call)
        self._accepted = frozenset(p.lstrip("*") for p in self.parameters)
        self.views = views
        self.domain = domain
        self.defined = defined
        self.kinks = kinks
        self.source = source
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
        if self.real:
            self._expect_real((*args, *kwargs.values()))
        try:
            return self.call(*args, **kwargs)
        except GradcliError:
            raise
        except TypeError as error:
            raise ArgumentError(_argument_message(self, args, kwargs, error)) from error
        except (ValueError, IndexError, OverflowError) as error:
            raise ArgumentError(f"{self.name}: {_words(error)}") from error

    def _expect_real(self, values: Iterable[Any]) -> None:
        for x in values:
            if isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c":
                raise DtypeError(f"{self.name} is of real numbers, not complex ones", mend="take real(...) or abs(...)")

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
        """Whether a call may have a keyword; JAX has one more for what is done in place."""
        return self._spelled_here(key) in self._accepted or (self.in_place and key == "inplace")

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


def _words(error: Exception) -> str:
    from gradcli.graph.words import in_our_words

    return in_our_words(error)


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
    words = _words(error).replace(f"{function.call.__name__}()", f"{function.name}()")
    return f"{function.name}: {words}" if function.name not in words else words
