"""Every function of the table, at every call its declaration names: value, shape rule, derivatives, dtypes.

The checks are plain functions that return what is wrong as a list of sentences, so that the last test here can ask
whether they would notice: it turns the sign of one rule after another and expects a sentence.
"""

from __future__ import annotations

import gc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import chain, combinations, islice, repeat
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from mpmath import libmp

import gradcli.ops
from gradcli.autodiff import grad, jacfwd, jacrev, jvp, vjp
from gradcli.autodiff.batch import Batched, BatchLevel
from gradcli.autodiff.levels import opened
from gradcli.graph.bind import bind, infer
from gradcli.graph.node import PICK
from gradcli.graph.op import Op
from gradcli.graph.recording import Recording
from gradcli.graph.state import state
from gradcli.graph.values import Spec
from gradcli.ops.determinants import COFACTORS, SECOND_COFACTORS
from gradcli.ops.elementwise import arcsinh, conj, exp, imag, real, sgn, sigmoid, tanh
from gradcli.ops.elementwise.trigonometry import sech_squared
from gradcli.ops.extremes import PICKED_BACK
from gradcli.ops.function import Case, Function, Interval, case
from gradcli.ops.linalg import sample, solve
from gradcli.ops.registry import FUNCTIONS
from gradcli.symbolic.chain import Chain
from gradcli.symbolic.evaluate import Reader
from gradcli.symbolic.lowering import lower

Array = Any

# --- calls -----------------------------------------------------------------------------------------------------------


class Call:
    """One call of a function: its arguments, of which the float arrays can be replaced."""

    def __init__(self, function: Function, spec: Case, number: int) -> None:
        self.function = function
        self.spec = spec
        generator = np.random.default_rng(zlib.crc32(f"{function.name} {number}".encode()))
        self._intervals = _intervals(function)
        self.args = [self._made(a, generator) for a in spec.args]
        self.kwargs = dict(spec.kwargs)
        self.floats = [x for x in _leaves([self.args, self.kwargs]) if _is_float(x)]

    def _made(self, a: Any, generator: np.random.Generator) -> Any:
        if isinstance(a, tuple) and all(type(n) is int and n >= 0 for n in a):
            return np.asarray(generator.uniform(*next(self._intervals), a))
        return a

    def __repr__(self) -> str:
        return f"{self.function.name}{self.spec!r}".replace("case", "")

    def result(self, *floats: Any) -> Any:
        """What the function returns, its float arrays replaced by those given."""
        given = iter(floats or self.floats)
        args, kwargs = _replaced([self.args, self.kwargs], given)
        state.generator = np.random.default_rng(7)
        return self.function(*args, **kwargs)

    def __call__(self, *floats: Any) -> list[Any]:
        """The float results alone, flat."""
        return [y for y in _leaves(self.result(*floats)) if getattr(getattr(y, "dtype", None), "kind", "") == "f"]


def _intervals(function: Function) -> Iterator[Interval]:
    """Where each random value of a call lies, one after another; the last interval holds for all that follow."""
    domain: Any = function.domain
    if not isinstance(domain[0], tuple):
        return repeat(domain)
    return chain(domain, repeat(domain[-1]))


def _is_float(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, list | tuple):
        for part in tree:
            yield from _leaves(part)
    elif isinstance(tree, dict):
        for part in tree.values():
            yield from _leaves(part)
    else:
        yield tree


def _replaced(tree: Any, given: Iterator[Any]) -> Any:
    if isinstance(tree, list | tuple):
        return type(tree)(_replaced(part, given) for part in tree)
    if isinstance(tree, dict):
        return {key: _replaced(part, given) for key, part in tree.items()}
    return next(given) if _is_float(tree) else tree


def _default_cases(function: Function) -> list[Case]:
    """What any elementwise function must take."""
    op, arity = function.op, len(function.parameters) - len(function.call.__defaults__ or ())
    if op is None or not op.promotes or op.kind == "linear" or (op.partials and len(op.partials) != arity):
        return []
    if function.name.startswith(("bitwise", "invert")):
        return [case(*[np.array([5, -3, 0])] * arity), case(*[np.array([True, False])] * arity)]
    shapes: list[Any] = [(), (3,), (2, 3), (0,), (1,)]
    return [*(case(*[shape] * arity) for shape in shapes), case(*_crossed(function, arity))]


