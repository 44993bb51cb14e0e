"""The table of functions: how one is declared, and what each name means in which module.

A spelling is `module.name` ("numpy.sum", "torch.sum", "scipy.special.expit"), `.name` for a method (`.sum`,
`.max@torch` or `.max@numpy` where the two differ), `@T` for an attribute, or a bare `name` that no module has ("ln").
A bare name in a program is looked up in the order of `BARE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.function import Case, Domain, Function
from gradcli.ops.lax_names import LAX
from gradcli.ops.on_demand import DECLARED_IN
from gradcli.ops.operands import operands
from gradcli.ops.stats_names import DISTRIBUTIONS

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
    "numpy.fft",
    "scipy.fft",
    "scipy.signal",
    "math",
)
_SAME = {
    "jax.numpy": "numpy",
    "jax.numpy.fft": "numpy.fft",
    "jax.numpy.linalg": "numpy.linalg",
    "jax.scipy.fft": "scipy.fft",
    "jax.scipy.integrate": "scipy.integrate",
    "jax.scipy.signal": "scipy.signal",
    "jax.scipy.special": "scipy.special",
    "jax.scipy.linalg": "scipy.linalg",
    **{f"jax.scipy.stats.{name}": f"scipy.stats.{name}" for name in DISTRIBUTIONS},
}
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


def name_in(spelling: str) -> str:
    """The name by which a spelling is looked up."""
    if spelling.startswith("@"):
        return spelling[1:]
    return spelling[1:].partition("@")[0] if spelling.startswith(".") else spelling.rpartition(".")[2]


def _enter(function: Function, spelling: str) -> None:
    name = name_in(spelling)
    if spelling.startswith("@"):
        _claim(_ATTRIBUTES, name, function)
    elif spelling.startswith("."):
        face = spelling.partition("@")[2]
        for torch in (False, True):
            if face in ("", "torch" if torch else "numpy"):
                _claim(_METHODS, (name, torch), function)
    else:
        _claim(_TABLE, (spelling.rpartition(".")[0], name), function)


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
    domain: Domain = (-2.0, 2.0),
    defined: str = "",
    kinks: str = "",
    source: str = "",
    cases: tuple[Case, ...] = (),
    differentiable: bool = True,
    in_place: bool = False,
    real: bool = False,
    updates: Callable[..., dict[str, Any]] | None = None,
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
                defined=defined,
                kinks=kinks,
                source=source,
                cases=cases,
                differentiable=differentiable,
                in_place=in_place,
                real=real,
                updates=updates,
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
    domain: Domain = (-2.0, 2.0),
    defined: str = "",
    kinks: str = "",
    source: str = "",
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
        defined=defined,
        kinks=kinks,
        source=source,
        cases=cases,
        differentiable=op.kind != "constant",
    )
    made.plain = True
    return register(made)


def is_plain_unary(function: Function) -> bool:
    """Whether a function is its elementwise op and nothing more, on floats."""
    return function.plain and len(function.parameters) == 1


def lookup(module: str, name: str) -> Function | None:
    """What `name` means in `module`; "" is a bare name in a program."""
    if module == "jax.lax" and name in LAX:
        module, name = LAX[name]
    _load_for(name)
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


def known(module: str, name: str) -> Function:
    """`lookup` of a function that gradcli itself calls by its name.

    Raises:
        LookupError: the table lacks it.
    """
    return _there(lookup(module, name), name)


def known_method(name: str, torch: bool) -> Function:
    """`method` of a name that gradcli itself calls.

    Raises:
        LookupError: the table lacks it.
    """
    return _there(method(name, torch), name)


def _there(found: Function | None, name: str) -> Function:
    if found is None:
        raise LookupError(f"the op table lacks {name}")
    return found


def method(name: str, torch: bool) -> Function | None:
    """The method `name` of a tensor."""
    _load_for(name)
    return _METHODS.get((name, torch))


def attribute(name: str) -> Function | None:
    """The computed attribute `name` of a tensor, such as `T`."""
    _load_for(name)
    return _ATTRIBUTES.get(name)


def names(module: str) -> Iterator[str]:
    """All names in `module` ("" for every name that may stand bare, ".": methods and attributes)."""
    load_all()
    if module == ".":
        yield from {name for name, _ in _METHODS} | set(_ATTRIBUTES)
        return
    places = BARE if module == "" else (_SAME.get(module, module),)
    for place, name in _TABLE:
        if place in places:
            yield name


def modules() -> frozenset[str]:
    """Modules that have functions."""
    load_all()
    return frozenset(place for place, _ in _TABLE if place) | frozenset(_SAME) | {"math"}


def load_all() -> None:
    """Declare every family, those too that are loaded on demand."""
    import pkgutil

    import gradcli.ops

    for module in pkgutil.walk_packages(gradcli.ops.__path__, "gradcli.ops."):
        import_module(module.name)


def _load_for(name: str) -> None:
    """Declare every family that has `name`: whatever was loaded before, a name means the same."""
    _load("")
    families = DECLARED_IN.get(name)
    if families is not None:
        _load(families)


@cache
def _load(families: str) -> None:
    """Import modules of this package, named with blanks between, and before them those that are always there."""
    for family in ("", *families.split()):
        import_module(f"gradcli.ops.{family}".rstrip("."))
