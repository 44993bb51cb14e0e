"""Derivatives that floating point makes hard: each in gradcli's language, in the peers' own, and exactly.

`exact` is the derivative by x as a function of mpmath, at the exact binary values of the inputs; where the function
has no derivative there, the limit or the value that every neighbour agrees on, and `why` says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Case(NamedTuple):
    """One derivative.

    Attributes:
        title: what is hard about it.
        program: the program, for `gradcli grad PROGRAM x=AT`.
        at: the input x as gradcli reads it.
        torch, jax, autograd: the same in the peers, as the body of a function of x; "" where the peer lacks it.
        exact: the derivative, a number or a list, of mpmath's namespace.
        why: where the peers go wrong, and what gradcli does instead.
        order: 1, or 2 for the second derivative.
    """

    title: str
    program: str
    at: str
    torch: str
    jax: str
    autograd: str
    exact: Callable[[Any], Any]
    why: str
    order: int = 1


CASES = (
    Case(
        "The branch not taken",
        "where(x > 0, sqrt(x), 0)",
        "-1.0",
        "torch.where(x > 0, torch.sqrt(x), 0.0)",
        "jnp.where(x > 0, jnp.sqrt(x), 0.0)",
        "np.where(x > 0, np.sqrt(x), 0.0)",
        lambda mp: 0,
        "sqrt's slope at -1 is nan, and 0 times nan is nan: the branch that was not taken spoils the one that "
        "was. gradcli cuts the cotangent of the branch not taken before it meets the slope.",
    ),
    Case(
        "Where tanh is flat",
        "tanh(x)",
        "20.0",
        "torch.tanh(x)",
        "jnp.tanh(x)",
        "np.tanh(x)",
        lambda mp: mp.sech(20) ** 2,
        "`1 - tanh(x)**2` is a difference of equals once tanh(x) rounds to 1. gradcli takes the slope as "
        "`sech(x)**2`, from exp(-2|x|).",
    ),
    Case(
        "Where the sigmoid is flat",
        "sigmoid(x)",
        "40.0",
        "torch.sigmoid(x)",
        "jax.nn.sigmoid(x)",
        "ascipy.special.expit(x)",
        lambda mp: mp.exp(-40) / (1 + mp.exp(-40)) ** 2,
        "`y*(1 - y)` is 0 once y rounds to 1. gradcli takes it as `sigmoid(x)*sigmoid(-x)`.",
    ),
    Case(
        "The end of arcsin",
        "arcsin(x)",
        "0.999999999999",
        "torch.arcsin(x)",
        "jnp.arcsin(x)",
        "np.arcsin(x)",
        lambda mp: 1 / mp.sqrt(1 - mp.mpf(0.999999999999) ** 2),
        "`1 - x**2` loses half of its digits beside 1. gradcli takes `(1 - x)*(1 + x)`, where both factors "
        "are nearly exact.",
    ),
    Case(
        "The end of arctanh",
        "arctanh(x)",
        "0.99999999999999",
        "torch.arctanh(x)",
        "jnp.arctanh(x)",
        "np.arctanh(x)",
        lambda mp: 1 / (1 - mp.mpf(0.99999999999999) ** 2),
        "The same `1 - x**2`.",
    ),
    Case(
        "The beginning of arccosh",
        "arccosh(x)",
        "1.000000000001",
        "torch.arccosh(x)",
        "jnp.arccosh(x)",
        "np.arccosh(x)",
        lambda mp: 1 / mp.sqrt(mp.mpf(1.000000000001) ** 2 - 1),
        "`x**2 - 1` likewise; gradcli takes `(x - 1)*(x + 1)`.",
    ),
    Case(
        "arcsinh of the large",
        "arcsinh(x)",
        "1e200",
        "torch.arcsinh(x)",
        "jnp.arcsinh(x)",
        "np.arcsinh(x)",
        lambda mp: 1 / mp.sqrt(mp.mpf(1e200) ** 2 + 1),
        "`x**2 + 1` overflows although its square root is an ordinary number.",
    ),
    Case(
        "The angle of a distant point",
        "arctan2(x, 1e200)",
        "1e200",
        "torch.arctan2(x, torch.tensor(1e200, dtype=torch.float64))",
        "jnp.arctan2(x, 1e200)",
        "np.arctan2(x, 1e200)",
        lambda mp: mp.mpf(1e200) / (mp.mpf(1e200) ** 2 * 2),
        "`x**2 + y**2` overflows; gradcli divides by the larger of the two first.",
    ),
    Case(
        "A quotient of the small",
        "1e-300/x",
        "1e-200",
        "1e-300/x",
        "1e-300/x",
        "1e-300/x",
        lambda mp: -mp.mpf(1e-300) / mp.mpf(1e-200) ** 2,
        "`x**2` underflows to 0; gradcli divides twice.",
    ),
    Case(
        "The length of nothing",
        "norm(x)",
        "0.0,0.0",
        "torch.linalg.norm(x)",
        "jnp.linalg.norm(x)",
        "np.linalg.norm(x)",
        lambda mp: [0, 0],
        "The slope of sqrt at 0 is infinite, and infinity times 0 is nan. The length has a kink here; every "
        "direction is as good as its opposite, so that gradcli, as PyTorch, answers 0.",
    ),
    Case(
        "The length of the large",
        "norm(x)",
        "3e200,4e200",
        "torch.linalg.norm(x)",
        "jnp.linalg.norm(x)",
        "np.linalg.norm(x)",
        lambda mp: [mp.mpf(3e200) / mp.hypot(3e200, 4e200), mp.mpf(4e200) / mp.hypot(3e200, 4e200)],
        "The squares overflow; gradcli scales by the largest element.",
    ),
    Case(
        "The length of the small",
        "norm(x)",
        "3e-200,4e-200",
        "torch.linalg.norm(x)",
        "jnp.linalg.norm(x)",
        "np.linalg.norm(x)",
        lambda mp: [mp.mpf(3e-200) / mp.hypot(3e-200, 4e-200), mp.mpf(4e-200) / mp.hypot(3e-200, 4e-200)],
        "The squares underflow.",
    ),
    Case(
        "sinc beside 0",
        "sinc(x)",
        "1e-6",
        "torch.sinc(x)",
        "jnp.sinc(x)",
        "np.sinc(x)",
        lambda mp: mp.diff(lambda t: mp.sinc(mp.pi * t), mp.mpf(1e-6)),
        "`(cos(pi*x) - sinc(x))/x` is a difference of equals divided by little: PyTorch keeps five digits "
        "here. gradcli sums the series of the derivative.",
    ),
    Case(
        "The second derivative of sinc at 0",
        "sinc(x)",
        "0.0",
        "torch.sinc(x)",
        "jnp.sinc(x)",
        "np.sinc(x)",
        lambda mp: -(mp.pi**2) / 3,
        "A 0/0 that was patched in the first derivative is back in the second one.",
        2,
    ),
    Case(
        "gelu's left tail",
        "gelu(x)",
        "-10.0",
        "torch.nn.functional.gelu(x)",
        "jax.nn.gelu(x, approximate=False)",
        "x*0.5*(1 + ascipy.special.erf(x/np.sqrt(2.0)))",
        lambda mp: mp.ncdf(-10) - 10 * mp.npdf(-10),
        "`1 + erf(x/sqrt(2))` is a difference of equals for negative x; gradcli uses `erfc`.",
    ),
    Case(
        "softplus beyond PyTorch's threshold",
        "torch.nn.functional.softplus(x)",
        "20.5",
        "torch.nn.functional.softplus(x)",
        "jax.nn.softplus(x)",
        "np.logaddexp(x, 0.0)",
        lambda mp: 1 / (1 + mp.exp(-20.5)),
        "PyTorch calls softplus the identity beyond 20, which makes its slope jump by 2e-9; gradcli's formula "
        "needs no threshold.",
    ),
    Case(
        "The spread of equals",
        "std(x)",
        "2.0,2.0,2.0",
        "torch.std(x, unbiased=False)",
        "jnp.std(x)",
        "np.std(x)",
        lambda mp: [0, 0, 0],
        "0/0. The standard deviation has a kink where all are equal; gradcli, as PyTorch, answers 0.",
    ),
    Case(
        "A product with a zero",
        "prod(x)",
        "0.0,2.0,3.0",
        "torch.prod(x)",
        "jnp.prod(x)",
        "np.prod(x)",
        lambda mp: [6, 0, 0],
        "The product divided by each factor is 0/0; gradcli multiplies the others.",
    ),
    Case(
        "The determinant of a singular matrix",
        "det(x)",
        "[[1.0,2.0,3.0],[2.0,4.0,6.0],[3.0,6.0,10.0]]",
        "torch.linalg.det(x)",
        "jnp.linalg.det(x)",
        "np.linalg.det(x)",
        lambda mp: [4, -2, 0, -2, 1, 0, 0, 0, 0],
        "The derivative of a determinant is its cofactors, which exist although the inverse does not; a rule "
        "that goes through the inverse fails, or gives up.",
    ),
    Case(
        "The minimum of the gamma function",
        "gammaln(x)",
        "1.4616321449683622",
        "torch.lgamma(x)",
        "jax.scipy.special.gammaln(x)",
        "ascipy.special.gammaln(x)",
        lambda mp: mp.digamma(mp.mpf(1.4616321449683622)),
        "The slope of log(gamma) is digamma, which is next to its zero here: a series about the zero has all digits.",
    ),
    Case(
        "A logistic curve written out",
        "1/(1 + exp(-x))",
        "-800.0",
        "1/(1 + torch.exp(-x))",
        "1/(1 + jnp.exp(-x))",
        "1/(1 + np.exp(-x))",
        lambda mp: mp.exp(-800),
        "exp(800) is infinite; its reciprocal is 0, and 0 times infinity is nan. The exact answer is below "
        "the smallest float.",
    ),
    Case(
        "logcumsumexp from nothing",
        "logcumsumexp(x, 0)[1]",
        "-inf,1.0",
        "torch.logcumsumexp(x, 0)[1]",
        "jax.lax.cumlogsumexp(x)[1]",
        "",
        lambda mp: [0, 1],
        "Infinity minus infinity again.",
    ),
    Case(
        "logsumexp with an infinity",
        "logsumexp(x)",
        "inf,1.0",
        "torch.logsumexp(x, 0)",
        "jax.scipy.special.logsumexp(x)",
        "ascipy.special.logsumexp(x)",
        lambda mp: [1, 0],
        "The infinite element has all the weight.",
    ),
    Case(
        "The normal distribution's far tail",
        "log_ndtr(x)",
        "-40.0",
        "torch.special.log_ndtr(x)",
        "jax.scipy.special.log_ndtr(x)",
        "ascipy.stats.norm.logcdf(x)",
        lambda mp: mp.npdf(40) / mp.ncdf(-40),
        "The ratio of density and distribution, each tiny and rounded; gradcli takes it from the scaled `erfcx`.",
    ),
    Case(
        "The angle at the origin",
        "arctan2(x, 0.0)",
        "0.0",
        "torch.arctan2(x, torch.zeros((), dtype=torch.float64))",
        "jnp.arctan2(x, 0.0)",
        "np.arctan2(x, 0.0)",
        lambda mp: 0,
        "0/0. The angle jumps at the origin; gradcli, as PyTorch, answers 0.",
    ),
    Case(
        "A class that is nearly certain",
        "log_softmax(x)[0]",
        "40.0,0.0",
        "torch.log_softmax(x, 0)[0]",
        "jax.nn.log_softmax(x)[0]",
        "x[0] - ascipy.special.logsumexp(x)",
        lambda mp: [mp.exp(-40) / (1 + mp.exp(-40)), -mp.exp(-40) / (1 + mp.exp(-40))],
        "`1 - softmax(x)` is a difference of equals where a class is nearly certain; gradcli adds up the others.",
    ),
    Case(
        "softmax with an infinity",
        "softmax(x)[0]",
        "inf,1.0",
        "torch.softmax(x, 0)[0]",
        "jax.nn.softmax(x)[0]",
        "np.exp(x - ascipy.special.logsumexp(x))[0]",
        lambda mp: [0, 0],
        "Infinity minus infinity. One infinite element takes all, and little changes of it change nothing.",
    ),
    Case(
        "The spread of the large",
        "std(x)",
        "1e200,-1e200,3e200",
        "torch.std(x, unbiased=False)",
        "jnp.std(x)",
        "np.std(x)",
        lambda mp: [0, -1 / mp.sqrt(6), 1 / mp.sqrt(6)],
        "The squares overflow; gradcli scales by the largest deviation.",
    ),
    Case(
        "Written twice to one place",
        "torch.scatter(torch.zeros(1, dtype=torch.float64), 0, [0, 0], x)[0]",
        "3.0,5.0",
        "torch.scatter(torch.zeros(1, dtype=torch.float64), 0, torch.tensor([0, 0]), x)[0]",
        "jnp.zeros(1).at[jnp.array([0, 0])].set(x)[0]",
        "",
        lambda mp: [0, 1],
        "The second number replaces the first, so that the first has no part in the result. PyTorch gives both the "
        "cotangent.",
    ),
    Case(
        "A complex number of negative length",
        "real(torch.polar(x, torch.tensor(0.5, dtype=torch.float64)))",
        "-2.0",
        "torch.polar(x, torch.tensor(0.5, dtype=torch.float64)).real",
        "",
        "",
        lambda mp: mp.cos(0.5),
        "PyTorch takes the sign of the result for the direction; the length was negative.",
    ),
    Case(
        "The curvature of a long thin vector",
        "norm(x)",
        "1.0,1e-9",
        "torch.linalg.norm(x)",
        "jnp.linalg.norm(x)",
        "np.linalg.norm(x)",
        lambda mp: [
            mp.mpf(1e-9) ** 2 / mp.hypot(1, 1e-9) ** 3,
            -mp.mpf(1e-9) / mp.hypot(1, 1e-9) ** 3,
            -mp.mpf(1e-9) / mp.hypot(1, 1e-9) ** 3,
            1 / mp.hypot(1, 1e-9) ** 3,
        ],
        "`1 - (x/norm(x))**2` is a difference of equals; gradcli adds up what the other elements leave.",
        2,
    ),
    Case(
        "The exponential of a matrix of small eigenvalues",
        "trace(expm(x))",
        "[[-20.0,0.0],[0.0,-20.0]]",
        "torch.trace(torch.linalg.matrix_exp(x))",
        "jnp.trace(jax.scipy.linalg.expm(x))",
        "",
        lambda mp: [mp.exp(-20), 0, 0, mp.exp(-20)],
        "Repeated squaring of a matrix that was rounded early; gradcli takes the mean of the diagonal out first.",
    ),
)
