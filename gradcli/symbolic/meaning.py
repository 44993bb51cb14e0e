"""The namespace S in which ops state their meaning: scalar functions over a graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from mpmath import libmp
from mpmath.libmp import finf, fnan, fninf

from gradcli.symbolic import complexes
from gradcli.symbolic.complexes import Complex
from gradcli.symbolic.evaluate import Reader
from gradcli.symbolic.functions import FUNCTIONS
from gradcli.symbolic.implicit import implicit
from gradcli.symbolic.numbers import ZERO, Number, digits_of, to_float, two_to
from gradcli.symbolic.scalars import Graph, Scalar, Unprovable

#: Names that meanings may use beside those of the elementary functions themselves.
_ALIASES = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "gammaln": "loggamma",
    "lgamma": "loggamma",
}
#: What is no finite number, as mpmath has it.
_HOLES = {fnan: math.nan, finf: math.inf, fninf: -math.inf}


class Unknown(Exception):
    """A value, or a choice by it, was asked for where values are not known, or where they tie."""


class Namespace:
    """Scalar functions of exact numbers.

    Arguments of the functions are scalars of the graph, complex pairs of them, or Python and NumPy numbers.

    Attributes:
        ties_matter: whether `argmax` refuses to choose among equals, so that the choice stays in the graph.
        has_no_form: whether a meaning asked for values that are not known, being a solution of equations.
    """

    Unknown = Unknown
    true = True
    false = False

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.ties_matter = False
        self.has_no_form = False

    @property
    def pi(self) -> Scalar:
        """The circle's number itself, not a float near it."""
        return self._scalar(self.graph.apply("pi"))

    def number(self, x: Any) -> Any:
        """The exact value of a number."""
        return x if isinstance(x, Scalar | Complex) else self.lifted(x)

    def lifted(self, x: Any) -> Any:
        """A number as a scalar of the graph; a complex number as a pair."""
        if isinstance(x, Scalar | Complex):
            return x
        if isinstance(x, complex | np.complexfloating):
            z = complex(x)
            return Complex(self.lifted(z.real), self.lifted(z.imag))
        return self._scalar(self.graph.number(x))

    def _scalar(self, index: int) -> Scalar:
        return Scalar(self.graph, index)

    def _apply(self, name: str, *xs: Any) -> Any:
        words = [self.lifted(x) for x in xs]
        if any(isinstance(x, Complex) for x in words):
            return self._of_complex(name, words)
        orders = FUNCTIONS[name].orders if name in FUNCTIONS else 0
        if orders and len(words) == FUNCTIONS[name].arity - orders:
            words = [self.lifted(0)] * orders + words
        return self._scalar(self.graph.apply(name, *(x.index for x in words)))

    def _of_complex(self, name: str, words: Sequence[Any]) -> Any:
        if name == "pow":
            base, exponent = words
            return complexes.exponential(complexes.logarithm(self._pair(base)) * exponent)
        if name == "eq":
            a, b = (self._pair(x) for x in words)
            return self.and_(self.eq(a.re, b.re), self.eq(a.im, b.im))
        if name in complexes.FUNCTIONS and len(words) == 1:
            return complexes.FUNCTIONS[name](words[0])
        if name.startswith("bessel") and not isinstance(words[0], Complex):
            return complexes.analytic(name, words[1], words[0])
        raise Unprovable(f"{name} of complex numbers can't be proved")

    def _pair(self, x: Any) -> Complex:
        re, im = complexes.parts(x)
        return Complex(self.lifted(re), self.lifted(im))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Every elementary function is here under its own name."""
        own = _ALIASES.get(name, name)
        if own not in FUNCTIONS:
            raise Unprovable(f"the function {name} has no exact form here")

        def function(*xs: Any) -> Any:
            return self._apply(own, *xs)

        setattr(self, name, function)
        return function

    def pow(self, x: Any, y: Any) -> Any:
        """x to the power y; a whole power of a complex number by multiplication."""
        if isinstance(x, Complex):
            whole = _whole(y)
            if whole is not None and abs(whole) <= 64:
                return x**whole if whole >= 0 else 1 / x**-whole
        return self._apply("pow", x, y)

    def digamma(self, x: Any) -> Any:
        """The logarithmic derivative of gamma."""
        return self.polygamma(0, x)

    def polygamma(self, n: int, x: Any) -> Any:
        """The derivative of order n of digamma."""
        z = self.lifted(x)
        return complexes.analytic("digamma", z, order=n) if isinstance(z, Complex) else self._apply("polygamma", n, z)

    def dawson(self, n: int, x: Any) -> Any:
        """The derivative of order n of Dawson's integral."""
        z = self.lifted(x)
        return complexes.analytic("dawson", z, order=n) if isinstance(z, Complex) else self._apply("dawson", n, z)

    def expm1(self, x: Any) -> Any:
        """exp(x) - 1, whose digits near 0 cost no precision."""
        z = self.lifted(x)
        return self.exp(z) - 1 if isinstance(z, Complex) else self._apply("expm1", z)

    def log1p(self, x: Any) -> Any:
        """log(1 + x), whose digits near 0 cost no precision."""
        z = self.lifted(x)
        return self.log(1 + z) if isinstance(z, Complex) else self._apply("log1p", z)

    # --- choices -----------------------------------------------------------------------------------------------------

    def sum(self, xs: Sequence[Any]) -> Any:
        """The sum of numbers."""
        return self._joined(list(xs), None)

    def dot(self, xs: Sequence[Any], ys: Sequence[Any]) -> Any:
        """The sum of products, of numbers and as many others."""
        return self._joined(list(xs), list(ys))

    def _joined(self, xs: list[Any], ys: list[Any] | None) -> Any:
        """A sum or an inner product as one scalar of the graph; of complex numbers by their parts."""
        graph = self.graph
        words = [[self.lifted(x) for x in part] for part in (xs, ys) if part is not None]
        if any(isinstance(x, Complex) for part in words for x in part):
            return self._joined_parts(*words)
        found = [[x.index for x in part] for part in words]
        return self._scalar(graph.total(found[0]) if ys is None else graph.inner(*found))

    def _joined_parts(self, xs: list[Any], ys: list[Any] | None = None) -> Any:
        a, b = ([complexes.parts(x)[n] for x in xs] for n in (0, 1))
        if ys is None:
            return Complex(self.sum(a), self.sum(b))
        c, d = ([complexes.parts(y)[n] for y in ys] for n in (0, 1))
        return Complex(self.dot([*a, *b], [*c, *(-self.lifted(y) for y in d)]), self.dot([*a, *b], [*d, *c]))

    def where(self, c: Any, a: Any, b: Any) -> Any:
        """a where c holds, else b."""
        if not isinstance(c, Scalar):
            return self.lifted(a if c else b)
        x, y = self.lifted(a), self.lifted(b)
        if isinstance(x, Complex) or isinstance(y, Complex):
            left, right = self._pair(x), self._pair(y)
            return Complex(self.where(c, left.re, right.re), self.where(c, left.im, right.im))
        return self._apply("where", c, x, y)

    def hole(self, x: Any) -> float | None:
        """What an input is that is nan or infinite; None for every other number."""
        z = self.lifted(x)
        raw = None if isinstance(z, Complex) else self.graph.numbers.get(z.index)
        return _HOLES.get(raw)

    def argmax(self, cells: Sequence[Any]) -> int:
        """Which of the numbers is largest, the first of them.

        Raises:
            Unknown: the values are not known, or some tie and ties matter.
        """
        known = self._known(cells)
        best = 0
        with digits_of(50):  # where what is undefined compares, and is never larger
            for i, x in enumerate(known):
                if x > known[best]:
                    best = i
        if self.ties_matter and any(_tied(x, known[best]) for i, x in enumerate(known) if i != best):
            raise Unknown
        return best

    def order(self, cells: Sequence[Any]) -> list[int]:
        """The places of numbers from the smallest to the largest, of equal ones the first before the others, nan last.

        Raises:
            Unknown: the values are not known, or some tie and ties matter.
        """
        known = self._known(cells)
        with digits_of(50):
            keys = [(x.is_nan(), ZERO if x.is_nan() else x) for x in known]
            found = sorted(range(len(keys)), key=keys.__getitem__)
        if self.ties_matter and any(_tied(known[a], known[b]) for a, b in pairwise(found)):
            raise Unknown
        return found

    def _known(self, cells: Sequence[Any]) -> list[Number]:
        """The values of real numbers that are to be put in order.

        Raises:
            Unknown: some are not known.
        """
        if any(isinstance(x, Complex) for x in cells):
            raise Unprovable("complex numbers have no order")
        reader = self.graph.reader(Reader)
        values = [reader.number(self.lifted(x).index) for x in cells]
        known = [x for x in values if x is not None]
        if len(known) < len(values):
            raise Unknown
        return known

    # --- results that equations define --------------------------------------------------------------------------------

    def implicit(self, equations: Callable[[list[Any]], Sequence[Any]], start: Sequence[Any]) -> list[Any]:
        """The solution of equations near `start`, see `gradcli.symbolic.implicit`.

        Raises:
            Unprovable: there is none, or the equations are singular there.
        """
        return list(implicit(self.graph, equations, start))

    # --- comparisons and logic: truths are the numbers 0 and 1 -------------------------------------------------------

    def gt(self, a: Any, b: Any) -> Any:
        """Whether a > b."""
        return self.lt(b, a)

    def ge(self, a: Any, b: Any) -> Any:
        """Whether a >= b."""
        return self.le(b, a)

    def ne(self, a: Any, b: Any) -> Any:
        """Whether a != b."""
        return self.not_(self.eq(a, b))

    def and_(self, a: Any, b: Any) -> Any:
        """Whether both hold."""
        return self._apply("and", a, b)

    def or_(self, a: Any, b: Any) -> Any:
        """Whether either holds."""
        return self._apply("or", a, b)

    def not_(self, a: Any) -> Any:
        """Whether it does not hold."""
        return self._apply("not", a)

    def xor(self, a: Any, b: Any) -> Any:
        """Whether just one holds."""
        return self.or_(self.and_(a, self.not_(b)), self.and_(self.not_(a), b))

    def bit_and(self, a: Any, b: Any) -> Any:
        """Masks: whether both hold."""
        return self.and_(a, b)

    def bit_or(self, a: Any, b: Any) -> Any:
        """Masks: whether either holds."""
        return self.or_(a, b)

    def bit_xor(self, a: Any, b: Any) -> Any:
        """Masks: whether just one holds."""
        return self.xor(a, b)

    def invert(self, a: Any) -> Any:
        """Masks: whether it does not hold."""
        return self.not_(a)

    # --- complex parts -----------------------------------------------------------------------------------------------

    def re(self, x: Any) -> Any:
        """The real part."""
        return self.lifted(complexes.parts(x)[0])

    def im(self, x: Any) -> Any:
        """The imaginary part."""
        return self.lifted(complexes.parts(x)[1])

    def conj(self, x: Any) -> Any:
        """The complex conjugate."""
        return self.lifted(x).conjugate()

    # --- values: last, as it hides Python's own name

    def float(self, x: Any) -> float:
        """The float nearest to a number's value.

        Raises:
            Unknown: the value is not known.
        """
        if isinstance(x, Complex):
            raise Unprovable("a complex number is no float: ask for its parts")
        value = self.graph.reader(Reader).number(self.lifted(x).index)
        if value is None:
            self.has_no_form = True
            raise Unknown
        return to_float(value)


def _whole(x: Any) -> int | None:
    """A number that is a whole one, as an int."""
    if isinstance(x, Scalar):
        raw = x.graph.numbers[x.index] if x.graph.is_number(x.index) else None
        return int(libmp.to_int(raw)) if raw is not None and raw[2] >= 0 else None
    return int(x) if isinstance(x, int | float | np.number) and int(x) == x else None


def _tied(x: Number, y: Number) -> bool:
    """Whether two numbers are equal, up to what a float would show."""
    if x == y:
        return True
    with digits_of(50):
        return x.is_finite() and y.is_finite() and abs(x - y) <= abs(y) * two_to(-48)