def _crossed(function: Function, arity: int) -> list[Any]:
    """Arguments that are not contiguous in memory, across the function's domain."""
    intervals = islice(_intervals(function), arity)
    return [np.linspace(low, high, 14)[1:-1].reshape(4, 3)[::2].T for low, high in intervals]


_PART = np.array([0.5 + 2.0j, -1.0 + 0.5j, 2.0 - 1.0j])
_CURVED = [np.linspace(1.0, 2.0, 9).reshape(3, 3) + np.eye(3), np.linspace(-1.0, 1.0, 9).reshape(3, 3)]


def _extra(name: str, call: Callable[..., Any], *cases: Case) -> Function:
    return Function(name, call, family="extra", doc="", cases=cases)


#: What no function of the table reaches by itself: complex values on the way, and ops that rules alone use.
EXTRA = [
    _extra("real_on_the_way", lambda x: real(x * _PART), case((3,))),
    _extra("imag_on_the_way", lambda x: imag(exp(x * _PART)), case((3,))),
    _extra("conj_on_the_way", lambda x: imag(conj(x * _PART)), case((3,))),
    _extra("complex_sgn", lambda x: imag(sgn(x * _PART + 1)), case((3,))),
    _extra("complex_steps", lambda x: real(tanh(x * _PART) * sigmoid(x * _PART)), case((3,))),
    _extra("complex_arcsinh", lambda x: imag(arcsinh(x * _PART)), case((3,))),
    _extra("complex_quotient", lambda x, y: real(x * _PART / (y + _PART)), case((3,), (3,))),
    _extra("complex_solve", lambda x: imag(solve(x + 1j * np.eye(2), x)), case(_CURVED[0][:2, :2])),
    _extra("picked", lambda x: bind(PICKED_BACK, x, np.array([[2, 0], [1, 1]]), axis=-1), case((2, 3))),
    _extra("sech_squared", sech_squared, case((3,)), case(np.array([0.0, -0.5]))),
    _extra("cofactors", lambda a: bind(COFACTORS, a), case(_CURVED[0]), case(sample(2, 2))),
    _extra(
        "second_cofactors", lambda a, e: bind(SECOND_COFACTORS, a, e), case(*_CURVED), case(sample(2, 2), sample(2))
    ),
]


@cache
def calls(name: str) -> list[Call]:
    """The calls of a function that the tests make."""
    function = next(f for f in TESTED if f.name == name)
    found = [*_default_cases(function), *function.cases]
    return [Call(function, spec, i) for i, spec in enumerate(found)]


TESTED = [*FUNCTIONS, *EXTRA]
NAMES = [f.name for f in TESTED]


# --- value and shape -------------------------------------------------------------------------------------------------

_MODULES = {"numpy": np, "numpy.linalg": np.linalg, "scipy.special": scipy.special, "scipy.linalg": scipy.linalg}


def peer(function: Function) -> Callable[..., Any] | None:
    """The same function in NumPy or SciPy."""
    for spelling in function.spellings:
        module, _, name = spelling.rpartition(".")
        found = getattr(_MODULES.get(module), name, None)
        if callable(found):
            return found
    return None


def _plain(x: Any) -> Any:
    """Lists of integers as tuples, as NumPy wants its axes."""
    return tuple(x) if isinstance(x, list) and all(isinstance(n, int) for n in x) else x


def value_failures(call: Call) -> list[str]:
    """Where a value, its shape or its dtype is not NumPy's."""
    other = peer(call.function)
    if other is None or call.function.family == "random" or call.function.name.startswith("empty"):
        return []
    args = [_plain(a) for a in call.args]
    kwargs = {k: _plain(v) for k, v in call.kwargs.items()}
    try:
        expected = other(*args, **kwargs)
    except (TypeError, np.exceptions.AxisError, ValueError):
        return []  # NumPy doesn't take this form of the call
    found = list(_leaves(call.result()))
    wanted = list(_leaves(expected))
    if len(found) != len(wanted):
        return [f"{call}: {len(found)} results, NumPy has {len(wanted)}"]
    return [f"{call}: {words}" for a, b in zip(found, wanted, strict=True) if (words := difference(a, b, 1e-13, True))]


