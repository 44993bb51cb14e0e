"""Long loops, deep recursion and large graphs: no recursion of our own, little memory, cost in proportion."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

import gradcli.language.checkpointing  # noqa: F401  (loaded here, lest its own memory be counted)
from gradcli.autodiff import Linearized, grad, jvp
from gradcli.graph.values import concrete
from gradcli.language import Program, Source
from gradcli.language.options import RunOptions

STEP = "y = y*0.99999 + 0.00001*sin(y)"


def function(text: str, **options: int):
    program = Program.parse(Source("test", text))
    return lambda *xs: program.function(["x"], {}, options=RunOptions(**options))(*xs)


def by_hand(y: float, steps: int) -> tuple[float, float]:
    """The value and the derivative after so many steps."""
    dy = 1.0
    for _ in range(steps):
        y, dy = y * 0.99999 + 0.00001 * np.sin(y), dy * (0.99999 + 0.00001 * np.cos(y))
    return y, dy


def test_a_long_loop_in_both_modes():
    f = function(f"y = x\nfor i in range(5000):\n    {STEP}\ny")
    value, slope = by_hand(0.5, 5_000)
    x = np.array(0.5)
    assert float(concrete(f(x))) == pytest.approx(value, rel=1e-13)
    assert float(grad(f)(x)) == pytest.approx(slope, rel=1e-12)
    assert float(jvp(f, (x,), (np.ones(()),))[1]) == pytest.approx(slope, rel=1e-12)


def test_a_loop_that_ends_on_data_differentiated_twice():
    f = function("y = x\nwhile y < 1000:\n    y = y*x\ny")
    assert float(grad(grad(f))(np.array(1.01))) == pytest.approx(695 * 694 * 1.01**693, rel=1e-11)


@pytest.mark.parametrize(("depth", "options"), [(500, {}), (5_000, {"max_depth": 5_100})])
def test_deep_recursion(depth, options):
    step = STEP.removeprefix("y = ")
    text = f"def f(y, n):\n    if n == 0:\n        return y\n    return f({step}, n - 1)\nf(x, {depth})"
    f = function(text, **options)
    assert float(grad(f)(np.array(0.5))) == pytest.approx(by_hand(0.5, depth)[1], rel=1e-12)


def test_memory_of_a_node():
    """Its slots, its inputs, its number, its place in order, and nothing else."""
    f = function(f"y = x\nfor i in range(1000):\n    {STEP}\ny")
    gc.collect()
    tracemalloc.start()
    run = Linearized(lambda x: [f(x)], [np.array(0.5)])
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held / 4_000 < 300
    assert run.values


def test_a_graph_dies_with_its_last_user():
    """A chain is let go without a recursion that would overflow the stack, in backward() programs too."""
    text = "y = x*1\ny.requires_grad_()\nz = y\nfor i in range(20000):\n    z = z*0.9999\nz.backward()\nz = 0.0\ny.grad"
    assert float(function(text)(np.array(0.5))) == pytest.approx(0.9999**20_000, rel=1e-9)


def test_a_loop_that_reads_its_input_costs_in_proportion():
    """Reading many elements one by one, and the same by a scan."""
    n = 5_000
    x = np.linspace(-1, 1, n)
    weights = 0.9 ** np.arange(n - 1, -1, -1)
    read = function(f"h = 0.0\nfor i in range({n}):\n    h = 0.9*h + sin(x[i])\nh")
    scan = function("c, hs = scan(lambda h, t: (0.9*h + sin(t), h), 0.0, x)\nc + 0*sum(hs)")
    for f in (read, scan):
        np.testing.assert_allclose(grad(f)(x), weights * np.cos(x), rtol=1e-12, atol=1e-300)


def test_checkpoints_bound_the_memory_of_a_loop():
    segments = (
        f"def segment(y):\n    for i in range(200):\n        {STEP}\n    return y\n"
        "y = x\nfor k in range(15):\n    y = KEEP(segment)(y)\ny"
    )
    peaks = []
    for keep in ("", "checkpoint"):
        f = function(segments.replace("KEEP", keep))
        gc.collect()
        tracemalloc.start()
        assert float(grad(f)(np.array(0.5))) == pytest.approx(by_hand(0.5, 3_000)[1], rel=1e-12)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] / 5
