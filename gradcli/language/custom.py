"""Derivatives written by hand: `custom_gradient(f, vjp)`, and JAX's `custom_gradient`, `custom_vjp` and `custom_jvp`.

Whatever the form, the engine gets the function and one rule; see `gradcli.autodiff.custom`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gradcli.autodiff import trees
from gradcli.autodiff.custom import custom_gradient, custom_jvp
from gradcli.graph.errors import ArgumentError, NotDifferentiable
from gradcli.graph.state import state
from gradcli.language.arguments import matched
from gradcli.language.closures import Closure
from gradcli.language.objects import ObjectValue
from gradcli.language.operations import as_index
from gradcli.language.transforms import core_tree, function_of, primal
from gradcli.language.values import (
    Arguments,
    Builtin,
    FunctionValue,
    Keywords,
    LanguageValue,
    UserFunction,
    core,
    language,
)

if TYPE_CHECKING:
    from gradcli.language.machine import Machine

#: A rule over what variables hold: (run, vector, value, arguments) -> vectors, None among them for zeros.
LanguageRule = Callable[["Machine", LanguageValue, LanguageValue, Arguments], LanguageValue]


def _custom_gradient(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`custom_gradient(f, vjp)`: f, differentiated by vjp(g, *args) or vjp(g, y, *args); a cotangent per argument.

    JAX's `custom_gradient(fun)`, of a function that returns (value, vjp), is understood too.
    """
    found = matched("custom_gradient", args, kwargs, ("fun", "vjp"), 1)
    f = function_of("custom_gradient", found["fun"])
    if found.get("vjp") is None:
        return _made(f"custom_gradient({f.name})", _value_of(f), _pulled_by(f), f)
    vjp = function_of("custom_gradient", found["vjp"])

    def rule(run: Machine, g: LanguageValue, y: LanguageValue, args: Arguments) -> LanguageValue:
        takes_value = isinstance(vjp, UserFunction) and _required(vjp) == len(args) + 2
        return run.reenter(vjp, [g, y, *args] if takes_value else [g, *args], {})

    return _made(f"custom_gradient({f.name})", f, rule, f, vjp)


def _required(f: UserFunction) -> int:
    """How many arguments a function needs."""
    spec: ast.arguments = f.node.args
    return len(spec.posonlyargs) + len(spec.args) - len(spec.defaults)


def _value_of(f: FunctionValue) -> FunctionValue:
    """Of a function that returns (value, vjp), the one of the value."""
    found = Builtin(f.name, lambda run, args, kwargs: _pair(f, run.call(f, args, kwargs))[0])
    found.inner = (f,)
    return found


def _pulled_by(f: FunctionValue) -> LanguageRule:
    def rule(run: Machine, g: LanguageValue, y: LanguageValue, args: Arguments) -> LanguageValue:
        # Run again, so that the vjp closes over the values that it is asked for, at whatever level they are.
        vjp = _pair(f, run.reenter(f, args, {}))[1]
        return run.reenter(function_of("custom_gradient", vjp), [g], {})

    return rule


def _pair(f: FunctionValue, found: LanguageValue) -> tuple[LanguageValue, LanguageValue]:
    if not isinstance(found, tuple) or len(found) != 2:
        raise ArgumentError(f"{f.name}() must return a pair here", mend="as in custom_gradient(f, vjp), give both")
    return found