def difference(found: Any, wanted: Any, tolerance: float, dtypes: bool = False) -> str:
    """How two arrays differ, "" if they don't: relative to the largest element wanted."""
    a, b = np.asarray(found), np.asarray(wanted)
    if a.shape != b.shape:
        return f"shape {a.shape} instead of {b.shape}"
    if dtypes and a.dtype != b.dtype:
        return f"dtype {a.dtype} instead of {b.dtype}"
    if a.dtype.kind in "biu" or a.size == 0:
        return "" if np.array_equal(a, b) else f"{a} instead of {b}"
    finite = b[np.isfinite(b)]
    scale = max(np.max(np.abs(finite), initial=0.0), 1e-2)
    return "" if np.allclose(a, b, rtol=0, atol=tolerance * scale, equal_nan=True) else f"{a} instead of {b}"


def shape_failures(call: Call) -> list[str]:
    """Where an op's shape rule does not say what its value is."""
    found = []
    for node in _nodes(call):
        spec = infer(node.op, tuple(getattr(x, "value", x) for x in node.inputs), node.params)
        for said, value in zip(_specs(spec), _leaves(node.value), strict=True):
            if said.shape != np.shape(value) or said.dtype != value.dtype:
                found.append(f"{call}: {node.op.name} says {said}, is {np.shape(value)} {value.dtype}")
    return found


def _specs(spec: Any) -> tuple[Spec, ...]:
    return (spec,) if isinstance(spec, Spec) else spec


# --- derivatives -----------------------------------------------------------------------------------------------------


def kinked(call: Call) -> bool:
    """Whether some op of the call sits on a kink."""
    for node in _nodes(call):
        if node.op.kink is not None:
            inner = [np.asarray(getattr(x, "value", x)) for x in node.inputs]
            if np.any(node.op.kink(*inner, **node.params)):
                return True
    return False


class Exact:
    """Derivatives of a call by SymPy's partials and 50-digit numbers, from the forward meanings of its ops alone."""

    def __init__(self, call: Call) -> None:
        with Recording() as recording:
            inputs = {f"x{i}": recording.input(f"x{i}", x) for i, x in enumerate(call.floats)}
            outputs = call(*inputs.values())
        lowered = lower(outputs, inputs)
        self.graph = lowered.graph
        self.outputs = lowered.outputs
        self.inputs = [lowered.inputs[name] for name in inputs]
        self._by = [x.index for cells in self.inputs for x in cells.ravel()]

    def values(self) -> list[Array]:
        """The outputs."""
        return [self._numbers([x.index for x in cells.ravel()], cells.shape) for cells in self.outputs]

    def pulled(self, cotangents: list[Array]) -> list[Array]:
        """Cotangents of the inputs."""
        return self._gathered(self._backward(self.outputs, cotangents))

    def pulled_twice(self, weights: list[Array], vectors: list[Array]) -> list[Array]:
        """The Hessian of sum(weights * outputs**2), times vectors."""
        first = self._backward([np.asarray(cells * cells, dtype=object) for cells in self.outputs], weights)
        seeds: dict[int, int] = {}
        for cells, v in zip(self.inputs, vectors, strict=True):
            for x, factor in zip(cells.ravel(), v.ravel(), strict=True):
                if x.index in first:
                    weighted = self.graph.apply("mul", first[x.index], self.graph.number(float(factor)))
                    self._add(seeds, weighted, self.graph.number(1.0))
        return self._gathered(Chain(self.graph, self._by).backward(seeds))

    def jacobian(self) -> list[list[Array]]:
        """`[output][input]`, of shape output + input."""
        chain, one = Chain(self.graph, self._by), self.graph.number(1.0)
        found = []
        for cells in self.outputs:
            rows = [self._gathered(chain.backward({x.index: one})) for x in cells.ravel()]
            columns = [[row[i] for row in rows] for i in range(len(self.inputs))]
            found.append([np.reshape(c, cells.shape + x.shape) for c, x in zip(columns, self.inputs, strict=True)])
        return found

    def _backward(self, outputs: list[Any], cotangents: list[Array]) -> dict[int, int]:
        seeds: dict[int, int] = {}
        for cells, g in zip(outputs, cotangents, strict=True):
            for x, factor in zip(cells.ravel(), np.ravel(g), strict=True):
                self._add(seeds, x.index, self.graph.number(float(factor)))
        return Chain(self.graph, self._by).backward(seeds)

    def _add(self, seeds: dict[int, int], index: int, weight: int) -> None:
        seeds[index] = self.graph.apply("add", seeds[index], weight) if index in seeds else weight

    def _gathered(self, found: dict[int, int]) -> list[Array]:
        nothing = self.graph.number(0.0)
        return [self._numbers([found.get(x.index, nothing) for x in c.ravel()], c.shape) for c in self.inputs]

    def _numbers(self, indices: list[int], shape: tuple[int, ...]) -> Array:
        reader = self.graph.reader(Reader)
        return np.reshape(np.array([libmp.to_float(reader.value(i)) for i in indices], dtype=np.float64), shape)


