"""Functions that work on each element alone, at some points all over where they are defined."""

from __future__ import annotations

from functools import cache

import numpy as np

from table.accuracy import Reference, answers, reference
from table.calls import BY_NAME, Call
from table.points import columns_of, forms, pointwise_call

#: How many points a function gets.
POINTS = 24
#: Functions whose exact answers take seconds, or are none at some of the points; the benchmark measures them.
TOO_SLOW = frozenset(
    {
        *("beta", "betaln", "binom", "zeta", "zeta_torch"),
        *("betainc", "betaincc", "betaincinv", "betainccinv"),
        *("gammainc", "gammaincc", "gammaincinv", "gammainccinv"),
        *("gamma_pdf", "chi2_pdf", "invgamma_pdf", "beta_pdf"),
    }
)


@cache
def references(name: str, points: int) -> list[tuple[Call, Reference]]:
    """The calls at those points, and what is exact of them."""
    function = BY_NAME[name]
    found = forms(function)
    calls = [pointwise_call(function, form, points // len(found) + 1, points + i) for i, form in enumerate(found)]
    return [(call, reference(call, True)) for call in calls]


def far_errors(name: str, points: int = POINTS) -> list[tuple[str, float, str]]:
    """(kind, error in ulps that could be avoided, in words) of everything that the engine says there, but for values of
    which NumPy's or SciPy's are no better."""
    found = []
    for call, known in references(name, points):
        for error in known.errors(answers(call, True)):
            if error.borrowed:
                continue
            at = ", ".join(repr(x[error.place].item()) for x in columns_of(call))
            words = f"{name}({at}): {error.kind} is {error.got!r}, {error.scaled:.3g} ulp off"
            found.append((error.kind, error.scaled, words))
    return found


def far_failures(name: str, points: int = POINTS, limit: float = 1e3) -> list[str]:
    """Where errors are above a limit, by itself one that says that a formula is wrong and not just inexact."""
    with np.errstate(all="ignore"):
        return [words for _, scaled, words in far_errors(name, points) if not scaled <= limit]
