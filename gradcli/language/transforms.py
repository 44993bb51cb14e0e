"""Derivatives as functions of the program's functions: `grad(f)(x)`, `vjp(f, x)`, `hessian(f)(x)` and the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gradcli import autodiff
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
    """A result as a core value or a tree of them.

    Raises:
        ArgumentError: it is None or a text.
    """
    if x is None or isinstance(x, str):
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
    value, pull, *aux = autodiff.vjp(
        differentiable(run, f, {}, None), *primals, has_aux=truth(kwargs.get("has_aux", False))
    )

    def pullback(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        vector = matched("the pullback", args, kwargs, ("vector",), 1)["vector"]
        return language(pull(primal(vector, "the pullback")))

    return (language(value), Builtin("pullback", pullback), *[language(x) for x in aux])


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
    value, push = autodiff.linearize(
        differentiable(run, f, {}, None), *[primal(x, "linearize") for x in args[1:]]
    )

    def pushed(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        if kwargs:
            raise ArgumentError("the linear function takes a tangent for each argument")
        return language(push(*[primal(x, "a tangent") for x in args]))

    return language(value), Builtin("linear", pushed)


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
