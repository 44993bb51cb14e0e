"""The chain in NumPy, with the funnel's gradient by hand, and the chain's derivative by complex steps."""

from __future__ import annotations

import numpy as np
import pytest


def potential(q):
    return q[0] ** 2 / 18 + np.sum(q[1:] ** 2) * np.exp(-q[0]) / 2 + (len(q) - 1) * q[0] / 2


def slope(q):
    first = q[0] / 9 - np.sum(q[1:] ** 2) * np.exp(-q[0]) / 2 + (len(q) - 1) / 2
    return np.array([first, *(q[1:] * np.exp(-q[0]))])


def statistic(start, momenta, uniforms, step, leaps=10):
    q, chain, taken = start, [], 0
    for p, u in zip(momenta, uniforms, strict=True):
        new, momentum = q, p - step / 2 * slope(q)
        for _ in range(leaps):
            new = new + step * momentum
            momentum = momentum - step * slope(new)
        momentum = momentum + step / 2 * slope(new)
        before, after = (potential(a) + np.sum(b**2) / 2 for a, b in ((q, p), (new, momentum)))
        if np.log(u) < (before - after).real:
            q = new
            taken += 1
        chain.append(q)
    return np.mean(np.array(chain)[:, 1:] ** 2), taken


@pytest.mark.parametrize(("step", "taken"), [(0.15, 6), (0.4, 4)])
def test_gradient(data, answer, complex_step, agree, step: float, taken: int) -> None:
    given = data("hmc") | {"step": np.array(step)}
    found = answer("grad", "hmc", "--wrt", "start,momenta,step", f"step={step}")
    value, accepted = statistic(**given)
    assert accepted == taken
    agree(found.value, value)
    agree(found.by, complex_step(lambda **given: statistic(**given)[0], given, "start", "momenta", "step"))
