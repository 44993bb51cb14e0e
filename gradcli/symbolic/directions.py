"""What can still be said of a derivative that is too large to be proved: whether it holds along some random directions.

Differences of the program along a direction v, extrapolated to step zero, must be the claimed derivative times v. That
is no proof: an error that is small beside the whole, or that v hardly meets, is not seen. But what disagrees is wrong.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from gradcli.graph.errors import GradcliError
from gradcli.graph.values import concrete
from gradcli.symbolic.claimed import claim_of
from gradcli.symbolic.numeric import extrapolated
from gradcli.symbolic.task import Block, Rerun, Task

#: How many directions are taken, at most, and in how many seconds.
_DIRECTIONS, _SECONDS = 3, 60.0
#: How far the first step goes, relative to the elements.
_STEP = 0.05
#: How many times the estimated error of the differences is allowed.
_ERRORS = 10.0

Array = Any


class Evidence:
    """What the directions say.

    Attributes:
        looked: how many there were.
        agreement: the largest difference, relative to the derivative along its direction.
        wrong: the labels of claims that disagree by more than the differences can be off.
    """

    def __init__(self) -> None:
        self.looked = 0
        self.agreement = 0.0
        self.wrong: dict[str, tuple[Any, Any]] = {}


def evidence(task: Task, rerun: Rerun, rtol: float) -> Evidence:
    """Compare what is claimed with differences along random directions, each input by itself."""
    found = Evidence()
    end = time.monotonic() + _SECONDS
    for seed in range(_DIRECTIONS):
        for name in task.inputs:
            if time.monotonic() > end:
                return found
            _look(found, task, rerun, name, np.random.default_rng(seed), rtol)
        found.looked += 1
    return found


def _look(found: Evidence, task: Task, rerun: Rerun, name: str, generator: np.random.Generator, rtol: float) -> None:
    x = np.asarray(concrete(task.inputs[name].value))
    v = _direction(x, generator)

    def outputs(step: float) -> list[Array]:
        return [np.asarray(concrete(y)) for y in rerun({name: (x + step * v).astype(x.dtype)})[1]]

    def along(step: float) -> Array:
        return np.concatenate([y.ravel() for y in outputs(step)]).astype(np.result_type(x.dtype, np.float64))

    try:
        here = along(0.0)
        eps = float(np.finfo(x.dtype).eps)
        estimate = extrapolated(lambda h: (along(h) - along(-h)) / (2 * h), here, _STEP, eps=eps)
    except GradcliError:
        return
    start = 0
    for block in task.blocks:
        if block.column != name:
            continue
        rows = slice(start, start + block.size)
        start = rows.stop
        _compare(found, block, v, estimate.value[rows], estimate.error[rows], rtol)


def _direction(x: Array, generator: np.random.Generator) -> Array:
    """Random, each element relative to its own size."""
    size = np.where(np.abs(x) > 1e-8, np.abs(x), 1.0)
    v = generator.normal(size=x.shape)
    return (v + 1j * generator.normal(size=x.shape)) * size if x.dtype.kind == "c" else v * size


def _compare(found: Evidence, block: Block, v: Array, moved: Array, error: Array, rtol: float) -> None:
    """`moved` is the change of the outputs along v; a claim by complex numbers is of their real parts' change."""
    claimed = claim_of(block.got, block.size).times(v.ravel())
    claimed = claimed.real if v.dtype.kind == "c" else claimed
    exact = moved.real if v.dtype.kind == "c" else moved
    gap = np.abs(claimed - exact)
    size = np.maximum(np.abs(exact), np.finfo(float).tiny)
    found.agreement = max(found.agreement, float(np.max(gap / size, initial=0.0)))
    off = gap > rtol * np.abs(exact) + _ERRORS * error
    telling = error * _ERRORS < 1e-4 * size
    for i in np.nonzero(off & telling)[0][:1]:
        found.wrong.setdefault(block.label, (claimed[i].item(), exact[i].item()))


def sentence(found: Evidence) -> str:
    """What the directions say, for a report."""
    how_many = f"{found.looked} random direction" + ("s" if found.looked != 1 else "")
    if found.wrong:
        return f"along {how_many}: it differs from what differences of the program give"
    return f"along {how_many}: differences of the program agree with it to {found.agreement:.1g}, which is no proof"
