"""Functions that are less accurate than the rest, and why: see `benchmarks/accuracy.py`."""

from __future__ import annotations

#: Above these errors, in ulps and in terms of what nobody can avoid, a function is an offender.
LIMITS = {"value": 4.0, "vjp": 8.0, "jvp": 8.0}

_MATRIX = (
    "made of LAPACK's factors, whose errors are small beside the whole matrix; eight random moves of its elements do "
    "not meet the direction in which it is worst"
)
_OVERFLOW = "beside 0, where the slope is above all floats though a small cotangent would bring the product back"
_EXPONENTIAL = (
    "the exponential of a logarithm that is itself rounded: far out as many ulps as the logarithm is large, and nan or "
    "infinite where the slope of one overflows before the other vanishes"
)
_FAR_DENSITIES = [
    "cauchy",
    "halfcauchy",
    "t",
    "gamma",
    "invgamma",
    "chi2",
    "beta",
    "lognorm",
    "pareto",
    "weibull_min",
    "vonmises",
    "truncnorm",
]
#: Why an offender is one, and stays one: function -> words.
EXPLAINED: dict[str, str] = {
    "histogram_torch": "a density's widths are differences of rounded edges, as PyTorch takes them",
    "corrcoef_torch": "the parts of a gradient along and across the rows are nearly equal, and each is rounded",
    "normalize": "the sum of |x|**p over axes is projected out: little is left where one element outweighs the rest",
    "triplet_margin_loss": "with swap and p = 3, cubes of differences that nearly vanish, over their norm squared",
    "solve_sylvester": _MATRIX,
    "signm": "the sign of a matrix with one kind of eigenvalues is 1 or -1 times the identity: its 0s and its slopes "
    "of 0 are met to the rounding of the matrix, but not in ulps of 0",
    "polyfit": _MATRIX,
    **{f"{name}_pdf": _EXPONENTIAL for name in _FAR_DENSITIES},
    "dawsn": "nothing: beyond 2**25 the exact reading, exp(-x**2)*erfi(x), ends, and its 0 is no answer",
    "fractional_matrix_power": _MATRIX,
    "eig_torch": _MATRIX,
    "logm": _MATRIX,
    "cosm": _MATRIX,
    "tanhm": _MATRIX,
    "airy": "left of -1e10, where an ulp of x is more than a turn of the waves: no phase is right there",
    "airy_ai": "as airy",
    "yv": "SciPy's yv, by half an ulp more than the limit",
    "yn": "SciPy's yn, by an ulp more than the limit; and by x " + _OVERFLOW,
    **dict.fromkeys(("y1", "k1", "k0e", "k1e"), _OVERFLOW),
    "kv": "SciPy's kv, by an ulp more than the limit",
    "kn": "SciPy's kn, by two ulps more than the limit; and by x " + _OVERFLOW,
    "quantile": "a rank such as 0.2*5 is rounded to a whole one, and a weight of 5e-17 becomes 0",
    "ive": "by x, for orders above 18: a difference of neighbouring orders",
    "binom": "by n, near n = -1 and for a whole k: the poles of two terms cancel",
    "t_logpdf": "by scale, for a few thousandths of a degree of freedom or fewer: what is left of 1/scale - 1/scale",
    "weibull_min_logpdf": "by scale, for a c next to nothing: what is left of 1/scale - 1/scale",
    "chi2_logpdf": "near a zero of the log-density, which is a sum of rounded logarithms",
    "truncnorm_logpdf": "far in a tail or for a narrow interval, logarithms of the density and of its mass cancel",
}
