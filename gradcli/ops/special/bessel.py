"""Bessel functions of any fixed order: J, Y, I and K, the scaled I and K, and the spherical J.

They are differentiated by their argument. The order is an operand too, as it broadcasts, but carries no derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, NotDifferentiable
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.arguments import integer
from gradcli.ops.elementwise import absolute, less, sign, where
from gradcli.ops.function import Function, case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function, register, spelled
from gradcli.ops.special.bessel_values import (
    SMOOTH_ORDER,
    by_powers,
    ie_near,
    ie_slope,
    ie_whole,
    is_far,
    is_near,
    is_smooth,
    j_far,
    k_by_integral,
    k_by_orders,
    k_far,
    k_scaled_slope,
    scaled_kummer,
    y_far,
)
from gradcli.ops.special.turns import SINE_OVER
from gradcli.ops.special.values import Array, pieces, real, real_or_complex, scipy_


def fixed_order(name: str) -> Callable[..., CoreValue]:
    """The partial derivative by an order: it is refused."""

    def partial(*_: Any, **__: Any) -> CoreValue:
        raise NotDifferentiable(
            f"{name} is not differentiable in its order",
            mend="choose the other inputs with --wrt, or detach() the order",
        )

    return partial


def _of_order(n: float) -> Callable[..., Array]:
    return lambda v, x: v == n


def _unary(name: str) -> Callable[..., Array]:
    formula = scipy_(name)
    return lambda v, x: formula(x)


def _of_complex(name: str) -> Callable[..., Array]:
    """The function of a real order and a complex argument."""
    formula = scipy_(name)
    return lambda v, z: formula(v.real, z)


_j = pieces(
    (is_near, lambda v, x: by_powers(v, x, -1.0)),
    (is_far, j_far),
    (_of_order(0), _unary("j0")),
    (_of_order(1), _unary("j1")),
    last=scipy_("jv"),
)
_y = pieces(
    (lambda v, x: is_far(v, x) & (x > 0), y_far),
    (_of_order(0), _unary("y0")),
    (_of_order(1), _unary("y1")),
    last=scipy_("yv"),
)
_i = pieces(
    (is_near, lambda v, x: by_powers(v, x, 1.0)),
    (_of_order(0), _unary("i0")),
    (_of_order(1), _unary("i1")),
    last=scipy_("iv"),
)
_ie = pieces(
    (is_near, ie_near),
    (lambda v, x: (v == 1) & (np.abs(x) >= 8), _unary("i1e")),
    (lambda v, x: is_smooth(v, x) | (v == 1), ie_whole),
    last=scipy_("ive"),
)


def _is_between(v: Array, x: Array) -> Array:
    """Where SciPy's K of order 0 loses digits."""
    return (v == 0) & (x >= 0.1) & (x < 25)


_k = pieces(
    (_is_between, lambda v, x: np.exp(-x) * k_by_integral(v, x)),
    (_of_order(0), _unary("k0")),
    (_of_order(1), _unary("k1")),
    last=scipy_("kv"),
)
_ke = pieces(
    (lambda v, x: is_far(v, x) & (x > 0), k_far),
    (_is_between, k_by_integral),
    (lambda v, x: (v == 0) & (x > 1e-300), scipy_("kve")),
    (_of_order(0), _unary("k0e")),
    (_of_order(1), _unary("k1e")),
    last=scipy_("kve"),
)


def _node(nothing: str, one: str) -> Callable[..., Any]:
    """PyTorch's node, by the order: of x alone, as its functions have no order."""
    return lambda operands, params: (f"{one if type(operands[0]) is int and operands[0] else nothing}Backward0", (1,))


def _whole_reflected(formula: Callable[..., Array], turned: bool = False) -> Callable[..., Array]:
    """The formula for orders from 0 on, for negative whole ones too, which turn the sign of J and Y where odd."""

    def reflected(v: Array, x: Array) -> Array:
        below = (v < 0) & (v == np.rint(v))
        found = formula(np.where(below, -v, v), x)
        return np.where(below & (v % 2 == 1), -found, found) if turned else found

    return reflected


def _is_nothing(v: Any) -> bool:
    return not hasattr(v, "dtype") and v == 0


def _j_slope(y: CoreValue, v: CoreValue, x: CoreValue) -> CoreValue:
    return -bind(JV, 1, x) if _is_nothing(v) else 0.5 * (bind(JV, v - 1, x) - bind(JV, v + 1, x))


