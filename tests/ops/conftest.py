"""What holds for every op and function, whatever it computes; a test hands one call and gets all of it checked.

The helpers beside these tests, in `table/`, are made importable here.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

from gradcli import autodiff
from gradcli.autodiff import trees
from gradcli.autodiff.batch import Batched, BatchLevel
from gradcli.autodiff.levels import opened
from gradcli.graph.bind import bind, infer
from gradcli.graph.node import PICK
from gradcli.graph.recording import Recording
from gradcli.graph.values import Spec
from gradcli.ops.registry import load_all

sys.path.insert(0, str(Path(__file__).parent))
load_all()


def is_shape(x):
    return isinstance(x, tuple) and all(type(n) is int for n in x)


def is_float_array(x):
    return isinstance(x, np.ndarray) and x.dtype.kind in "fc"


class Call:
    """A call of a function with its float arrays, wherever they stand in the arguments, made free."""

    def __init__(self, function, args, kwargs, seed=0):
        generator = np.random.default_rng(seed)
        self.function = function
        self.kwargs = kwargs
        self.args = [generator.uniform(-2, 2, x) if is_shape(x) else x for x in args]
        self.floats = [x for x in trees.leaves(self.args) if is_float_array(x)]

    def __call__(self, *floats):
        found = iter(floats)
        args = self._filled(self.args, found)
        return self.function(*args, **self.kwargs)

    def _filled(self, tree, found):
        if isinstance(tree, list | tuple):
            parts = [self._filled(part, found) for part in tree]
            return tuple(parts) if isinstance(tree, tuple) else parts
        return next(found) if is_float_array(tree) else tree


def flat(tree):
    return [np.asarray(x) for x in trees.leaves(tree)]


def dot(xs, ys):
    return sum(np.sum(np.asarray(x) * np.asarray(y)) for x, y in zip(xs, ys, strict=True))


class Laws:
    """Checks, each of one `Call`."""

    def all(self, call, *, second=True):
        """Everything that must hold."""
        self.shapes(call)
        self.batches(call)
        self.exact(call)
        self.memory(call)
        if call.floats and self.carries(call):
            self.derivatives(call)
            self.float32(call)
            if second:
                self.second_derivatives(call)

    def carries(self, call):
        return any(y.dtype.kind in "fc" for y in flat(call(*call.floats)))

    def nodes(self, call):
        with Recording() as recording:
            inputs = [recording.input(f"x{i}", x) for i, x in enumerate(call.floats)]
            call(*inputs)
        return [node for node in recording.nodes if node.op is not None and node.op is not PICK]

    def shapes(self, call):
        """The shape rule of every op that runs says what comes out."""
        for node in self.nodes(call):
            operands = [getattr(x, "value", x) for x in node.inputs]
            said = infer(node.op, operands, node.params)
            got = node.value if isinstance(node.value, tuple) else (node.value,)
            said = (said,) if isinstance(said, Spec) else said
            assert [(s.shape, s.dtype) for s in said] == [(y.shape, y.dtype) for y in got], node

    def batches(self, call):
        """The batch rule of every op that runs agrees with a loop, whichever of its operands are batched."""
        for node in self.nodes(call):
            operands = [getattr(x, "value", x) for x in node.inputs]
            spots = [i for i, x in enumerate(operands) if isinstance(x, np.ndarray | np.generic)]
            for count in range(1, min(len(spots), 3) + 1):
                for chosen in itertools.combinations(spots, count):
                    self.batch(node.op, operands, node.params, chosen)

    def batch(self, op, operands, params, chosen, size=3):
        """One op with some operands batched."""
        variants = {
            i: np.stack([np.roll(operands[i], b) + (b if operands[i].dtype.kind == "f" else 0) for b in range(size)])
            for i in chosen
        }
        variants = {i: v.astype(operands[i].dtype) for i, v in variants.items()}
        with opened(BatchLevel) as level:
            level.size = size
            given = [Batched(level, variants[i]) if i in variants else x for i, x in enumerate(operands)]
            got = bind(op, *given, **params)
        got = got if isinstance(got, tuple) else (got,)
        for b in range(size):
            one = [variants[i][b] if i in variants else x for i, x in enumerate(operands)]
            expected = bind(op, *one, **params)
            expected = expected if isinstance(expected, tuple) else (expected,)
            for y, e in zip(got, expected, strict=True):
                assert y.shape == e.shape, (op, params, chosen)
                np.testing.assert_allclose(y.value[b], e, rtol=1e-14, atol=1e-14, err_msg=f"{op} {params} {chosen}")

    def exact(self, call):
        """The meaning of every op that runs, on arrays of objects, is its value."""
        for node in self.nodes(call):
            operands = [getattr(x, "value", x) for x in node.inputs]
            objects = [
                np.asarray(x, dtype=object) if np.asarray(x).dtype.kind in "fc" else np.asarray(x) for x in operands
            ]
            if node.op.promotes or node.op.name == "astype":
                continue
            got = node.op.meaning(None, *objects, **node.params)
            pairs = zip(got, node.value, strict=True) if isinstance(node.value, tuple) else [(got, node.value)]
            for g, v in pairs:
                assert np.shape(g) == v.shape, node
                np.testing.assert_allclose(np.asarray(g, dtype=v.dtype), v, rtol=1e-13, atol=1e-13, err_msg=str(node))

    def memory(self, call):
        """How an argument lies in memory does not matter, and no argument is changed."""
        before = [x.copy() for x in call.floats]
        plain = flat(call(*call.floats))
        strided = [np.repeat(x[..., None], 2, -1)[..., 0] for x in call.floats]
        reverse = [x.copy(order="F")[tuple(slice(None, None, -1) for _ in x.shape)] for x in call.floats]
        reverse = [x[tuple(slice(None, None, -1) for _ in x.shape)] for x in reverse]
        for variant in (strided, reverse):
            for y, e in zip(flat(call(*variant)), plain, strict=True):
                np.testing.assert_allclose(y, e, rtol=1e-13, atol=1e-13)
        for x, b in zip(call.floats, before, strict=True):
            np.testing.assert_array_equal(x, b)

    def derivatives(self, call):
        """jvp against differences, vjp against jvp, and both kinds of Jacobian against each other."""
        generator = np.random.default_rng(1)
        tangents = [generator.uniform(-1, 1, x.shape) for x in call.floats]
        value, moved = autodiff.jvp(call, call.floats, tangents)
        coarsest = max((np.finfo(y.dtype).eps for y in flat(value) if y.dtype.kind in "fc"), default=1e-16)
        step = 1e-6 if coarsest < 1e-9 else 0.1
        near = {"rtol": 1e-6, "atol": 1e-8} if coarsest < 1e-9 else {"rtol": 0.01, "atol": 40 * coarsest}
        above = flat(call(*[x + step * t for x, t in zip(call.floats, tangents, strict=True)]))
        below = flat(call(*[x - step * t for x, t in zip(call.floats, tangents, strict=True)]))
        for m, a, b in zip(flat(moved), above, below, strict=True):
            if m.dtype.kind in "fc":
                np.testing.assert_allclose(m, (a - b) / (2 * step), **near)
        cotangents = [generator.uniform(-1, 1, y.shape) for y in flat(value)]
        _, pullback = autodiff.vjp(call, *call.floats)
        pulled = pullback(trees.like(value, cotangents))
        assert [p.shape for p in pulled] == [x.shape for x in call.floats]
        tolerance = max(1e-11, 40 * coarsest)
        np.testing.assert_allclose(dot(cotangents, flat(moved)), dot(pulled, tangents), rtol=tolerance, atol=tolerance)
        every = range(len(call.floats))
        forward = flat(autodiff.jacfwd(call, tuple(every))(*call.floats))
        reverse = flat(autodiff.jacrev(call, tuple(every))(*call.floats))
        for a, b in zip(forward, reverse, strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)

    def second_derivatives(self, call):
        """Forward over reverse, reverse over reverse and reverse over forward agree."""

        def scalar(*floats):
            total = 0.0
            for y in trees.leaves(call(*floats)):
                if y.dtype.kind == "f":
                    size = int(np.prod(y.shape))
                    weights = np.linspace(0.5, 1.5, max(size, 1))[:size].reshape(y.shape)
                    from gradcli.graph.values import OPERATORS

                    total = total + OPERATORS["sum_to"](weights * y * y * y, ())
            return total

        every = tuple(range(len(call.floats)))
        gradient = autodiff.grad(scalar, every)
        first = flat(autodiff.jacfwd(gradient, every)(*call.floats))
        second = flat(autodiff.jacrev(gradient, every)(*call.floats))
        third = flat(autodiff.jacrev(autodiff.jacfwd(scalar, every), every)(*call.floats))
        for a, b, c in zip(first, second, third, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)
            np.testing.assert_allclose(a, c, rtol=1e-11, atol=1e-11)

    def float32(self, call):
        """Single precision in gives single precision out, derivatives included."""
        if any(x.dtype == np.complex128 for x in flat(call(*call.floats))):
            return
        floats = [x.astype(np.float32) for x in call.floats]
        value, pullback = autodiff.vjp(call, *floats)
        wide = flat(call(*call.floats))
        for y, e in zip(flat(value), wide, strict=True):
            np.testing.assert_allclose(y, e, rtol=1e-5, atol=1e-5)
        pulled = pullback(trees.like(value, [np.ones(y.shape, y.dtype) for y in flat(value)]))
        assert all(p.dtype == np.float32 for p in pulled)


@pytest.fixture(scope="session")
def laws():
    """The checks of this module; `laws.all(call)` makes all of them."""
    return Laws()


@pytest.fixture(scope="session")
def make_call():
    """`make_call(function, args, kwargs)`: a call as the checks take it."""
    return Call