@cache
def exact(call: Call) -> Exact | None:
    """The oracle's reading of a call; None where the function has a kink."""
    return None if kinked(call) else Exact(call)


@cache
def exact_jacobian(call: Call) -> list[list[Array]] | None:
    """`[output][input]`, of shape output + input; None where the function has a kink."""
    oracle = exact(call)
    return None if oracle is None else oracle.jacobian()


@cache
def exact_hessian_product(call: Call) -> list[Array] | None:
    """The Hessian of sum(weights * results**2), times directions: the tests' own weights and directions."""
    oracle = exact(call)
    if oracle is None:
        return None
    return oracle.pulled_twice(_random_like(oracle.outputs, 3), _random_like(call.floats, 4))


def _random_like(xs: list[Array], seed: int) -> list[Array]:
    generator = np.random.default_rng(seed)
    return [np.asarray(generator.normal(size=np.shape(x))) for x in xs]


def _applied(rows: list[list[Array]], tangents: list[Array]) -> list[Array]:
    return [sum(np.tensordot(part, t, t.ndim) for part, t in zip(row, tangents, strict=True)) for row in rows]


def _pulled(rows: list[list[Array]], cotangents: list[Array]) -> list[Array]:
    columns = zip(*rows, strict=True)
    return [
        sum(np.tensordot(g, part, g.ndim) for part, g in zip(column, cotangents, strict=True)) for column in columns
    ]


def _compared(call: Call, what: str, found: Any, wanted: Any, tolerance: float) -> list[str]:
    return [
        f"{call}: {what}: {words}"
        for a, b in zip(_leaves(found), _leaves(wanted), strict=True)
        if (words := difference(a, b, tolerance))
    ]


@cache
def tolerance_of(call: Call) -> float:
    """How near the oracle a call's results must be, relative to the largest element."""
    dtypes = {node.dtype for node in _nodes(call) if node.dtype.kind in "fc"}
    return max([5e-12, *(8 * float(np.finfo(dtype).eps) for dtype in dtypes)])


def derivative_failures(call: Call) -> list[str]:
    """Where vjp, jvp and the batched Jacobians differ from the oracle or from each other."""
    outputs = [np.asarray(y) for y in call()]
    if not outputs or not call.floats or not call.function.differentiable:
        return []
    tolerance = tolerance_of(call)
    tangents, cotangents = _random_like(call.floats, 1), _random_like(outputs, 2)
    _, moved = jvp(call, call.floats, tangents)
    _, pullback = vjp(call, *call.floats)
    pulled = list(pullback(cotangents))
    left = sum(float(np.sum(g * t)) for g, t in zip(cotangents, moved, strict=True))
    right = sum(float(np.sum(g * t)) for g, t in zip(pulled, tangents, strict=True))
    found = _compared(call, "<g, J t> and <J'g, t>", [left], [right], tolerance)
    positions = tuple(range(len(call.floats)))
    forward, reverse = jacfwd(call, positions)(*call.floats), jacrev(call, positions)(*call.floats)
    found += _compared(call, "jacfwd and jacrev", forward, reverse, tolerance)
    found += _compared(call, "jvp and jacfwd", moved, _applied(forward, tangents), tolerance)
    rows = exact_jacobian(call)
    if rows is not None:
        found += _compared(call, "jvp", moved, _applied(rows, tangents), tolerance)
        found += _compared(call, "vjp", pulled, _pulled(rows, cotangents), tolerance)
    return found