def _y_slope(y: CoreValue, v: CoreValue, x: CoreValue) -> CoreValue:
    return -bind(YV, 1, x) if _is_nothing(v) else 0.5 * (bind(YV, v - 1, x) - bind(YV, v + 1, x))


def _i_slope(y: CoreValue, v: CoreValue, x: CoreValue) -> CoreValue:
    return bind(IV, 1, x) if _is_nothing(v) else 0.5 * (bind(IV, v - 1, x) + bind(IV, v + 1, x))


def _k_slope(y: CoreValue, v: CoreValue, x: CoreValue) -> CoreValue:
    return -bind(KV, 1, x) if _is_nothing(v) else -0.5 * (bind(KV, v - 1, x) + bind(KV, v + 1, x))


JV: Op = elementwise(
    "jv",
    real_or_complex(_whole_reflected(_j, turned=True), _of_complex("jv")),
    fixed_order("jv"),
    _j_slope,
    meaning=lambda S, v, x: S.besselj(v, x),
    saves=(1,),
    doc="Bessel function of the first kind, of order v.",
)
YV: Op = elementwise(
    "yv",
    real_or_complex(_whole_reflected(_y, turned=True), _of_complex("yv")),
    fixed_order("yv"),
    _y_slope,
    meaning=lambda S, v, x: S.bessely(v, x),
    saves=(1,),
    doc="Bessel function of the second kind, of order v.",
)
IV: Op = elementwise(
    "iv",
    real_or_complex(_whole_reflected(_i), _of_complex("iv")),
    fixed_order("iv"),
    _i_slope,
    meaning=lambda S, v, x: S.besseli(v, x),
    torch=_node("I0", "SpecialI1"),
    saves=(1,),
    doc="Modified Bessel function of the first kind, of order v.",
)
KV: Op = elementwise(
    "kv",
    real_or_complex(_k, _of_complex("kv")),
    fixed_order("kv"),
    _k_slope,
    meaning=lambda S, v, x: S.besselk(v, x),
    saves=(1,),
    doc="Modified Bessel function of the second kind, of order v.",
)

# --- scaled ----------------------------------------------------------------------------------------------------------


def _kummer_meaning(S: Any, v: Any, x: Any, m: int, q: int) -> Any:
    whole = S.exp(-2 * x) * S.hyp1f1(v + 0.5, 2 * v + 1 + m, 2 * x)
    return S.pow(x, v - q) * whole / (S.pow(S.number(2), v) * S.gamma(v + 1))


def _kummer_slope(y: CoreValue, v: CoreValue, x: CoreValue, m: int, q: int) -> CoreValue:
    fall = 2 * (v + 0.5 + m) / (2 * v + 1 + m) * bind(SCALED_KUMMER, v, x, m=m + 1, q=q)
    if not hasattr(v, "dtype") and v == q:
        return -fall
    return (v - q) * bind(SCALED_KUMMER, v, x, m=m, q=q + 1) - fall


# exp(-x) I and its derivatives are powers of x times these, DLMF 10.39.5 and 13.3.20; I - I' would cancel for large x.
SCALED_KUMMER: Op = elementwise(
    "scaled_kummer",
    real(scaled_kummer),
    fixed_order("scaled_kummer"),
    _kummer_slope,
    meaning=_kummer_meaning,
    doc="x**(v-q)*exp(-2*x)*M(v + 1/2, 2*v + 1 + m, 2*x)/(2**v*gamma(v + 1)), M being Kummer's function.",
)


def _ie_bend(y: CoreValue, v: CoreValue, x: CoreValue) -> CoreValue:
    """The second derivative of exp(-x) I."""
    if not hasattr(v, "dtype") and v == 1:  # I[1] = I[0]', and so its derivatives
        return 1.5 * bind(SCALED_KUMMER, 0, x, m=2, q=0) - 2.5 * bind(SCALED_KUMMER, 0, x, m=3, q=0)
    twice = 2 * v * bind(SCALED_KUMMER, v, x, m=1, q=1)
    fall = (2 * v + 3) / (2 * v + 2) * bind(SCALED_KUMMER, v, x, m=2, q=0)
    return v * (v - 1) * bind(SCALED_KUMMER, v, x, m=0, q=2) - twice + fall


