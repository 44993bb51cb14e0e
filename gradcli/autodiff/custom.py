"""Derivatives that the user gives: a function's value stays its own, its derivative is a rule's.

The value is computed apart from all derivatives, and LINK ties it to the arguments: an op that returns its first
operands and differentiates, by the rule, with respect to the others. A rule may be given in either direction. It is
linear in the vectors, so the other direction is its transpose, which reverse mode takes of it.

A recording sees the function's own ops instead: its readers (the oracle above all) take the derivative of those, and so
can tell whether the rule is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradcli.autodiff import trees
from gradcli.autodiff.batch import Batched
from gradcli.autodiff.levels import no_grad
from gradcli.autodiff.linearize import Linearized, zeros
from gradcli.autodiff.vmap import FlatFunction, in_front
from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.recording import Recording
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Spec, Value, dtype_of, is_inexact, shape_of
from gradcli.ops.broadcasting import broadcast_to
from gradcli.ops.kinds import fits, sum_to
from gradcli.ops.operands import as_core

Values = Sequence[CoreValue]
Vectors = Sequence[CoreValue | None]


class Rule:
    """A derivative of some values `ys` by some values `xs`, both flat; a None among vectors is zero.

    A rule has at least one of `vjp` and `jvp` of its own.
    """

    def vjp(self, gs: Values, ys: Values, xs: Values) -> Vectors:
        """Cotangents of the xs from those of the ys."""
        run = Linearized(lambda *ts: _filled(self.jvp(ts, ys, xs), ys), [zeros(x) for x in xs])
        return run.pull(gs)

    def jvp(self, ts: Values, ys: Values, xs: Values) -> Vectors:
        """Tangents of the ys from those of the xs."""
        run = Linearized(lambda *gs: _filled(self.vjp(gs, ys, xs), xs), [zeros(y) for y in ys])
        return run.pull(ts)

    def function(self) -> FlatFunction | None:
        """A function of the xs whose graph has what depends on what; None: there is none."""
        return None

    def depends(self, xs: Values) -> Any:
        """For every y, by every x, which elements depend on which (`gradcli.ops.dependence`); None: it is not known."""
        from gradcli.autodiff.sparse.pattern import pairs_between

        function = self.function()
        return None if function is None else pairs_between(*Linearized(function, xs).graph)


def _filled(vectors: Vectors, of: Values) -> list[CoreValue]:
    return [zeros(x) if v is None else v for v, x in zip(vectors, of, strict=True)]


def linked(rule: Rule, ys: Values, xs: Values) -> list[CoreValue]:
    """The values `ys`, whose derivative by `xs` is what the rule says, and zero by everything else."""
    if not ys or not any(isinstance(x, Value) for x in xs):
        return list(ys)
    found = bind(LINK, *ys, *xs, rule=rule, outputs=len(ys))
    return [found] if len(ys) == 1 else list(found)


def apart(f: Callable[..., Any], args: Sequence[Any], rule: Callable[[Any], Rule], xs: Values) -> Any:
    """`f(*args)`, run without a derivative and linked to `xs` by the rule that is made for a result of its form."""
    span = state.span
    with no_grad():
        result = f(*args)
    state.span = span
    ys = [as_core(y) for y in trees.leaves(result)]
    floats = [i for i, y in enumerate(ys) if is_inexact(y)]
    found = linked(_Selected(rule(result), ys, floats), [ys[i] for i in floats], xs)
    for i, y in zip(floats, found, strict=True):
        ys[i] = y
    return trees.like(result, ys)


def is_differentiated(x: CoreValue) -> bool:
    """Whether a derivative by a value may be being taken, at whatever level."""
    while isinstance(x, Value):
        if type(x) is Batched:
            x = x.value
            continue
        if is_inexact(x) and not isinstance(x.level, Recording) and x.level.id > state.constant_below:
            return True
        x = x.below()  # type: ignore[attr-defined]
    return False


class _Selected(Rule):
    """A rule whose outputs are the floats among a function's; the others' vectors are zeros."""

    def __init__(self, rule: Rule, ys: Values, floats: Sequence[int]) -> None:
        self._rule, self._floats = rule, floats
        self._others = {i: y for i, y in enumerate(ys) if i not in floats}

    def _all(self, given: Values, others: Callable[[CoreValue], CoreValue]) -> list[CoreValue]:
        parts = iter(given)
        count = len(self._floats) + len(self._others)
        return [others(self._others[i]) if i in self._others else next(parts) for i in range(count)]

    def vjp(self, gs: Values, ys: Values, xs: Values) -> Vectors:
        return self._rule.vjp(self._all(gs, zeros), self._all(ys, lambda y: y), xs)

    def jvp(self, ts: Values, ys: Values, xs: Values) -> Vectors:
        found = self._rule.jvp(ts, self._all(ys, lambda y: y), xs)
        return [found[i] for i in self._floats]

    def function(self) -> FlatFunction | None:
        whole = self._rule.function()
        if whole is None:
            return None

        def floats(*xs: CoreValue) -> list[CoreValue]:
            found = whole(*xs)
            return [found[i] for i in self._floats]

        return floats


# --- the op ----------------------------------------------------------------------------------------------------------


def _value(*operands: Any, rule: Rule, outputs: int) -> Any:
    return operands[0] if outputs == 1 else tuple(operands[:outputs])


def _shape(*operands: Any, rule: Rule, outputs: int) -> Any:
    specs = tuple(Spec(shape_of(y), dtype_of(y)) for y in operands[:outputs])
    return specs[0] if outputs == 1 else specs


def _vjp(g: Any, y: Any, operands: Values, params: dict[str, Any], wanted: Sequence[bool]) -> list[CoreValue | None]:
    outputs = params["outputs"]
    ys, xs = operands[:outputs], operands[outputs:]
    shares = params["rule"].vjp(_filled([g] if outputs == 1 else g, ys), ys, xs)
    return [None] * outputs + [_fitted(share, x) for share, x in zip(shares, xs, strict=True)]


def _jvp(tangents: Vectors, y: Any, operands: Values, params: dict[str, Any]) -> Any:
    outputs = params["outputs"]
    ys, xs = operands[:outputs], operands[outputs:]
    given = tangents[outputs:]
    if all(t is None for t in given):
        return None
    found = [_fitted(t, y) for t, y in zip(params["rule"].jvp(_filled(given, xs), ys, xs), ys, strict=True)]
    return found[0] if outputs == 1 else tuple(found)


def _fitted(vector: CoreValue | None, x: CoreValue) -> CoreValue | None:
    if vector is None or not is_inexact(x) or shape_of(vector) == shape_of(x):
        return vector if vector is None or is_inexact(x) else None
    raise ShapeError(
        f"a derivative given by hand has shape {fits(shape_of(vector))} for a value of shape {fits(shape_of(x))}"
    )


def _batch(held: Values, flags: Sequence[bool], params: dict[str, Any], size: int) -> Any:
    outputs = params["outputs"]
    ys = [
        y if flag else broadcast_to(y, (size, *shape_of(y)))
        for y, flag in zip(held[:outputs], flags[:outputs], strict=True)
    ]
    rule = _BatchedRule(params["rule"], outputs, list(flags[outputs:]), size)
    return bind(LINK, *ys, *held[outputs:], rule=rule, outputs=outputs)


class _BatchedRule(Rule):
    """A rule for every example of a batch; `flags` say which of the xs are batches, the ys all are."""

    def __init__(self, rule: Rule, outputs: int, flags: list[bool], size: int) -> None:
        self._rule, self._outputs, self._flags, self._size = rule, outputs, flags, size

    def vjp(self, gs: Values, ys: Values, xs: Values) -> Vectors:
        n = self._outputs

        def one(*values: CoreValue) -> list[CoreValue]:
            gs, ys, xs = values[:n], values[n : 2 * n], values[2 * n :]
            return _filled([_fitted(g, x) for g, x in zip(self._rule.vjp(gs, ys, xs), xs, strict=True)], xs)

        found = in_front(one, [*gs, *ys, *xs], [True] * (2 * n) + self._flags, self._size)
        shapes = [shape_of(x) for x in xs]
        return [
            g if flag else sum_to(g, (1, *shape))[0]
            for g, flag, shape in zip(found, self._flags, shapes, strict=True)
        ]

    def jvp(self, ts: Values, ys: Values, xs: Values) -> Vectors:
        n = self._outputs
        count = len(xs)

        def one(*values: CoreValue) -> list[CoreValue]:
            ts, ys, xs = values[:count], values[count : count + n], values[count + n :]
            return _filled([_fitted(t, y) for t, y in zip(self._rule.jvp(ts, ys, xs), ys, strict=True)], ys)

        return in_front(one, [*ts, *ys, *xs], self._flags + [True] * n + self._flags, self._size)

    def function(self) -> FlatFunction | None:
        one = self._rule.function()
        return None if one is None else lambda *xs: in_front(one, xs, self._flags, self._size)


#: Operands are the values and then the arguments; the parameters are the rule and the number of values.
def _depends(op: Op, operands: Values, y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    outputs = params["outputs"]
    found = params["rule"].depends(operands[outputs:])
    if found is None:
        return None
    links = [
        [None] * outputs + [link if want else None for link, want in zip(row, wanted[outputs:], strict=True)]
        for row in found
    ]
    return links[0] if outputs == 1 else links


LINK = Op(
    "link",
    "general",
    value=_value,
    shape=_shape,
    vjp=_vjp,
    depends=_depends,
    jvp=_jvp,
    batch=_batch,
    torch="Custom",
    doc="A value whose derivative is given by the user.",
)


# --- for the user ----------------------------------------------------------------------------------------------------


class _Given(Rule):
    """A rule as the user writes it: of trees, in one direction."""

    def __init__(self, args: Sequence[Any], result: Any, vjp: Any, jvp: Any) -> None:
        self._args, self._result = args, result
        if vjp is not None:
            self.vjp = self._by(vjp, args, "cotangent")  # type: ignore[method-assign, assignment]
        if jvp is not None:
            self.jvp = self._by(jvp, result, "tangent")  # type: ignore[method-assign, assignment]

    def _by(self, rule: Callable[..., Any], of: Any, what: str) -> Callable[[Values, Values, Values], Vectors]:
        def flat(vectors: Values, ys: Values, xs: Values) -> Vectors:
            value, args = trees.like(self._result, list(ys)), trees.like(tuple(self._args), list(xs))
            given = trees.like(self._result if what == "cotangent" else tuple(self._args), list(vectors))
            return _as_leaves(of, rule(given, value, *args), what)

        return flat


def _as_leaves(tree: Any, found: Any, what: str) -> list[CoreValue | None]:
    """What a rule returned, per leaf of what it stands for; None stands for zeros of all that is below it."""
    if found is None or isinstance(tree, trees.Constant):
        return [None] * len(trees.leaves(tree))
    if isinstance(tree, tuple) and what == "cotangent" and len(tree) == 1 and not isinstance(found, list | tuple):
        found = (found,)
    if isinstance(tree, list | tuple) and isinstance(found, list | tuple):
        if len(found) != len(tree):
            raise ArgumentError(f"a derivative given by hand returns {len(found)} {what}s, and {len(tree)} are due")
        return [leaf for a, b in zip(tree, found, strict=True) for leaf in _as_leaves(a, b, what)]
    if isinstance(tree, dict) and isinstance(found, dict) and found.keys() <= tree.keys():
        return [leaf for key, part in tree.items() for leaf in _as_leaves(part, found.get(key), what)]
    if isinstance(tree, list | tuple | dict) or isinstance(found, list | tuple | dict):
        raise ArgumentError(f"a {what} given by hand must have the form of what it stands for")
    return [as_core(found)]


def custom_gradient(f: Callable[..., Any], vjp: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, whose derivative is `vjp(g, y, *args)`: a cotangent per argument for the result's `g`; None is zero.

    `vjp` must be linear in `g`; forward mode transposes it. What `f` closes over is a constant to any
    derivative; the language refuses a function that closes over what is being differentiated.

    Raises:
        ArgumentError, ShapeError: what `vjp` returns has not the form, or the shapes, of the arguments.
    """
    return _custom(f, vjp, None)


def custom_jvp(f: Callable[..., Any], jvp: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, whose derivative is `jvp(tangents, y, *args)`: the tangent of the result for a tuple of the arguments'.

    `jvp` must be linear in the tangents; reverse mode transposes it.
    """
    return _custom(f, None, jvp)


def _custom(f: Callable[..., Any], vjp: Any, jvp: Any) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        if state.recording is not None:
            return f(*args)
        xs = [as_core(x) for x in trees.leaves(args)]
        given = trees.like(args, xs)
        return apart(f, given, lambda result: _Given(given, result, vjp, jvp), xs)

    return call
