"""The functions of jax.lax that are others of the table under names of their own."""

from __future__ import annotations

#: Name in jax.lax -> (module, name).
LAX: dict[str, tuple[str, str]] = {
    **{
        name: ("numpy", name)
        for name in [
            "abs",
            "acos",
            "acosh",
            "add",
            "asin",
            "asinh",
            "atan",
            "atan2",
            "atanh",
            "bitwise_and",
            "bitwise_or",
            "bitwise_xor",
            "broadcast_shapes",
            "cbrt",
            "ceil",
            "conj",
            "cos",
            "cosh",
            "exp",
            "exp2",
            "expm1",
            "floor",
            "full_like",
            "imag",
            "log",
            "log1p",
            "nextafter",
            "pow",
            "real",
            "reciprocal",
            "sign",
            "sin",
            "sinh",
            "sqrt",
            "square",
            "tan",
            "tanh",
            "tile",
        ]
    },
    **{name: ("torch", name) for name in ("eq", "erf", "erfc", "ge", "gt", "le", "lt", "mul", "ne", "neg", "sub")},
    "bitwise_not": ("numpy", "invert"),
    "digamma": ("scipy.special", "digamma"),
    "erf_inv": ("scipy.special", "erfinv"),
    "is_finite": ("numpy", "isfinite"),
    "lgamma": ("scipy.special", "gammaln"),
    "logistic": ("scipy.special", "expit"),
    "max": ("numpy", "maximum"),
    "min": ("numpy", "minimum"),
}