def second_failures(call: Call) -> list[str]:
    """Where second derivatives differ: reverse over reverse, forward over reverse, and differences of the first."""
    outputs = [np.asarray(y) for y in call()]
    if not outputs or not call.floats or not call.function.differentiable or not sum(x.size for x in call.floats):
        return []
    weights = _random_like(outputs, 3)
    positions = tuple(range(len(call.floats)))

    def scalar(*xs: Any) -> Any:
        total: Any = 0.0
        for w, y in zip(weights, call(*xs), strict=True):
            total = total + gradcli.ops.reduction.sum_(y * y * w)
        return total

    gradient = grad(scalar, positions)
    directions = _random_like(call.floats, 4)
    _, forward = jvp(gradient, call.floats, directions)
    _, pullback = vjp(gradient, *call.floats)
    reverse = pullback(tuple(directions))
    tolerance = tolerance_of(call)
    found = _compared(call, "second derivative, forward and reverse", forward, reverse, tolerance)
    wanted = exact_hessian_product(call)
    return found if wanted is None else found + _compared(call, "second derivative", forward, wanted, tolerance)


def float32_failures(call: Call) -> list[str]:
    """Where a float32 call leaves float32, or is far from the float64 one."""
    if not call.floats or any(x.size == 0 for x in call.floats):
        return []
    narrow = [x.astype(np.float32) for x in call.floats]
    wide = [x.astype(np.float64) for x in narrow]
    found = _compared(call, "float32", call(*narrow), call(*wide), 1e-4)
    if call.function.differentiable and (outputs := call(*wide)):
        cotangents = _random_like(outputs, 2)
        _, pullback = vjp(call, *wide)
        _, narrow_pullback = vjp(call, *narrow)
        shares = narrow_pullback([g.astype(y.dtype) for g, y in zip(cotangents, call(*narrow), strict=True)])
        found += _compared(call, "float32 vjp", shares, pullback(cotangents), 1e-3)
        found += [f"{call}: a float32 input's cotangent is {g.dtype}" for g in shares if g.dtype != np.float32]
    return found


def batch_failures(call: Call) -> list[str]:
    """Where an op's batch rule differs from a loop, whichever of its float operands are batched."""
    found = []
    for node in _nodes(call):
        operands = [getattr(x, "value", x) for x in node.inputs]
        spots = [i for i, x in enumerate(operands) if hasattr(x, "dtype") and x.dtype.kind in "fc"]
        for count in range(1, min(len(spots), 3) + 1):
            for chosen in combinations(spots, count):
                found += [f"{call}: {node.op.name} batched in {chosen}: {w}" for w in _batched(node, operands, chosen)]
    return found


def _batched(node: Any, operands: list[Any], chosen: tuple[int, ...], size: int = 3) -> list[str]:
    many = {i: np.stack([operands[i] * (1 + b / 8) for b in range(size)]).astype(operands[i].dtype) for i in chosen}
    with opened(BatchLevel) as level:
        level.size = size
        given = [Batched(level, many[i]) if i in many else x for i, x in enumerate(operands)]
        results = list(_leaves(bind(node.op, *given, **node.params)))
    found = []
    for b in range(size):
        one = [many[i][b] if i in many else x for i, x in enumerate(operands)]
        for y, wanted in zip(results, _leaves(bind(node.op, *one, **node.params)), strict=True):
            found.append(difference(y.value[b], wanted, 1e-6 if wanted.dtype == np.float32 else 1e-12))
    return [words for words in found if words]


def _nodes(call: Call) -> list[Any]:
    with Recording() as recording:
        call.result(*[recording.input(f"x{i}", x) for i, x in enumerate(call.floats)])
    return [node for node in recording.nodes if node.op is not None and node.op is not PICK]


CHECKS = (batch_failures, value_failures, shape_failures, derivative_failures, second_failures, float32_failures)


@pytest.mark.parametrize("name", NAMES)
def test_function(name: str) -> None:
    with np.errstate(all="ignore"):
        found = [words for call in calls(name) for check in CHECKS for words in check(call)]
    assert not found, "\n".join(found)


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_every_function_is_called() -> None:
    assert [name for name in NAMES if not calls(name)] == ["seed"]


# --- would it be noticed? --------------------------------------------------------------------------------------------

Rule = tuple[Op, str, int]


def all_ops() -> list[Op]:
    """Every op there is."""
    return sorted((x for x in gc.get_objects() if isinstance(x, Op)), key=lambda op: op.name)


def _is_nonzero(x: Any) -> bool:
    from gradcli.graph.values import Value

    if x is None:
        return False
    if isinstance(x, tuple | list):
        return any(_is_nonzero(part) for part in x)
    return isinstance(x, Value) or bool(np.any(np.asarray(x) != 0))


