"""Formulas as a person would write them: the shortest of several forms, in bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import sympy

from gradcli.symbolic.to_sympy import LocallyConstant

#: Operations up to which each kind of rewriting is tried; beyond it SymPy may take minutes.
_MEASURED, _FACTORED, _REWRITTEN = 600, 120, 50
#: Seconds that all formulas of one call may take together.
SECONDS = 2.0


class Simplifier:
    """Rewrites formulas until its time is up; after that it only takes out common factors."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._end = time.monotonic() + seconds

    def best(self, expression: Any) -> Any:
        """The most readable form that was found."""
        if expression.is_Atom or sympy.count_ops(expression) > _MEASURED:
            return expression
        allowed = _functions(expression)
        best, measure = expression, readability(expression)
        for form in self._forms(expression):
            if _functions(form) <= allowed and form.free_symbols <= expression.free_symbols:
                found = readability(form)
                if found < measure:
                    best, measure = form, found
        return best

    def _forms(self, expression: Any) -> Iterator[Any]:
        size = sympy.count_ops(expression)
        yield from _tried(sympy.factor_terms, expression)
        if size > _FACTORED or self._late() or _of_high_degree(expression):
            return
        yield from _tried(sympy.factor, expression)
        yield from _tried(sympy.expand, expression)
        for rewrite in (sympy.powsimp, _one_fraction, sympy.cancel, _together, sympy.trigsimp, _simplified):
            if size > _REWRITTEN or self._late():
                return
            for form in _tried(rewrite, expression):
                yield form
                yield from _tried(sympy.factor_terms, form)
                yield from _tried(sympy.factor, form)

    def _late(self) -> bool:
        return time.monotonic() > self._end


def _tried(rewrite: Callable[[Any], Any], expression: Any) -> Iterator[Any]:
    """SymPy's rewriting where it works; it gives up on some expressions with errors of all kinds."""
    try:
        found = rewrite(expression)
    except (ArithmeticError, AttributeError, LookupError, NotImplementedError, RecursionError, TypeError, ValueError):
        return
    except sympy.PolynomialError:
        return
    if isinstance(found, sympy.Expr):
        yield found


def _together(expression: Any) -> Any:
    return sympy.factor(sympy.together(expression))


def _one_fraction(expression: Any) -> Any:
    """One fraction, written out above and factored below."""
    above, below = sympy.fraction(sympy.together(expression))
    return sympy.expand(above) / sympy.factor(below)


def _simplified(expression: Any) -> Any:
    return sympy.simplify(expression, ratio=1.2)


def _of_high_degree(expression: Any) -> bool:
    """Whether multiplying out would make very many terms."""
    return any(x.exp.is_Integer and abs(int(x.exp)) > 12 for x in expression.atoms(sympy.Pow))


def _functions(expression: Any) -> frozenset[Any]:
    """The functions in an expression; powers that are roots and exponentials count too."""
    found = {f.func for f in expression.atoms(sympy.Function)}
    found |= {f.func for f in expression.atoms(sympy.Piecewise, LocallyConstant)}
    return frozenset(found)


def readability(expression: Any) -> tuple[float, int, int]:
    """A measure that is smaller for what reads more easily; at equal length a product is preferred to a sum."""
    effort = float(sympy.count_ops(expression))
    for x in sympy.preorder_traversal(expression):
        if x.is_Pow:
            effort += _power_effort(x)
        elif x.is_Add:
            effort += _sum_effort(x)
    return effort, int(expression.is_Add), len(str(expression))


def _power_effort(power: Any) -> float:
    """Roots, high powers and divisions read less easily."""
    if not power.exp.is_Integer:
        return 0.5
    return 0.5 * (int(abs(int(power.exp)) > 3) + int(power.exp.is_negative))


def _sum_effort(total: Any) -> float:
    """A sum of fractions, or of multiples of one number, should have it outside."""
    factors = [x.as_coeff_Mul()[0] for x in total.args]
    if not all(c.is_Rational for c in factors):
        return 0.0
    fractions = 0.3 * sum(1 for c in factors if c.q != 1)
    return fractions + (0.3 if sympy.gcd_list([abs(c.p) for c in factors]) > 1 else 0.0)