IE_SLOPE: Op = elementwise(
    "ie_slope",
    real(ie_slope),
    fixed_order("ie_slope"),
    _ie_bend,
    meaning=lambda S, v, x: S.exp(-x) * ((S.besseli(v - 1, x) + S.besseli(v + 1, x)) / 2 - S.besseli(v, x)),
    doc="The derivative of exp(-x) times I of order v, for x >= 0.",
)


def _ie_slope(y: CoreValue, v: CoreValue, x: CoreValue) -> CoreValue:
    """By |x|, and then by x: even orders have a kink at 0, odd ones go straight through."""
    size = absolute(x)
    order = abs(v)
    by_orders = 0.5 * (bind(IVE, v - 1, x) + bind(IVE, v + 1, x)) - sign(x) * y
    if hasattr(v, "dtype") or (v < 0 and v != int(v)):
        return by_orders
    if order > SMOOTH_ORDER:
        return where(less(size, 30 + order * order), by_orders, _smooth_ie_slope(order, size, x))
    return _smooth_ie_slope(order, size, x)


def _smooth_ie_slope(order: Any, size: CoreValue, x: CoreValue) -> CoreValue:
    found = bind(IE_SLOPE, order, size) if order else -bind(SCALED_KUMMER, 0, size, m=1, q=0)
    return found if order % 2 == 1 else sign(x) * found


IVE: Op = elementwise(
    "ive",
    real(_whole_reflected(_ie)),
    fixed_order("ive"),
    _ie_slope,
    meaning=lambda S, v, x: S.exp(-S.abs(x)) * S.besseli(v, x),
    torch=_node("SpecialI0E", "SpecialI1E"),
    kink=lambda v, x: x == 0,
    saves=(1, "y"),
    doc="exp(-|x|) times the modified Bessel function of the first kind.",
)
KVE: Op = elementwise(
    "kve",
    real_or_complex(
        lambda v, x, n=0: k_scaled_slope(v, x, n) if n else _ke(v, x),
        lambda v, z, n=0: k_by_orders(v.real, z, n) if n else _of_complex("kve")(v, z),
    ),
    fixed_order("kve"),
    lambda y, v, x, n=0: bind(KVE, v, x, n=n + 1),
    meaning=lambda S, v, x, n=0: S.scaled_k(n, v, x) if n else S.exp(x) * S.besselk(v, x),
    saves=(1, "y"),
    doc="exp(x) times the modified Bessel function of the second kind.",
)

# --- functions -------------------------------------------------------------------------------------------------------

_LINE, _RIGHT = (-8.0, 8.0), (0.3, 8.0)


def _grid(domain: tuple[float, float]) -> Any:
    return np.linspace(*domain, 14)[1:-1].reshape(4, 3)[::2].T


def _of_x(
    name: str,
    op: Op,
    order: int,
    doc: str,
    derivative: str,
    also: tuple[str, ...] = (),
    defined: str = "",
    kinks: str = "",
) -> Function:
    """A function of x alone: an op at one order."""
    domain = _RIGHT if defined else _LINE

    def call(x: Any) -> CoreValue:
        return bind(op, order, *operands((x,), True))

    return register(
        Function(
            name,
            call,
            family="special",
            doc=doc,
            op=op,
            derivative=derivative,
            spellings=spelled(name, "scipy", also),
            domain=domain,
            defined=defined,
            kinks=kinks,
            cases=(*(case(shape) for shape in ((), (3,), (2, 3), (0,), (1,))), case(_grid(domain))),
        )
    )


