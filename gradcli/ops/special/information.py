"""Functions of information theory: x log y and entropies that are 0 at 0, logit, and Kullback and Leibler's terms."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import clip, equal, log, log1p, where
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function
from gradcli.ops.special.log1p_parts import log1pmx, log_of_ratio, log_ratio
from gradcli.ops.special.values import Array, pieces, real, real_or_complex, scipy_

_PAIR = ("x", "y")
_NOTHING = case(np.array([0.0, 0.0, 0.5, -1.0]), np.array([0.7, 2.0, 1.5, 0.3]))


def _unless_zero(x: CoreValue, found: CoreValue) -> CoreValue:
    return where(equal(x, 0), 0.0, found)


def _xlogy_meaning(S: Any, x: Any, y: Any) -> Any:
    return x * S.log(y)


XLOGY: Op = elementwise(
    "xlogy",
    real_or_complex(scipy_("xlogy"), scipy_("xlogy")),
    lambda z, x, y: _log_or_zero(x, y),
    lambda z, x, y: _unless_zero(x, x / y),
    meaning=_xlogy_meaning,
    torch="Xlogy",
    kink=lambda x, y: (x == 0) & (y == 0),
    saves=(0, 1),
    doc="x*log(y), and 0 where x is 0.",
)
XLOG1PY: Op = elementwise(
    "xlog1py",
    real_or_complex(scipy_("xlog1py"), scipy_("xlog1py")),
    lambda z, x, y: where(equal(y, -1), _unless_zero(x, log1p(y)), log1p(y)),
    lambda z, x, y: _unless_zero(x, x / (1 + y)),
    meaning=lambda S, x, y: x * S.log1p(y),
    torch="SpecialXlog1Py",
    kink=lambda x, y: (x == 0) & (y == -1),
    saves=(0, 1),
    doc="x*log(1 + y), and 0 where x is 0.",
)


def _log_or_zero(x: CoreValue, y: CoreValue) -> CoreValue:
    return where(equal(y, 0), _unless_zero(x, log(y)), log(y))


xlogy = elementwise_function(
    XLOGY,
    parameters=_PAIR,
    derivative="log(y), x/y",
    where="scipy torch method",
    also=("torch.special.xlogy",),
    domain=((-2.0, 2.0), (0.3, 2.5)),
    defined="y > 0",
    kinks="x = 0, y = 0: 0 for both, as in PyTorch",
    cases=(_NOTHING, case(np.array([0.0]), np.array([0.0])), case((2, 3), (3,))),
    family="special",
)
xlog1py = elementwise_function(
    XLOG1PY,
    parameters=_PAIR,
    derivative="log1p(y), x/(1 + y)",
    where="scipy",
    also=("torch.special.xlog1py",),
    domain=((-2.0, 2.0), (-0.6, 2.0)),
    defined="y > -1",
    kinks="x = 0, y = -1: 0 for both, as in PyTorch",
    cases=(_NOTHING, case(np.array([0.0]), np.array([-1.0])), case((2, 3), (3,))),
    family="special",
)

# --- entropies -------------------------------------------------------------------------------------------------------

ENTR = elementwise(
    "entr",
    real(scipy_("entr")),
    lambda y, x: -1 - log(x),
    meaning=lambda S, x: S.where(S.eq(x, 0), 0, -x * S.log(x)),
    torch="SpecialEntr",
    saves=(0,),
    doc="-x*log(x), 0 at 0 and -inf below.",
)
REL_ENTR = elementwise(
    "rel_entr",
    real(scipy_("rel_entr")),
    lambda z, x, y: 1 + log_ratio(x, y),
    lambda z, x, y: -1.0 * x / y,
    meaning=lambda S, x, y: x * (S.log(x) - S.log(y)),
    saves=(0, 1),
    doc="x*log(x/y), 0 where x is 0, and inf where a logarithm is of a negative number.",
)


def _divergence(x: Array, y: Array) -> Array:
    """x log(x/y) - x + y: near x = y the three cancel."""
    return np.where((x > 0) & (y > 0), _positive_divergence(x, y), _plain_divergence(x, y))


_plain_divergence = scipy_("kl_div")
_positive_divergence = pieces(
    (lambda x, y: (y > 0.2 * x) & (y < 3.5 * x), lambda x, y: -x * log1pmx((y - x) / x)),
    last=lambda x, y: x * (log_of_ratio(x, y) - 1) + y,
)


KL_DIV = elementwise(
    "kl_div_scipy",
    real(_divergence),
    lambda z, x, y: log_ratio(x, y),
    lambda z, x, y: (y - x) / y,
    meaning=lambda S, x, y: x * (S.log(x) - S.log(y)) - x + y,
    saves=(0, 1),
    doc="x*log(x/y) - x + y, y where x is 0, and inf where a logarithm is of a negative number.",
)
_POSITIVE = (0.2, 3.0)
entr = elementwise_function(
    ENTR,
    derivative="-log(x) - 1",
    where="scipy",
    also=("torch.special.entr",),
    domain=_POSITIVE,
    defined="x > 0",
    kinks="x = 0: inf, the limit",
    family="special",
)
rel_entr = elementwise_function(
    REL_ENTR,
    parameters=_PAIR,
    derivative="log(x/y) + 1, -x/y",
    where="scipy",
    domain=_POSITIVE,
    defined="(x > 0) & (y > 0)",
    kinks="x = 0: -inf and 0, the limits",
    family="special",
)


@function(
    "kl_div_scipy",
    family="special",
    where="",
    also=("scipy.special.kl_div",),
    op=KL_DIV,
    derivative="log(x/y), 1 - x/y",
    domain=_POSITIVE,
    defined="(x > 0) & (y > 0)",
    kinks="x = 0: -inf and 1, the limits",
)
def kl_div_scipy(x: Any, y: Any) -> CoreValue:
    """x*log(x/y) - x + y, the term of Kullback and Leibler's divergence that is never negative."""
    return bind(KL_DIV, *operands((x, y), True))


# --- logit -----------------------------------------------------------------------------------------------------------

LOGIT = elementwise(
    "logit",
    real(scipy_("logit")),
    lambda y, x: 1 / (x * (1 - x)),
    meaning=lambda S, x: S.log(x) - S.log1p(-x),
    torch="Logit",
    saves=(0,),
    doc="log(x/(1 - x)), the inverse of sigmoid.",
)
logit = elementwise_function(
    LOGIT,
    derivative="1/(x*(1 - x))",
    where="scipy",
    domain=(0.1, 0.9),
    defined="(x > 0) & (x < 1)",
    family="special",
)


@function(
    "logit_torch",
    family="special",
    where="",
    also=("torch.logit", "torch.special.logit", ".logit"),
    op=LOGIT,
    derivative="1/(input*(1 - input))",
    domain=(0.1, 0.9),
    defined="(input > 0) & (input < 1)",
    kinks="input = eps, input = 1 - eps: the inner slope, as in PyTorch; beyond, 0",
    cases=(case((3,)), case((2, 3), 0.2), case(np.array([0.05, 0.5, 0.95]), eps=0.1), case(())),
)
def logit_torch(input: Any, eps: Any = None) -> CoreValue:
    """log(x/(1 - x)), of x brought into [eps, 1 - eps] where eps is given."""
    (x,) = operands((input,), True)
    return bind(LOGIT, x if eps is None else clip.call(x, float(eps), 1 - float(eps)))
