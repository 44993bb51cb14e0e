"""The calls that the table's declarations name, with random values where they ask for some."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from itertools import chain, islice, repeat
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.node import PICK
from gradcli.graph.op import Op
from gradcli.graph.recording import Recording
from gradcli.graph.state import state
from gradcli.ops.carrying import carried_both, carried_over
from gradcli.ops.cofactors import COFACTORS, SECOND_COFACTORS, THIRD_COFACTORS
from gradcli.ops.elementwise import arcsinh, conj, exp, imag, log, real, sgn, sigmoid, sqrt, tanh, where
from gradcli.ops.elementwise.exponentiation import POWER_SLOPE
from gradcli.ops.elementwise.gaussian_units import BELL, GELU_BEND
from gradcli.ops.elementwise.hyperbolic import sech_squared
from gradcli.ops.elementwise.real_operands import real_operand
from gradcli.ops.elementwise.smooth_units import SQUAREPLUS_BEND
from gradcli.ops.extremes import PICKED_BACK
from gradcli.ops.fixed import HELD
from gradcli.ops.function import Case, Function, Interval, case
from gradcli.ops.in_place import OVERWRITE
from gradcli.ops.linalg import sample, solve
from gradcli.ops.one_node import ONE_NODE
from gradcli.ops.probability.changed_variables import WEIBULL
from gradcli.ops.probability.counting_laws import BINOMIAL, NEGATIVE_BINOMIAL, POISSON
from gradcli.ops.probability.gamma_and_beta import BETA, GAMMA
from gradcli.ops.probability.law import Law
from gradcli.ops.probability.power_tails import CAUCHY
from gradcli.ops.registry import FUNCTIONS, load_all
from gradcli.ops.special.incomplete_beta import BETAINC_BY
from gradcli.ops.special.incomplete_gamma import GAMMAINC_BY_A
from gradcli.ops.special.lambert import LAMBERTW_REST
from gradcli.ops.special.normal import HAZARD
from gradcli.ops.special.scaled_bessel import SCALED_KUMMER
from gradcli.ops.vector_norms import UNIT

Array = Any

load_all()


class Call:
    """One call of a function: its arguments, of which the float and complex arrays can be replaced.

    Attributes:
        floats: those arrays, in order.
        drawn: for each of them, the interval that its random values were drawn from; None for one that the case gives.
    """

    def __init__(self, function: Function, spec: Case, number: int, draw: int = 0) -> None:
        self.function = function
        self.spec = spec
        seed = f"{function.name} {number}" + (f" {draw}" if draw else "")
        generator = np.random.default_rng(zlib.crc32(seed.encode()))
        self._intervals = intervals(function)
        self._drawn: dict[int, Interval] = {}
        self.args = [self._made(a, generator) for a in spec.args]
        self.kwargs = dict(spec.kwargs)
        self.floats = [x for x in leaves([self.args, self.kwargs]) if is_floating(x)]
        self.drawn = [self._drawn.get(id(x)) for x in self.floats]

    def _made(self, a: Any, generator: np.random.Generator) -> Any:
        if isinstance(a, tuple) and all(type(n) is int and n >= 0 for n in a):
            interval = next(self._intervals)
            made = np.asarray(generator.uniform(*interval, a))
            self._drawn[id(made)] = interval
            return made
        if type(a) is float:  # a value like the others, not drawn: the next has an interval of its own
            next(self._intervals)
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
        """The float and complex results alone, flat."""
        return [y for y in leaves(self.result(*floats)) if getattr(getattr(y, "dtype", None), "kind", "") in ("f", "c")]

    def at(self, floats: list[Any]) -> Call:
        """The same call with other float arrays."""
        made = object.__new__(Call)
        made.function, made.spec = self.function, self.spec
        made.args, made.kwargs = _replaced([self.args, self.kwargs], iter(floats))
        made.floats = list(floats)
        made.drawn = self.drawn
        return made


def intervals(function: Function) -> Iterator[Interval]:
    """Where each random value of a call lies, one after another; the last interval holds for all that follow."""
    domain: Any = function.domain
    if not isinstance(domain[0], tuple):
        return repeat(domain)
    return chain(domain, repeat(domain[-1]))


def is_floating(x: Any) -> bool:
    """Whether something is an array that can carry a derivative."""
    return isinstance(x, np.ndarray) and x.dtype.kind in "fc"


def leaves(tree: Any) -> Iterator[Any]:
    """What stands in nested lists, tuples and dicts."""
    if isinstance(tree, list | tuple):
        for part in tree:
            yield from leaves(part)
    elif isinstance(tree, dict):
        for part in tree.values():
            yield from leaves(part)
    else:
        yield tree


def _replaced(tree: Any, given: Iterator[Any]) -> Any:
    if isinstance(tree, list | tuple):
        return type(tree)(_replaced(part, given) for part in tree)
    if isinstance(tree, dict):
        return {key: _replaced(part, given) for key, part in tree.items()}
    return next(given) if is_floating(tree) else tree


@lru_cache(maxsize=4)
def _recorded(call: Call) -> list[Any]:
    with Recording() as recording:
        call.result(*[recording.input(f"x{i}", x) for i, x in enumerate(call.floats)])
    return recording.nodes


def nodes(call: Call) -> list[Any]:
    """The ops that run in a call."""
    return [node for node in _recorded(call) if node.op is not None and node.op is not PICK]


def moving_nodes(call: Call) -> list[Any]:
    """The ops whose results move with the call's float arrays: what counts and other data go through has no slope."""
    moving: set[int] = set()
    for node in _recorded(call):
        if "name" in node.params if node.op is None else any(getattr(x, "seq", -1) in moving for x in node.inputs):
            moving.add(node.seq)
    return [node for node in nodes(call) if node.seq in moving]


