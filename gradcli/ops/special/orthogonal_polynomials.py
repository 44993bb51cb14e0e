"""Orthogonal polynomials of a whole order n, by their recurrences: differentiable in x and in what else they depend on.

SciPy's names (n stands first) and PyTorch's (n stands last). Formulas are of DLMF 18.9(i) and 18.7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise.pairs import COMPLEX
from gradcli.ops.function import Function, case
from gradcli.ops.operands import as_core, operands
from gradcli.ops.registry import function, register
from gradcli.ops.special.orthogonal_recurrences import (
    chebyshev,
    evenly,
    gegenbauer,
    hermite,
    jacobi,
    laguerre,
    legendre,
    of_order,
    shifted,
)

_KINKS = "none in the order: it is a whole number, and has no derivative"


def _floats(*xs: Any) -> list[CoreValue]:
    """Operands, arrays all of them."""
    return [as_core(x) for x in operands(xs, True)]


# --- of n and x ------------------------------------------------------------------------------------------------------

_CASES = (
    case(2, (3,)),
    case(4, (2,)),
    case(0, (2,)),
    case(1, ()),
    case(3, (0,)),
    case(np.array([0, 3, 1]), (2, 3)),
    case(2, COMPLEX[:1]),
)
_TURNED = (case((3,), 2), case((2, 1), np.array([0, 3])))
_FROM = "DLMF 18.9(i), 18.9(iii)"
_Polynomial = Callable[[str, Any, CoreValue], CoreValue]


def _declare(scipy: str, torch: str, of: _Polynomial, doc: str, derivative: str, domain: tuple[float, float]) -> None:
    """SciPy's and PyTorch's functions of one family, which differ in the order of the arguments."""

    def eval_(n: Any, x: Any) -> CoreValue:
        return of(scipy, n, *_floats(x))

    def polynomial(input: Any, n: Any) -> CoreValue:
        return of(torch, n, *_floats(input))

    about: dict[str, Any] = {
        "family": "special",
        "doc": doc,
        "domain": domain,
        "kinks": _KINKS,
        "source": _FROM,
    }
    if scipy:
        spellings = (f"scipy.special.{scipy}",)
        words = f"vjp: by x, g*{derivative}"
        register(Function(scipy, eval_, spellings=spellings, derivative=words, cases=_CASES, **about))
    if torch:
        spellings = (f"torch.special.{torch}",)
        words = f"vjp: by input, g*{derivative.replace('x', 'input')}"
        register(Function(torch, polynomial, spellings=spellings, derivative=words, cases=_TURNED, **about))


_UNIT, _WIDE = (-1.0, 1.0), (-3.0, 3.0)
_declare(
    "eval_chebyt",
    "chebyshev_polynomial_t",
    lambda name, n, x: chebyshev(name, n, x, 1.0),
    "Chebyshev polynomial of the first kind, T.",
    "n*U(n - 1, x)",
    _UNIT,
)
_declare(
    "eval_chebyu",
    "chebyshev_polynomial_u",
    lambda name, n, x: chebyshev(name, n, x, 2.0),
    "Chebyshev polynomial of the second kind, U.",
    "((n + 1)*T(n + 1, x) - x*U(n, x))/(x**2 - 1)",
    _UNIT,
)
_declare(
    "",
    "chebyshev_polynomial_v",
    lambda name, n, x: chebyshev(name, n, x, 2.0, -1.0),
    "Chebyshev polynomial of the third kind, V.",
    "(U'(n, x) - U'(n - 1, x))",
    _UNIT,
)
_declare(
    "",
    "chebyshev_polynomial_w",
    lambda name, n, x: chebyshev(name, n, x, 2.0, 1.0),
    "Chebyshev polynomial of the fourth kind, W.",
    "(U'(n, x) + U'(n - 1, x))",
    _UNIT,
)
_declare(
    "eval_sh_chebyt",
    "shifted_chebyshev_polynomial_t",
    lambda name, n, x: shifted(name, n, x, 1.0, 0.0, evenly),
    "Chebyshev polynomial of the first kind, of 2*x - 1.",
    "2*n*U(n - 1, 2*x - 1)",
    (0.0, 1.0),
)
_declare(
    "eval_sh_chebyu",
    "shifted_chebyshev_polynomial_u",
    lambda name, n, x: shifted(name, n, x, 2.0, 0.0, evenly),
    "Chebyshev polynomial of the second kind, of 2*x - 1.",
    "2*U'(n, 2*x - 1)",
    (0.0, 1.0),
)
_declare(
    "",
    "shifted_chebyshev_polynomial_v",
    lambda name, n, x: shifted(name, n, x, 2.0, -1.0, evenly),
    "Chebyshev polynomial of the third kind, of 2*x - 1.",
    "2*V'(n, 2*x - 1)",
    (0.0, 1.0),
)
_declare(
    "",
    "shifted_chebyshev_polynomial_w",
    lambda name, n, x: shifted(name, n, x, 2.0, 1.0, evenly),
    "Chebyshev polynomial of the fourth kind, of 2*x - 1.",
    "2*W'(n, 2*x - 1)",
    (0.0, 1.0),
)
_declare(
    "eval_chebyc",
    "",
    lambda name, n, x: 2 * chebyshev(name, n, x / 2, 1.0),
    "Chebyshev polynomial C, 2*T(n, x/2).",
    "n*U(n - 1, x/2)",
    (-2.0, 2.0),
)
_declare(
    "eval_chebys",
    "",
    lambda name, n, x: chebyshev(name, n, x / 2, 2.0),
    "Chebyshev polynomial S, U(n, x/2).",
    "U'(n, x/2)/2",
    (-2.0, 2.0),
)
_declare(
    "eval_legendre",
    "legendre_polynomial_p",
    legendre,
    "Legendre polynomial, P.",
    "n*(P(n - 1, x) - x*P(n, x))/(1 - x**2)",
    _UNIT,
)
_declare(
    "eval_sh_legendre",
    "",
    lambda name, n, x: shifted(name, n, x, 1.0, 0.0, lambda k: (k - 1) / k),
    "Legendre polynomial of 2*x - 1.",
    "2*P'(n, 2*x - 1)",
    (0.0, 1.0),
)
_declare(
    "eval_hermite",
    "hermite_polynomial_h",
    lambda name, n, x: hermite(name, n, x, 2.0),
    "Hermite polynomial, H, orthogonal for exp(-x**2).",
    "2*n*H(n - 1, x)",
    _WIDE,
)
_declare(
    "eval_hermitenorm",
    "hermite_polynomial_he",
    lambda name, n, x: hermite(name, n, x, 1.0),
    "Hermite polynomial, He, orthogonal for exp(-x**2/2).",
    "n*He(n - 1, x)",
    _WIDE,
)
_declare(
    "eval_laguerre",
    "laguerre_polynomial_l",
    lambda name, n, x: of_order(name, n, x, (), 1 - x, lambda k, p, q: ((2 * k - 1 - x) * p - (k - 1) * q) / k),
    "Laguerre polynomial, L.",
    "n*(L(n, x) - L(n - 1, x))/x",
    (0.1, 6.0),
)


# --- of further parameters -------------------------------------------------------------------------------------------

_SOURCE = "DLMF 18.9(i): the recurrence, differentiated"
_SHARES = (case(2, (2,), (2,)), case(3, (2, 1), (2,)), case(0, (2,), (2,)), case(1, (), (2,)), case(4, 0.5, (2,)))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by x, g*2*alpha*C(n - 1, alpha + 1, x); by alpha, g times the recurrence's derivative",
    domain=((0.3, 2.0), _UNIT),
    kinks=_KINKS,
    source=_SOURCE,
    cases=(*_SHARES, case(np.array([0, 3]), (2,), (2,)), case(2, 1.5, COMPLEX[:1])),
)
def eval_gegenbauer(n: Any, alpha: Any, x: Any) -> CoreValue:
    """Gegenbauer polynomial, C."""
    return gegenbauer("eval_gegenbauer", n, *_floats(alpha, x))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by x, -g*L(n - 1, alpha + 1, x); by alpha, g*sum(L(k, alpha, x)/(n - k)) over k < n",
    domain=((-0.5, 2.0), (0.1, 6.0)),
    kinks=_KINKS,
    source=_SOURCE,
    cases=(*_SHARES, case(np.array([0, 3]), (2,), (2,)), case(2, 1.5, COMPLEX[:1])),
)
def eval_genlaguerre(n: Any, alpha: Any, x: Any) -> CoreValue:
    """Generalised Laguerre polynomial, L."""
    return laguerre("eval_genlaguerre", n, *_floats(alpha, x))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by x, g*(n + alpha + beta + 1)/2*P(n - 1, alpha + 1, beta + 1, x); by alpha and beta, g times the "
    "recurrence's derivative",
    domain=((-0.4, 2.0), (-0.4, 2.0), _UNIT),
    defined="alpha > -1 and beta > -1",
    kinks=_KINKS,
    source=_SOURCE,
    cases=(
        case(2, (2,), (2,), (2,)),
        case(0, (2,), (2,), (2,)),
        case(1, (), (2,), (2, 1)),
        case(3, 0.5, -0.5, (2,)),
        case(np.array([0, 3]), (1,), 1.0, (2,)),
        case(2, 1.5, 0.0, COMPLEX[:1]),
    ),
)
def eval_jacobi(n: Any, alpha: Any, beta: Any, x: Any) -> CoreValue:
    """Jacobi polynomial, P."""
    return jacobi("eval_jacobi", n, *_floats(alpha, beta, x))
