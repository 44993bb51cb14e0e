"""Complex scalars as pairs of real ones, so that the chain rule and its numbers stay real."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcli.symbolic.scalars import Scalar
from gradcli.symbolic.special_functions import ANALYTIC


class Complex:
    """re + i im, over a graph's scalars."""

    __slots__ = ("im", "re")

    def __init__(self, re: Any, im: Any) -> None:
        self.re = re
        self.im = im

    def __repr__(self) -> str:
        return f"<complex {self.re!r} {self.im!r}>"

    def __add__(self, other: Any) -> Any:
        re, im = parts(other)
        return Complex(self.re + re, self.im + im)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        re, im = parts(other)
        return Complex(self.re - re, self.im - im)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        re, im = parts(other)
        return Complex(self.re * re - self.im * im, self.re * im + self.im * re)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if not isinstance(other, Complex | complex):
            return Complex(self.re / other, self.im / other)
        re, im = parts(other)
        size = re * re + im * im
        return self * Complex(re / size, -im / size)

    def __rtruediv__(self, other: Any) -> Any:
        size = self.re * self.re + self.im * self.im
        return Complex(self.re / size, -self.im / size) * other

    def __neg__(self) -> Any:
        return Complex(-self.re, -self.im)

    def __pos__(self) -> Any:
        return self

    def __pow__(self, other: Any) -> Any:
        if isinstance(other, int) and 0 <= other <= 64:
            found: Any = 1
            for _ in range(other):
                found = self * found
            return found
        return exponential(logarithm(self) * other)

    def __abs__(self) -> Any:
        return (self.re * self.re + self.im * self.im).sqrt()

    def conjugate(self) -> Complex:
        """re - i im."""
        return Complex(self.re, -self.im)

    @property
    def real(self) -> Any:
        """The real part."""
        return self.re

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return self.im


def parts(x: Any) -> tuple[Any, Any]:
    """The real and the imaginary part of anything."""
    if isinstance(x, Complex):
        return x.re, x.im
    return (x.real, x.imag) if isinstance(x, complex) else (x, 0)


def _apply(name: str, *xs: Any) -> Any:
    graph = next(x.graph for x in xs if isinstance(x, Scalar))
    words = [x.index if isinstance(x, Scalar) else graph.number(x) for x in xs]
    return Scalar(graph, graph.apply(name, *words))


def exponential(z: Complex) -> Complex:
    """exp(z)."""
    size = _apply("exp", z.re)
    return Complex(size * _apply("cos", z.im), size * _apply("sin", z.im))


def logarithm(z: Complex) -> Complex:
    """The principal logarithm."""
    return Complex(_apply("log", z.re * z.re + z.im * z.im) / 2, _apply("atan2", z.im, z.re))


def root(z: Complex) -> Complex:
    """The principal square root."""
    return exponential(logarithm(z) / 2)


def sine(z: Complex) -> Complex:
    """sin(z)."""
    return Complex(
        _apply("sin", z.re) * _apply("cosh", z.im),
        _apply("cos", z.re) * _apply("sinh", z.im),
    )


def cosine(z: Complex) -> Complex:
    """cos(z)."""
    return Complex(
        _apply("cos", z.re) * _apply("cosh", z.im),
        -(_apply("sin", z.re) * _apply("sinh", z.im)),
    )


def turned(z: Complex) -> Complex:
    """i z."""
    return Complex(-z.im, z.re)


def hyperbolic_sine(z: Complex) -> Complex:
    """sinh(z) = -i sin(i z)."""
    w = sine(turned(z))
    return Complex(w.im, -w.re)


def hyperbolic_cosine(z: Complex) -> Complex:
    """cosh(z) = cos(i z)."""
    return cosine(turned(z))


def inverse_sine(z: Complex) -> Complex:
    """arcsin(z) = -i log(i z + sqrt(1 - z**2))."""
    w = logarithm(turned(z) + root(1 - z * z))
    return Complex(w.im, -w.re)


def inverse_tangent(z: Complex) -> Complex:
    """arctan(z) = i/2 (log(1 - i z) - log(1 + i z))."""
    w = logarithm(1 - turned(z)) - logarithm(1 + turned(z))
    return Complex(-w.im / 2, w.re / 2)


def inverse_hyperbolic_tangent(z: Complex) -> Complex:
    """arctanh(z) = (log(1 + z) - log(1 - z))/2."""
    w = logarithm(1 + z) - logarithm(1 - z)
    return Complex(w.re / 2, w.im / 2)


def analytic(name: str, z: Complex, *before: Any, order: int = 0) -> Complex:
    """A derivative of a function of which the real and imaginary parts are scalar functions of their own; `before`
    stands before z, and is real."""
    return Complex(*(_apply(f"{part}:{name}", order, *before, *parts(z)) for part in ("re", "im")))


def _analytic(name: str) -> Callable[[Complex], Complex]:
    return lambda z: analytic(name, z)


#: What is defined on complex scalars, by the namespace's names.
FUNCTIONS: dict[str, Callable[[Complex], Any]] = {
    "exp": exponential,
    "log": logarithm,
    "sqrt": root,
    "sin": sine,
    "cos": cosine,
    "tan": lambda z: sine(z) / cosine(z),
    "sinh": hyperbolic_sine,
    "cosh": hyperbolic_cosine,
    "tanh": lambda z: hyperbolic_sine(z) / hyperbolic_cosine(z),
    "abs": abs,
    "sign": lambda z: z / abs(z),
    "asin": inverse_sine,
    "acos": lambda z: _apply("acos", z.re * 0) - inverse_sine(z),
    "atan": inverse_tangent,
    "asinh": lambda z: logarithm(z + root(z * z + 1)),
    "acosh": lambda z: logarithm(z + root(z + 1) * root(z - 1)),
    "atanh": inverse_hyperbolic_tangent,
    **{name: _analytic(name) for name in ANALYTIC if not name.startswith("bessel")},
}