def _made(
    name: str, f: FunctionValue, rule: LanguageRule, *inner: LanguageValue, forward: bool = False
) -> FunctionValue:
    """The function that has the rule for its derivative."""

    def call(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        return _called(run, name, f, rule, args, kwargs, forward)

    made = Builtin(name, call)
    made.inner = inner
    return made


def _called(
    run: Machine,
    name: str,
    f: FunctionValue,
    rule: LanguageRule,
    args: Arguments,
    kwargs: Keywords,
    forward: bool,
) -> LanguageValue:
    _expect_all_given(run, name, f)
    varying = [i for i, x in enumerate(args) if _is_numeric(x)]
    given = [primal(args[i], name) for i in varying]

    def all_of(values: Any) -> Arguments:
        found = list(args)
        for i, x in zip(varying, values, strict=True):
            found[i] = language(x)
        return found

    def value(*values: Any) -> Any:
        return core_tree(run.reenter(f, all_of(values), kwargs), f.name)

    def by_rule(vector: Any, y: Any, *values: Any) -> Any:
        if forward:
            vector = _with_zeros(args, varying, vector)
        found = rule(run, language(vector), language(y), all_of(values))
        if forward:
            return _vectors(found, name)
        return tuple(_vectors(x, name) for x in _of_varying(found, varying, len(args), name))

    engine = custom_jvp if forward else custom_gradient
    return language(engine(value, by_rule)(*given))


def _expect_all_given(run: Machine, name: str, f: FunctionValue) -> None:
    """Refuse a function that reads what is being differentiated around it: its rule has no cotangent for that.

    Raises:
        NotDifferentiable: it does.
    """
    if state.recording is not None:
        return
    read = Closure(f, run.scopes).differentiated()
    if read is not None:
        raise NotDifferentiable(
            f"{name}: the function reads {read!r}, by which a derivative is taken, and its rule gives none by it",
            mend=f"make {read} an argument, or have it read a constant made outside: c = stop_gradient({read})",
        )


def _is_numeric(x: LanguageValue) -> bool:
    leaves = [leaf for leaf in trees.leaves(x) if leaf is not None]
    return bool(leaves) and not any(isinstance(leaf, str | bool | FunctionValue) for leaf in leaves)


def _with_zeros(args: Arguments, varying: list[int], tangents: Any) -> tuple[Any, ...]:
    """Tangents of all arguments: 0 for one that is no number."""
    parts = dict(zip(varying, tangents, strict=True))
    return tuple(parts.get(i, 0.0) for i in range(len(args)))


def _of_varying(found: LanguageValue, varying: list[int], count: int, name: str) -> list[LanguageValue]:
    """Of one cotangent per argument (bare, where there is one argument), those of the arguments that have one."""
    if count == 1 and not (isinstance(found, tuple) and len(found) == 1):
        found = (found,)
    if not isinstance(found, list | tuple) or len(found) != count:
        raise ArgumentError(
            f"{name}: the derivative must return {count} cotangents, one for each argument", mend="None stands for zero"
        )
    return [found[i] for i in varying]


def _vectors(x: LanguageValue, what: str) -> Any:
    """What a rule returned, as core values; None stays."""
    return trees.mapped(lambda leaf: None if leaf is None else core(leaf, what), x)


# --- jax.custom_vjp, jax.custom_jvp ----------------------------------------------------------------------------------


class CustomFunction(FunctionValue, ObjectValue):
    """A function that waits for its rule, `defvjp(fwd, bwd)` or `defjvp(jvp)`."""

    __slots__ = ("fixed", "function", "made")

    described: ClassVar[str] = "a function with a derivative of its own"

    def __init__(self, name: str, function: FunctionValue, fixed: tuple[int, ...]) -> None:
        self.name = name
        self.function = function
        self.fixed = fixed
        self.made: FunctionValue | None = None

    @property
    def inner(self) -> tuple[LanguageValue, ...]:
        """The functions that it is made of."""
        return (self.function, *((self.made,) if self.made is not None else ()))

    def invoke(self, run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        """Call it.

        Raises:
            ArgumentError: it has no rule yet.
        """
        if self.made is None:
            how = "defvjp(fwd, bwd)" if self.name.startswith("custom_vjp") else "defjvp(jvp)"
            raise ArgumentError(f"{self.name} has no derivative yet", mend=f"give it one with .{how}")
        return run.call(self.made, args, kwargs)


def _defvjp(x: CustomFunction, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("defvjp", args, kwargs, ("fwd", "bwd", "symbolic_zeros", "optimize_remat"), 2)
    fwd, bwd = function_of("defvjp", found["fwd"]), function_of("defvjp", found["bwd"])
    fixed = x.fixed

    def rule(run: Machine, g: LanguageValue, y: LanguageValue, args: Arguments) -> LanguageValue:
        kept = _pair(fwd, run.reenter(fwd, args, {}))[1]
        found = run.reenter(bwd, [*(args[i] for i in fixed), kept, g], {})
        if not isinstance(found, tuple) or len(found) != len(args) - len(fixed):
            raise ArgumentError(f"{bwd.name}() must return a tuple of a cotangent for each argument")
        parts = iter(found)
        return tuple(None if i in fixed else next(parts) for i in range(len(args)))

    x.made = _made(x.name, x.function, rule, fwd, bwd)
    return None


def _defjvp(x: CustomFunction, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("defjvp", args, kwargs, ("jvp", "symbolic_zeros"), 1)
    jvp = function_of("defjvp", found["jvp"])
    fixed = x.fixed

    def rule(run: Machine, tangents: LanguageValue, y: LanguageValue, args: Arguments) -> LanguageValue:
        moving = [i for i in range(len(args)) if i not in fixed]
        parts = tuple(args[i] for i in moving), tuple(tangents[i] for i in moving)
        return _pair(jvp, run.reenter(jvp, [*(args[i] for i in fixed), *parts], {}))[1]

    x.made = _made(x.name, x.function, rule, jvp, forward=True)
    return jvp


def _defjvps(x: CustomFunction, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`defjvps(*jvps)`: for each argument jvp(tangent, value, *args), or None; they are added up."""
    jvps = [None if f is None else function_of("defjvps", f) for f in args]

    def rule(run: Machine, tangents: LanguageValue, y: LanguageValue, args: Arguments) -> LanguageValue:
        import operator

        found = [
            run.reenter(jvp, [t, y, *args], {}) for t, jvp in zip(tangents, jvps, strict=False) if jvp is not None
        ]
        parts = [core(part, x.name) for part in found]
        total = parts[0] if parts else None
        for part in parts[1:]:
            total = operator.add(total, part)
        return None if total is None else language(total)

    x.made = _made(x.name, x.function, rule, *[f for f in jvps if f is not None], forward=True)
    return None


CustomFunction.methods = {"defvjp": _defvjp, "defjvp": _defjvp, "defjvps": _defjvps}
#: Their names.
CUSTOM_METHODS: Mapping[str, Any] = CustomFunction.methods


def _waiting(name: str) -> Callable[[Machine, Arguments, Keywords], LanguageValue]:
    def call(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        found = matched(name, args, kwargs, ("fun", "nondiff_argnums"), 1)
        f = function_of(name, found["fun"])
        fixed = found.get("nondiff_argnums", ())
        numbers = fixed if isinstance(fixed, list | tuple) else (fixed,)
        return CustomFunction(f"{name}({f.name})", f, tuple([as_index(i, "nondiff_argnums") for i in numbers]))

    return call


CALLS: dict[str, Callable[[Machine, Arguments, Keywords], Any]] = {
    "custom_gradient": _custom_gradient,
    "custom_jvp": _waiting("custom_jvp"),
    "custom_vjp": _waiting("custom_vjp"),
}
