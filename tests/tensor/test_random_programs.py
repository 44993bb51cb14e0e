"""Random programs of 30 operations, in-place updates, views and broadcasts among them, differentiated by two routes:
a backward pass of the tape, and the functional `grad` of the same program."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.autodiff import grad
from gradcli.tensor import Tensor

LENGTH = 30
NUMBERS = (-1.5, -0.5, 0.25, 0.75, 1.25)


def pure(kind, a, b, number):
    if kind == "add":
        return a + b
    if kind == "product":
        return a.clone().tanh() * b.clone().sin()
    if kind == "scaled":
        return a * number
    if kind == "smooth":
        return (a.clone() * number).sin()
    if kind == "quotient":
        return a.clone() / (b.clone() * b.clone() + 2.0)
    if kind == "folded":
        return a.sum(0) if a.ndim else a.clone()
    return a.clone()


def view(kind, a, position):
    if kind == "transposed":
        return a.T
    if kind == "part":
        return a[position % a.shape[0]] if a.ndim else a[None]
    if kind == "slice":
        return a[position % 2 :] if a.ndim and a.shape[0] > 1 else a[...]
    return a.unsqueeze(0)[0]


def update(kind, a, b, number):
    if kind == "add_":
        a.add_(number)
    elif kind == "scaled_":
        a.mul_(number)
    elif kind == "neg_":
        a.neg_()
    elif kind == "filled":
        a[...] = number if not a.ndim else a.clone() * number
    elif a.ndim:
        a[0] = b.clone().sum() * number
    else:
        a.copy_(b.clone().sum())


PURE = ("add", "product", "scaled", "smooth", "quotient", "folded", "cloned")
VIEWS = ("transposed", "part", "slice", "squeezed")
UPDATES = ("add_", "scaled_", "neg_", "filled", "written")

steps = st.lists(
    st.tuples(
        st.sampled_from(PURE + VIEWS + UPDATES * 2),
        st.integers(0, 40),
        st.integers(0, 40),
        st.sampled_from(NUMBERS),
    ),
    min_size=LENGTH,
    max_size=LENGTH,
)


def fitting(pool, i, a):
    """A tensor of the pool that broadcasts with `a`."""
    found = [b for b in pool if can_join(a, b)]
    return found[i % len(found)]


def can_join(a, b):
    try:
        joined = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return False
    return len(joined) < 4


def run(program, x, w):
    """The program's result; `x` (2, 3) and `w` (3,) are Tensors that are not to be changed."""
    pool = [x * 1.0, w * 1.0, x[0] * w, Tensor(np.array([[0.5, -1.0, 0.25]]))]
    for kind, i, j, number in program:
        a = pool[i % len(pool)]
        b = fitting(pool, j, a)
        if kind in PURE:
            pool.append(pure(kind, a, b, number))
        elif kind in VIEWS:
            pool.append(view(kind, a, j))
        else:
            update(kind, a, b, number)
    total = pool[0].sum()
    for part in pool[1:]:
        total = total + part.sum()
    return total


X = np.array([[0.3, -0.7, 1.1], [0.9, 0.2, -0.4]])
W = np.array([0.6, -0.8, 0.1])


@settings(max_examples=60, deadline=None)
@given(steps)
def test_two_routes_agree(program):
    x, w = Tensor(X).requires_grad_(), Tensor(W).requires_grad_()
    result = run(program, x, w)
    result.backward()
    by_function = grad(lambda x, w: run(program, Tensor(x), Tensor(w)).value, (0, 1))(X, W)
    for leaf, expected in zip((x, w), by_function, strict=True):
        np.testing.assert_allclose(leaf.held_grad.numpy(), expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(steps)
def test_differences_agree(program):
    x = Tensor(X).requires_grad_()
    run(program, x, Tensor(W)).backward()
    direction = np.array([[0.5, -1.0, 0.25], [1.0, 0.75, -0.5]])
    step = 1e-6
    ends = [run(program, Tensor(X + s * direction), Tensor(W)).item() for s in (step, -step)]
    slope = (ends[0] - ends[1]) / (2 * step)
    assert np.isclose((x.held_grad.numpy() * direction).sum(), slope, rtol=1e-5, atol=1e-5 * (1 + abs(ends[0])))