def complexed(call: Call, which: int | None = None) -> Call:
    """A call with complex arrays for its float ones, or for one of them; a symmetric matrix becomes a Hermitian one."""
    generator = np.random.default_rng(11)
    made = []
    for i, x in enumerate(call.floats):
        part = 1j * generator.uniform(-0.8, 0.8, x.shape)
        made.append(_with_imaginary(x, part) if which in (None, i) else x)
    return call.at(made)


def _with_imaginary(x: Array, part: Array) -> Array:
    if x.ndim > 1 and x.shape[-1] == x.shape[-2] > 1 and np.array_equal(x, x.swapaxes(-1, -2)):
        part = part - part.swapaxes(-1, -2)
    return np.asarray(x + part)


#: How many calls of a function are made with complex numbers.
_COMPLEX = 8


@cache
def complex_calls(name: str) -> list[Call]:
    """Calls of a function with floats, with complex arrays in their place: all at once, and in some calls each by
    itself, which brings complex results to real operands."""
    given = [call for call in calls(name) if any(x.dtype.kind == "f" for x in call.floats)]
    chosen = given if len(given) <= _COMPLEX else given[:: -(-len(given) // _COMPLEX)]
    several = [call for call in given if 1 < len(call.floats) < 4 and all(x.size > 1 for x in call.floats)][:2]
    return [
        *(complexed(call) for call in chosen),
        *(complexed(call, which) for call in several for which in range(len(call.floats))),
    ]


def strided(call: Call) -> Call:
    """A call of the same values, whose arrays are not contiguous in memory, nor in order."""
    return call.at([_turned_in_memory(np.repeat(x[..., None], 2, -1)[..., 0]) for x in call.floats])


def _turned_in_memory(x: Array) -> Array:
    """The same array with its elements in memory from the end."""
    turn = (slice(None, None, -1),) * x.ndim
    return x[turn].copy(order="F")[turn] if x.ndim > 1 else x


# --- which calls a function gets -------------------------------------------------------------------------------------


def arity_of(function: Function) -> int:
    """How many arguments a call must give."""
    return len(function.parameters) - len(function.call.__defaults__ or ())


def is_elementwise(function: Function) -> bool:
    """Whether a function takes any shapes that broadcast, and works on each element alone."""
    op = function.op
    if op is None or not op.promotes or op.kind == "linear":
        return False
    return not op.partials or len(op.partials) == arity_of(function)


def _default_cases(function: Function) -> list[Case]:
    """What any elementwise function must take."""
    if not is_elementwise(function):
        return []
    arity = arity_of(function)
    if function.name.startswith(("bitwise", "invert")):
        return [case(*[np.array([5, -3, 0])] * arity), case(*[np.array([True, False])] * arity)]
    shapes: list[Any] = [(), (3,), (2, 3), (0,), (1,)]
    found = [*(case(*[shape] * arity) for shape in shapes), case(*_crossed(function, arity))]
    return found if arity < 2 else [*found, *_broadcast(function, arity)]


def _broadcast(function: Function, arity: int) -> list[Case]:
    """Arguments of several shapes, and Python's numbers among them."""
    shapes: list[Any] = [(2, 3), (3,), (2, 1)]
    numbers = [low + 0.61 * (high - low) for low, high in islice(intervals(function), arity)]
    mixed = [case(*(shapes[(i + k) % 3] for i in range(arity))) for k in range(2)]
    numbered = [case(*(x if i == k else (3,) for i, x in enumerate(numbers))) for k in range(arity)]
    return [*mixed, *numbered]


def _crossed(function: Function, arity: int) -> list[Any]:
    """Arguments that are not contiguous in memory, across the function's domain."""
    ends = islice(intervals(function), arity)
    return [np.linspace(low, high, 14)[1:-1].reshape(4, 3)[::2].T for low, high in ends]


_PART = np.array([0.5 + 2.0j, -1.0 + 0.5j, 2.0 - 1.0j])
_CURVED = [np.linspace(1.0, 2.0, 9).reshape(3, 3) + np.eye(3), np.linspace(-1.0, 1.0, 9).reshape(3, 3)]


def _extra(name: str, call: Callable[..., Any], *cases: Case) -> Function:
    return Function(name, call, family="extra", doc="", cases=cases)


def _at_the_ends(name: str, law: Law, *operands: list[float]) -> Function:
    """The density of a law at an end of its support or far out, where it falls to 0, beside an ordinary place."""
    first, *others = map(np.array, operands)
    return _extra(f"{name}_at_the_ends", lambda t, *xs: bind(law.weighed, 1.0, 1.0, t, *xs), case(first, *others))


def _logarithm(name: str, law: Law, *operands: list[float]) -> Function:
    """The logarithm of a law, of numbers that count too."""
    return _extra(f"{name}_logarithm", lambda *xs: bind(law.logarithm, *xs), case(*map(np.array, operands)))


def _real(x: Any) -> Any:
    return real_operand("it", x)


_SHAPES = [np.array([0.7, 2.5, 4.0]), np.array([1.5, 0.6, 3.0])]


def _by_parameters(op: Op, shapes: int, **orders: int) -> Function:
    """A derivative by parameters, of some orders, as a function of these and a place between 0 and 1."""
    name = "_".join([op.name, *map(str, orders.values())])
    return _extra(name, lambda x, *xs: bind(op, *xs, x, **orders), case(np.array([0.2, 0.5, 0.9]), *_SHAPES[:shapes]))


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
    _extra("one_node", lambda x, y: bind(ONE_NODE, x * y, x, y, title="Product"), case((3,), (3,))),
    _extra("sech_squared", sech_squared, case((3,)), case(np.array([0.0, -0.5]))),
    _extra("bell", lambda x: bind(BELL, real_operand("bell", x)), case((3,))),
    _extra("gelu_bend", lambda x: bind(GELU_BEND, real_operand("gelu_bend", x)), case((3,))),
    _extra("squareplus_bend", lambda x: bind(SQUAREPLUS_BEND, real_operand("squareplus", x), b=4.0), case((3,))),
    _extra("carried_both", carried_both, case((3,), (3,))),
    _extra("carried_over", carried_over, case((3,), np.array([0.5, -1.5, 2.0]))),
    _extra(
        "guarded_root",
        lambda x: where(x > 0.5, sqrt(x), x * x),
        case(np.array([0.0, 2.0])),
        case(np.array(0.0)),
        case(np.append(np.linspace(1.0, 2.0, 2000), 0.0)),
    ),
    _extra("guarded_logarithm", lambda x: where(x > 0.5, log(x) / x, x), case(np.array([0.0, 2.0]))),
    _extra("guarded_power", lambda x, y: where(x > 0.5, x**y, x), case(np.array([0.0, 2.0]), np.array([0.5, 1.5]))),
    _extra("held", lambda x: bind(HELD, x, 2.0, name="norm", what="order"), case((3,))),
    _extra("hazard", lambda x: bind(HAZARD, x, n=0), case((3,))),
    _extra("hazard_fall", lambda x: bind(HAZARD, x, n=1), case((3,))),
    _extra("lambertw_rest", lambda x: bind(LAMBERTW_REST, x, k=0), case(np.array([-0.25, 0.5, 3.0]))),
    *(_by_parameters(BETAINC_BY, 2, i=i, j=j) for i, j in [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2)]),
    *(_by_parameters(GAMMAINC_BY_A, 1, n=n) for n in (1, 2)),
    _extra("scaled_kummer_0", lambda x: bind(SCALED_KUMMER, 1.5, x, m=1, q=0), case((3,))),
    _extra("scaled_kummer_1", lambda x: bind(SCALED_KUMMER, 2, x, m=0, q=1), case((3,))),
    _extra("scaled_kummer_2", lambda x: bind(SCALED_KUMMER, 2, x, m=0, q=2), case((3,))),
    _extra("power_slope", lambda x, y: bind(POWER_SLOPE, x**y, x, y), case(*_SHAPES)),
    _logarithm("poisson", POISSON, [0.5, 1.5], [2.0, 1.0]),
    _logarithm("binomial", BINOMIAL, [0.25, 0.75], [4.0, 3.0], [3.0, 1.0]),
    _logarithm("negative_binomial", NEGATIVE_BINOMIAL, [0.25, 0.75], [4.0, 2.5], [3.0, 1.0]),
    _logarithm("cauchy", CAUCHY, [-7.6e233, 1.2e223, 0.5], [2.3, 1.2, 3.0]),
    _at_the_ends("cauchy", CAUCHY, [-7.6e233, 1.2e223, 0.5], [2.3, 1.2, 3.0]),
    _at_the_ends("weibull", WEIBULL, [0.0, 0.0, 0.5], [1.5, 0.5, 2.0], [2.5, 3.5, 2.5]),
    _at_the_ends("gamma", GAMMA, [0.0, 0.0, 0.5], [1.5, 0.5, 2.0], [2.5, 3.5, 2.5]),
    _at_the_ends("beta", BETA, [0.0, 1.5, 0.5], [2.0, 1.5, 2.0], [3.5, 2.5, 1.5], [1.5, 3.5, 2.5]),
    _at_the_ends("poisson", POISSON, [0.0, 0.0, 0.5], [3.0, 2.0, 1.0]),
    _at_the_ends("binomial", BINOMIAL, [0.0, 1.0, 0.5], [4.0, 5.0, 3.0], [3.0, 2.0, 1.0]),
    _at_the_ends("negative_binomial", NEGATIVE_BINOMIAL, [1.0, 1.0, 0.5], [4.0, 2.5, 3.0], [3.0, 2.0, 1.0]),
    _extra("overwritten", lambda *xs: bind(OVERWRITE, *map(_real, xs), how="copy"), case((2, 3), (3,))),
    _extra("cofactors", lambda a: bind(COFACTORS, a), case(_CURVED[0]), case(sample(2, 2))),
    _extra(
        "second_cofactors", lambda a, e: bind(SECOND_COFACTORS, a, e), case(*_CURVED), case(sample(2, 2), sample(2))
    ),
    _extra(
        "unit",
        lambda x: bind(UNIT, x, axis=(-1,)),
        case((3,)),
        case(np.arange(1.0, 40.0)),
        case(np.array([[0.5 + 2.0j, -1.0 + 0.5j], [0.25j, 1.0]])),
    ),
    _extra(
        "third_cofactors",
        lambda a, e, f: bind(THIRD_COFACTORS, a, e, f),
        case(sample(3), _CURVED[0] / 4, _CURVED[1] / 4),
        case(sample(4), sample(4, seed=1), sample(4, seed=2)),
    ),
]

TESTED = [*FUNCTIONS, *EXTRA]
NAMES = [f.name for f in TESTED]
BY_NAME = {f.name: f for f in TESTED}


def specs(function: Function) -> list[Case]:
    """The cases that a function is called with."""
    return [*_default_cases(function), *function.cases]


@cache
def calls(name: str) -> list[Call]:
    """The calls of a function that the tests make."""
    function = BY_NAME[name]
    return [Call(function, spec, i) for i, spec in enumerate(specs(function))]
