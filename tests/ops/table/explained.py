"""Functions that are less accurate than the rest, and why: see `benchmarks/accuracy.py`."""

from __future__ import annotations

#: Above these errors, in ulps and in terms of what nobody can avoid, a function is an offender.
LIMITS = {"value": 4.0, "vjp": 8.0, "jvp": 8.0}

_FACTORS = (
    "made of LAPACK's factors, which are exact for a matrix some ulps of its largest element away: a few more than the "
    "limit, in which one ulp counts"
)
_TURNS = "where an ulp of the angle is more than a turn: a slope beyond all floats may be of either sign there"
_ROUNDED_DISTANCE = (
    "x - loc is rounded before anything else: beside a constant loc of -4, a small x is known to far more digits than "
    "their difference has, as in SciPy"
)
_ROUNDED_SHARE = (
    "where x is near 1 it is rounded to few digits of 1 - x, of which the slopes are powers: they are those at the "
    "float nearest to x; and for a tiny a, by which an error of betainc is divided on its way to x"
)
#: Why an offender is one, and stays one: function -> words.
EXPLAINED: dict[str, str] = {
    "histogram_torch": "a density's widths are differences of rounded edges, as in NumPy and PyTorch: 0.1 ulp "
    "above the limit",
    **dict.fromkeys(("vonmises_logpdf", "vonmises_pdf"), _TURNS),
    **dict.fromkeys(("truncnorm_logpdf", "truncnorm_pdf"), _ROUNDED_DISTANCE),
    **dict.fromkeys(("betaincinv", "betainccinv"), _ROUNDED_SHARE),
    "hyp1f1": "SciPy's hyp1f1, by 1.5 ulp more than the limit, around -3",
    "hyp2f1": "at the float before 1, where SciPy's function, of which the slope is made, is infinite",
    "inv_boxcox1p": "where it is the power less 1: 0.1 ulp above the limit",
    "ive": "by x, beside 0, where the value that the slope is made of lies below the smallest normal float",
    **dict.fromkeys(("eig_torch", "fractional_matrix_power", "logm", "polyfit", "signm", "tanhm"), _FACTORS),
    "quantile": "a rank is the rounded product of q and n - 1, as in NumPy and PyTorch: of 0.2*5 that is 1, and the "
    "next element's weight 0, where the float 0.2 is a little more than a fifth and leaves it 6e-17",
}