@contextmanager
def rules_replaced(op: Op, vjp_: Any, jvp_: Any) -> Iterator[None]:
    """The op with other rules."""
    before = op.vjp, op.jvp
    op.vjp, op.jvp = vjp_ or op.vjp, jvp_ or op.jvp
    try:
        yield
    finally:
        op.vjp, op.jvp = before


def _watched(op: Op, note: Callable[[Rule], None]) -> tuple[Any, Any]:
    """Rules that note which of their operands they gave or took something nonzero."""
    old_vjp, old_jvp = op.vjp, op.jvp

    def new_vjp(g: Any, y: Any, xs: Any, params: Any, wanted: Any) -> Any:
        shares = old_vjp(g, y, xs, params, wanted)
        for i, share in enumerate(shares):
            if wanted[i] and _is_nonzero(share) and not _is_flat(op):
                note((op, "vjp", i))
        return shares

    def new_jvp(tangents: Any, y: Any, xs: Any, params: Any) -> Any:
        t = old_jvp(tangents, y, xs, params)
        if _is_nonzero(t):
            for i, moved in enumerate(tangents):
                if _is_nonzero(moved):
                    note((op, "jvp", i))
        return t

    return old_vjp and new_vjp, old_jvp and new_jvp


def _turned(rule: Rule) -> tuple[Any, Any]:
    """The op's rules with the sign of one operand's part turned."""
    op, mode, i = rule
    old_vjp, old_jvp = op.vjp, op.jvp

    def new_vjp(g: Any, y: Any, xs: Any, params: Any, wanted: Any) -> Any:
        shares = list(old_vjp(g, y, xs, params, wanted))
        if shares[i] is not None:
            shares[i] = -shares[i]
        return shares

    def new_jvp(tangents: Any, y: Any, xs: Any, params: Any) -> Any:
        moved = list(tangents)
        if moved[i] is not None:
            moved[i] = -moved[i] if not isinstance(moved[i], tuple) else tuple(_negative(t) for t in moved[i])
        return old_jvp(moved, y, xs, params)

    return (new_vjp, None) if mode == "vjp" else (None, new_jvp)


def _negative(t: Any) -> Any:
    return None if t is None else -t


def _derivatives(call: Call) -> list[str]:
    return derivative_failures(call) or second_failures(call)


def exercised() -> dict[Rule, list[Call]]:
    """Which calls use which part of which rule."""
    found: dict[Rule, list[Call]] = {}
    current: list[Call] = []

    def note(rule: Rule) -> None:
        users = found.setdefault(rule, [])
        if not users or users[-1] is not current[0]:
            users.append(current[0])

    ops = all_ops()
    before = [(op, op.vjp, op.jvp) for op in ops]
    try:
        for op in ops:
            op.vjp, op.jvp = _watched(op, note)
        for name in NAMES:
            for call in calls(name):
                current[:] = [call]
                _derivatives(call)
    finally:
        for op, vjp_, jvp_ in before:
            op.vjp, op.jvp = vjp_, jvp_
    return found


def _is_flat(op: Op) -> bool:
    """Whether all partial derivatives are 0 by declaration."""
    return bool(op.partials) and all(not callable(p) and p in (0, None) for p in op.partials)


def unnoticed(users: dict[Rule, list[Call]]) -> list[Rule]:
    """The parts of rules whose sign could be turned without a check's saying so."""
    found = []
    for rule, using in users.items():
        own = sorted(using, key=lambda call: call.function.op is not rule[0])
        with rules_replaced(rule[0], *_turned(rule)):
            if not any(_derivatives(call) for call in own[:8]):
                found.append(rule)
    return found


def test_a_turned_sign_is_noticed() -> None:
    """Every rule of every op is used by some call, and none can have its sign turned."""
    with np.errstate(all="ignore"):
        users = exercised()
        assert unnoticed(users) == []
    used = {(op.name, mode) for op, mode, _ in users}
    carrying = [op for op in all_ops() if op.kind != "constant" and op.vjp is not None and not _is_flat(op)]
    assert [(op.name, mode) for op in carrying for mode in ("vjp", "jvp") if (op.name, mode) not in used] == []


def test_rules_are_put_back() -> None:
    op = next(f.op for f in FUNCTIONS if f.name == "sin")
    before = op.vjp, op.jvp
    with pytest.raises(ValueError, match="stop"), rules_replaced(op, max, min):
        raise ValueError("stop")
    assert (op.vjp, op.jvp) == before
