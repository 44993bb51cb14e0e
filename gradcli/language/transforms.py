"""Derivatives as functions of the program's functions: `grad(f)(x)`, `vjp(f, x)`, `hessian(f)(x)` and the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gradcli import autodiff
from gradcli.autodiff.trees import Constant
from gradcli.graph.errors import ArgumentError, LimitReached
from gradcli.language.arguments import matched
from gradcli.language.modes import MODES
from gradcli.language.numbers import NUMBERS
from gradcli.language.operations import as_index, truth
from gradcli.language.values import (
    DEEPEST_LIST,
    Arguments,
    Builtin,
    FunctionValue,
    Keywords,
    LanguageValue,
    core,
    describe,
    language,
)
from gradcli.tensor import Tensor

if TYPE_CHECKING:
    from gradcli.language.machine import Machine

#: Derivatives of derivatives of ...: the C stack carries each, so they are counted apart from calls.
DEEPEST = 100

Call = Callable[["Machine", Arguments, Keywords], LanguageValue]


def primal(x: LanguageValue, what: str, depth: int = 0) -> Any:
    """An argument to differentiate with respect to, as a core value or a tree of them; numbers become floats."""
    if depth > DEEPEST_LIST:
        raise ArgumentError(f"{what}: a list nests too deeply")
    if isinstance(x, list | tuple):
        parts = [primal(part, what, depth + 1) for part in x]
        return parts if isinstance(x, list) else tuple(parts)
    if isinstance(x, dict):
        return {key: primal(part, what, depth + 1) for key, part in x.items()}
    if x is None and depth:
        return Constant(None)
    if x is None or isinstance(x, str):
        raise ArgumentError(f"{what} is with respect to numbers and tensors, not {describe(x)}")
    found = core(x, what)
    return float(found) if type(found) in NUMBERS and not isinstance(found, complex) else found


def differentiable(
    run: Machine, f: FunctionValue, kwargs: Keywords, varying: Sequence[int] | None
) -> Callable[..., Any]:
    """A function of the program as the engine takes it: core values in, core values out.

    Arguments at `varying` (None: all) come as core values; the others are the program's own and pass untouched.
    """

    def call(*args: Any) -> Any:
        given = [language(x) if varying is None or i in varying else x for i, x in enumerate(args)]
        return core_tree(run.reenter(f, given, kwargs), f.name)

    return call


def core_tree(x: LanguageValue, what: str, depth: int = 0) -> Any:
    """A result as a core value or a tree of them; None or a text in a tree is no leaf of it.

    Raises:
        ArgumentError: it is None or a text itself.
    """
    if x is None or isinstance(x, str):
        if depth:
            return Constant(x)
        raise ArgumentError(
            f"what is differentiated gives numbers, but {what}() gave {describe(x)}",
            mend="does it return its value?" if x is None else None,
        )
    if isinstance(x, list | tuple):
        parts = [core_tree(part, what, depth + 1) for part in x] if depth < DEEPEST_LIST else core(x, what)
        return tuple(parts) if isinstance(x, tuple) else parts
    if isinstance(x, dict) and depth < DEEPEST_LIST:
        return {key: core_tree(part, what, depth + 1) for key, part in x.items()}
    return core(x, what)


#: What others call the function that is transformed.
_FUN = {"fun": "f", "func": "f"}
#: Arguments of JAX's and PyTorch's that change nothing here.
_PASSED_OVER = ("holomorphic", "allow_int", "reduce_axes", "chunk_size", "randomness", "strict")


def _transform(name: str, engine: Callable[..., Any], *, pair: str = "") -> Call:
    """`name(f, argnums=0, has_aux=False)` -> function of f's arguments."""

    def transform(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        found = matched(name, args, _renamed(kwargs), ("f", "argnums", "has_aux", *_PASSED_OVER), 1)
        f = function_of(name, found["f"])
        argnums = _argnums(found.get("argnums", 0))
        has_aux = truth(found.get("has_aux", False))

        def derivative(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
            wanted = (argnums,) if isinstance(argnums, int) else argnums
            varying = [i % len(args) for i in wanted if args and -len(args) <= i < len(args)]
            given = [primal(x, name) if i in varying else x for i, x in enumerate(args)]
            result = engine(differentiable(run, f, kwargs, varying), argnums, has_aux)(*given)
            made = language(result)
            return (made[1], made[0]) if pair == "swapped" else made

        return wrapping(f"{name}({f.name})", derivative, f)

    return transform


def wrapping(name: str, call: Call, *inner: LanguageValue) -> Builtin:
    """A function made of others."""
    made = Builtin(name, call)
    made.inner = inner
    return made


def _renamed(kwargs: Keywords) -> Keywords:
    return {_FUN.get(key, key): value for key, value in kwargs.items()}


def _argnums(x: LanguageValue) -> int | tuple[int, ...]:
    if isinstance(x, list | tuple):
        return tuple([as_index(part, "argnums") for part in x])
    return as_index(x, "argnums")


def function_of(name: str, f: LanguageValue) -> FunctionValue:
    """The function that a transformation is given.

    Raises:
        ArgumentError: it is none.
    """
    if isinstance(f, FunctionValue):
        return f
    raise ArgumentError(f"{name}() takes a function, not {describe(f)}", mend="such as a def, a lambda or sin")


def _vjp(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    if not args or kwargs.keys() - {"has_aux"}:
        raise ArgumentError("vjp() takes a function and where to take it: vjp(f, x)")
    f = function_of("vjp", args[0])
    primals = [primal(x, "vjp") for x in args[1:]]
    has_aux = truth(kwargs.get("has_aux", False))
    kept = _KeptRun(run, f, primals, lambda g, *xs: autodiff.vjp(g, *xs, has_aux=has_aux))
    value, _, *aux = kept.made

    def pullback(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        vector = matched("the pullback", args, kwargs, ("vector",), 1)["vector"]
        with kept.here() as made:
            return language(made[1](primal(vector, "the pullback")))

    return (language(value), kept.function("pullback", pullback), *[language(x) for x in aux])


class _KeptRun:
    """A run of a function that is kept with its derivative, and taken anew where it stands at other values.

    What runs again (`checkpoint`) finds here what the run closes over, and puts its own values in place meanwhile: see
    `gradcli.language.closures`.

    Attributes:
        made: what the engine made of the function where it was taken.
    """

    def __init__(self, run: Machine, f: FunctionValue, primals: list[Any], engine: Callable[..., Any]) -> None:
        from gradcli.language.closures import Closure

        self._engine, self._call = engine, differentiable(run, f, {}, None)
        self._closure = Closure(f, run.scopes)
        self.made: tuple[Any, ...] = engine(self._call, *primals)
        self._held: dict[str, LanguageValue] = {
            "primals": [language(x) for x in primals],
            "around": [Tensor(x) for x in self._closure.tracked],
        }
        self._at = self._held["primals"]

    def function(self, name: str, call: Call) -> Builtin:
        """A function that reads this."""
        found = Builtin(name, call)
        found.held = self._held
        return found

    @contextmanager
    def here(self) -> Iterator[tuple[Any, ...]]:
        """What the engine makes of the function at the values that stand in place now."""
        if self._held["primals"] is self._at:
            yield self.made
            return
        primals = [primal(x, "a derivative that is kept") for x in self._held["primals"]]
        with self._closure.restored([x.value for x in self._held["around"]]):
            yield self._engine(self._call, *primals)


def _jvp(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("jvp", args, _renamed(kwargs), ("f", "primals", "tangents", "has_aux", "strict"), 3)
    f = function_of("jvp", found["f"])
    primals, tangents = (_listed(found[key]) for key in ("primals", "tangents"))
    return language(
        autodiff.jvp(
            differentiable(run, f, {}, None),
            [primal(x, "jvp") for x in primals],
            [primal(x, "jvp") for x in tangents],
            has_aux=truth(found.get("has_aux", False)),
        )
    )


def _linearize(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`linearize(f, *primals)`: the value, and the function from tangents to its tangent."""
    if not args or kwargs:
        raise ArgumentError("linearize() takes a function and where to take it: linearize(f, x)")
    f = function_of("linearize", args[0])
    primals = [primal(x, "linearize") for x in args[1:]]
    kept = _KeptRun(run, f, primals, autodiff.linearize)

    def pushed(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        if kwargs:
            raise ArgumentError("the linear function takes a tangent for each argument")
        with kept.here() as made:
            return language(made[1](*[primal(x, "a tangent") for x in args]))

    return language(kept.made[0]), kept.function("linear", pushed)


def _listed(x: LanguageValue) -> Sequence[LanguageValue]:
    return x if isinstance(x, list | tuple) else (x,)


def _hvp(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("hvp", args, _renamed(kwargs), ("f", "primals", "tangents"), 3)
    f = function_of("hvp", found["f"])
    call = differentiable(run, f, {}, None)
    return language(autodiff.hvp(call, primal(found["primals"], "hvp"), primal(found["tangents"], "hvp")))


def _stop_gradient(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    return _stopped(matched("stop_gradient", args, kwargs, ("x",), 1)["x"])


def _stopped(x: LanguageValue, depth: int = 0) -> LanguageValue:
    if isinstance(x, list | tuple) and depth < DEEPEST_LIST:
        parts = [_stopped(part, depth + 1) for part in x]
        return parts if isinstance(x, list) else tuple(parts)
    if isinstance(x, dict) and depth < DEEPEST_LIST:
        return {key: _stopped(part, depth + 1) for key, part in x.items()}
    return x if type(x) in NUMBERS or x is None else language(autodiff.stop_gradient(core(x, "stop_gradient")))


def _jit(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """Nothing is compiled; the function is the same."""
    names = ("f", "static_argnums", "static_argnames", "donate_argnums", "inline")
    return function_of("jit", matched("jit", args, _renamed(kwargs), names, 1)["f"])


def check_depth(depth: int) -> None:
    """See that derivatives do not nest too deeply.

    Raises:
        LimitReached: they do.
    """
    if depth > DEEPEST:
        raise LimitReached(
            "nesting", f"derivatives nest up to {DEEPEST} deep", mend="a derivative of a derivative costs twice as much"
        )


_ENGINES: dict[str, Callable[..., Any]] = {
    "grad": autodiff.grad,
    "value_and_grad": autodiff.value_and_grad,
    "jacobian": autodiff.jacobian,
    "jacfwd": autodiff.jacfwd,
    "jacrev": autodiff.jacrev,
    "hessian": autodiff.hessian,
}
_OTHERS: dict[str, Call] = {
    "vjp": _vjp,
    "jvp": _jvp,
    "hvp": _hvp,
    "linearize": _linearize,
    "stop_gradient": _stop_gradient,
}

#: The transformations by their bare names.
TRANSFORMS: dict[str, FunctionValue] = {
    **{name: Builtin(name, _transform(name, engine)) for name, engine in _ENGINES.items()},
    **{name: Builtin(name, call) for name, call in _OTHERS.items()},
    **{name: MODES[name] for name in ("no_grad", "enable_grad")},
}
#: What `jax` has.
JAX_ONLY: dict[str, LanguageValue] = {
    **{name: TRANSFORMS[name] for name in (*_ENGINES, "vjp", "jvp", "linearize", "stop_gradient")},
    "jit": Builtin("jit", _jit),
}
#: What `torch.func` has.
TORCH_FUNC: dict[str, LanguageValue] = {
    **{name: TRANSFORMS[name] for name in ("grad", "vjp", "jvp", "jacrev", "jacfwd", "hessian", "linearize")},
    "grad_and_value": Builtin("grad_and_value", _transform("grad_and_value", autodiff.value_and_grad, pair="swapped")),
}