_AT_NOTHING = "x = 0: 0, as in PyTorch"
_BESSEL = "Bessel function of the {0} kind, of order {1}."
_MODIFIED = "Modified Bessel function of the {0} kind, of order {1}."
j0 = _of_x("j0", JV, 0, _BESSEL.format("first", 0), "-j1(x)", ("torch.special.bessel_j0",))
j1 = _of_x("j1", JV, 1, _BESSEL.format("first", 1), "(j0(x) - jv(2, x))/2", ("torch.special.bessel_j1",))
y0 = _of_x("y0", YV, 0, _BESSEL.format("second", 0), "-y1(x)", ("torch.special.bessel_y0",), "x > 0")
y1 = _of_x("y1", YV, 1, _BESSEL.format("second", 1), "(y0(x) - yv(2, x))/2", ("torch.special.bessel_y1",), "x > 0")
i0 = _of_x(
    "i0",
    IV,
    0,
    _MODIFIED.format("first", 0),
    "i1(x)",
    ("numpy.i0", "torch.i0", "torch.special.i0", ".i0", "torch.special.modified_bessel_i0"),
)
i1 = _of_x(
    "i1",
    IV,
    1,
    _MODIFIED.format("first", 1),
    "(i0(x) + iv(2, x))/2",
    ("torch.special.i1", "torch.special.modified_bessel_i1"),
)
k0 = _of_x("k0", KV, 0, _MODIFIED.format("second", 0), "-k1(x)", ("torch.special.modified_bessel_k0",), "x > 0")
k1 = _of_x(
    "k1", KV, 1, _MODIFIED.format("second", 1), "-(k0(x) + kv(2, x))/2", ("torch.special.modified_bessel_k1",), "x > 0"
)
i0e = _of_x("i0e", IVE, 0, "exp(-abs(x))*i0(x).", "i1e(x) - sign(x)*i0e(x)", ("torch.special.i0e",), kinks=_AT_NOTHING)
i1e = _of_x(
    "i1e",
    IVE,
    1,
    "exp(-abs(x))*i1(x).",
    "(i0e(x) + ive(2, x))/2 - sign(x)*i1e(x)",
    ("torch.special.i1e",),
    kinks="x = 0: none in the first derivative, a jump in the second",
)
k0e = _of_x("k0e", KVE, 0, "exp(x)*k0(x).", "k0e(x) - k1e(x)", ("torch.special.scaled_modified_bessel_k0",), "x > 0")
k1e = _of_x(
    "k1e",
    KVE,
    1,
    "exp(x)*k1(x).",
    "k1e(x) - (k0e(x) + kve(2, x))/2",
    ("torch.special.scaled_modified_bessel_k1",),
    "x > 0",
)


# They name no op: an op's operands are drawn at random by the tests, and an order carries no derivative.


def _order_and_argument(v: Any, z: Any) -> tuple[CoreValue, CoreValue]:
    (x,) = operands((z,), True)
    return (v if isinstance(v, int | float) else operands((v,), False)[0]), x


_ORDERS = (case(0, (3,)), case(2, (2, 3)), case(np.array([0, 1, 3]), (3,)), case(1, ()), case(2, (0,)), case(2, (1,)))
_ALL = (*_ORDERS, case(2.5, np.array([0.5, 3.0])), case(-1, (3,)))
_FIXED = "none in the order: asking for that derivative is an error"


@function(
    family="special",
    where="scipy",
    also=("scipy.special.jn",),
    derivative="vjp: by z, g*(jv(v - 1, z) - jv(v + 1, z))/2",
    domain=_LINE,
    kinks=_FIXED,
    source="DLMF 10.6.1",
    cases=(*_ALL, case(1, np.array([0.0, -0.0, 40.0, -400.5]))),
)
def jv(v: Any, z: Any) -> CoreValue:
    """Bessel function of the first kind, of order v."""
    return bind(JV, *_order_and_argument(v, z))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by z, g*(yv(v - 1, z) - yv(v + 1, z))/2",
    domain=_RIGHT,
    defined="z > 0",
    kinks=_FIXED,
    source="DLMF 10.6.1",
    cases=(*_ALL, case(1, np.array([40.0, 400.5]))),
)
def yv(v: Any, z: Any) -> CoreValue:
    """Bessel function of the second kind, of order v."""
    return bind(YV, *_order_and_argument(v, z))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by x, g*(yn(n - 1, x) - yn(n + 1, x))/2",
    domain=_RIGHT,
    defined="x > 0",
    kinks=_FIXED,
    source="DLMF 10.6.1",
    cases=(case(0, (3,)), case(2, (2, 3))),
)
def yn(n: Any, x: Any) -> CoreValue:
    """Bessel function of the second kind, of integer order n."""
    return bind(YV, integer(n, "yn: the order"), *operands((x,), True))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by z, g*(iv(v - 1, z) + iv(v + 1, z))/2",
    domain=_LINE,
    kinks=_FIXED,
    source="DLMF 10.29.1",
    cases=_ALL,
)
def iv(v: Any, z: Any) -> CoreValue:
    """Modified Bessel function of the first kind, of order v."""
    return bind(IV, *_order_and_argument(v, z))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by z, g*((ive(v - 1, z) + ive(v + 1, z))/2 - sign(z)*ive(v, z))",
    domain=_LINE,
    kinks=f"z = 0, for an even order: 0, as in PyTorch; {_FIXED}",
    source="DLMF 10.39.5, 13.3.20",
    cases=(*_ALL, case(3, np.array([-40.0, 400.0])), case(20, (3,))),
)
def ive(v: Any, z: Any) -> CoreValue:
    """exp(-|z|) times the modified Bessel function of the first kind, of order v."""
    return bind(IVE, *_order_and_argument(v, z))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by z, -g*(kv(v - 1, z) + kv(v + 1, z))/2",
    domain=_RIGHT,
    defined="z > 0",
    kinks=_FIXED,
    source="DLMF 10.29.1",
    cases=_ALL,
)
def kv(v: Any, z: Any) -> CoreValue:
    """Modified Bessel function of the second kind, of order v."""
    return bind(KV, *_order_and_argument(v, z))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by x, -g*(kn(n - 1, x) + kn(n + 1, x))/2",
    domain=_RIGHT,
    defined="x > 0",
    kinks=_FIXED,
    source="DLMF 10.29.1",
    cases=(case(0, (3,)), case(2, (2, 3))),
)
def kn(n: Any, x: Any) -> CoreValue:
    """Modified Bessel function of the second kind, of integer order n."""
    return bind(KV, integer(n, "kn: the order"), *operands((x,), True))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by z, g*(kve(v, z) - (kve(v - 1, z) + kve(v + 1, z))/2)",
    domain=_RIGHT,
    defined="z > 0",
    kinks=_FIXED,
    source="DLMF 10.32.9",
    cases=(*_ALL, case(0, np.array([0.01, 40.0, 4000.0]))),
)
def kve(v: Any, z: Any) -> CoreValue:
    """exp(z) times the modified Bessel function of the second kind, of order v."""
    return bind(KVE, *_order_and_argument(v, z))


# --- spherical -------------------------------------------------------------------------------------------------------


def _spherical(x: Array, n: int) -> Array:
    from scipy import special

    return np.where(np.abs(x) < 1.5 + 0.5 * n, _spherical_near(x, n), special.spherical_jn(n, x))


def _spherical_near(x: Array, n: int) -> Array:
    """By powers of x, DLMF 10.53.1."""
    found = np.ones_like(x)
    square = -0.5 * x * x
    for k in range(24, 0, -1):
        found = 1 + found * square / (k * (2 * n + 1 + 2 * k))
    return found * x**n / float(np.prod(np.arange(1.0, 2 * n + 2, 2)))


def _spherical_of_complex(z: Array, n: int) -> Array:
    from scipy import special

    return special.spherical_jn(n, z)


def _spherical_slope(y: CoreValue, x: CoreValue, n: int) -> CoreValue:
    if n == 0:
        return -bind(SPHERICAL_JN, x, n=1)
    return (n * bind(SPHERICAL_JN, x, n=n - 1) - (n + 1) * bind(SPHERICAL_JN, x, n=n + 1)) / (2 * n + 1)


SPHERICAL_JN: Op = elementwise(
    "spherical_jn",
    real_or_complex(_spherical, _spherical_of_complex),
    _spherical_slope,
    meaning=lambda S, x, n: S.spherical_jn(n, x),
    saves=(0,),
    doc="Spherical Bessel function of the first kind, of order n.",
)


@function(
    family="special",
    where="scipy",
    op=SPHERICAL_JN,
    derivative="vjp: by z, g*(n*spherical_jn(n - 1, z) - (n + 1)*spherical_jn(n + 1, z))/(2*n + 1)",
    domain=_LINE,
    source="DLMF 10.51.2",
    cases=(case(0, (3,)), case(2, (2, 3)), case(1, np.array([0.0, 0.5, -3.0])), case(2, (3,), derivative=True)),
)
def spherical_jn(n: Any, z: Any, derivative: bool = False) -> CoreValue:
    """Spherical Bessel function of the first kind, of integer order n from 0, or its derivative."""
    order = integer(n, "spherical_jn: the order")
    if order < 0:
        raise ArgumentError(f"spherical_jn: the order is an integer from 0, not {order}")
    (x,) = operands((z,), True)
    if derivative:
        return _spherical_slope(x, x, order)
    return bind(SPHERICAL_JN, x, n=order)


spherical_bessel_j0 = elementwise_function(
    SINE_OVER,
    where="",
    also=("torch.special.spherical_bessel_j0",),
    derivative="where(x == 0, 0, (cos(x) - sinc(x/pi))/where(x == 0, 1, x))",
    family="special",
    domain=_LINE,
)
