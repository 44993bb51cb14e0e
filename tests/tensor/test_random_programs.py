"""Random programs of 30 operations, in-place updates, views and broadcasts among them, differentiated by two routes:
a backward pass of the tape, and the functional `grad` of the same program. Short ones are differentiated by SymPy too,
which runs the same steps on arrays of its own expressions and knows neither route."""

from __future__ import annotations

import mpmath
import numpy as np
import sympy
from hypothesis import Phase, given, settings
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

step = st.tuples(
    st.sampled_from(PURE + VIEWS + UPDATES * 2),
    st.integers(0, 40),
    st.integers(0, 40),
    st.sampled_from(NUMBERS),
)
steps = st.lists(step, min_size=LENGTH, max_size=LENGTH)
few_steps = st.lists(step, min_size=6, max_size=6)
#: A failing program is shown as it was drawn: to make one of 30 steps smaller takes minutes.
BOUNDED = {"deadline": None, "phases": (Phase.explicit, Phase.reuse, Phase.generate)}


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


def run(program, x, w, constant=Tensor):
    """The program's result; `x` (2, 3) and `w` (3,) are tensors that are not to be changed."""
    pool = [x * 1.0, w * 1.0, x[0] * w, constant(np.array([[0.5, -1.0, 0.25]]))]
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


@settings(max_examples=60, **BOUNDED)
@given(steps)
def test_two_routes_agree(program):
    x, w = Tensor(X).requires_grad_(), Tensor(W).requires_grad_()
    result = run(program, x, w)
    result.backward()
    by_function = grad(lambda x, w: run(program, Tensor(x), Tensor(w)).value, (0, 1))(X, W)
    for leaf, expected in zip((x, w), by_function, strict=True):
        np.testing.assert_allclose(leaf.held_grad.numpy(), expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=25, **BOUNDED)
@given(steps)
def test_differences_agree(program):
    x = Tensor(X).requires_grad_()
    run(program, x, Tensor(W)).backward()
    direction = np.array([[0.5, -1.0, 0.25], [1.0, 0.75, -0.5]])
    step = 1e-6
    ends = [run(program, Tensor(X + s * direction), Tensor(W)).item() for s in (step, -step)]
    slope = (ends[0] - ends[1]) / (2 * step)
    assert np.isclose((x.held_grad.numpy() * direction).sum(), slope, rtol=1e-5, atol=1e-5 * (1 + abs(ends[0])))


# --- SymPy -----------------------------------------------------------------------------------------------------------


def part(index):
    """An index with `...`: NumPy then gives a view even of one element, and puts an expression, not an array, there."""
    return index if index is Ellipsis else (index, ...)


class Symbolic:
    """What the steps ask of a tensor, over a NumPy array of SymPy's expressions: its views and updates are NumPy's."""

    def __init__(self, cells):
        self.cells = np.asarray(cells, dtype=object)

    shape = property(lambda self: self.cells.shape)
    ndim = property(lambda self: self.cells.ndim)
    T = property(lambda self: Symbolic(self.cells.T))

    def __add__(self, other):
        return Symbolic(self.cells + cells_of(other))

    def __mul__(self, other):
        return Symbolic(self.cells * cells_of(other))

    def __truediv__(self, other):
        return Symbolic(self.cells / cells_of(other))

    def __getitem__(self, index):
        return Symbolic(self.cells[part(index)])

    def __setitem__(self, index, value):
        self.cells[part(index)] = cells_of(value)

    def clone(self):
        return Symbolic(self.cells.copy())

    def unsqueeze(self, axis):
        return Symbolic(np.expand_dims(self.cells, axis))

    def sum(self, axis=None):
        return Symbolic(np.sum(self.cells, axis=axis))

    def sin(self):
        return Symbolic(np.frompyfunc(sympy.sin, 1, 1)(self.cells))

    def tanh(self):
        return Symbolic(np.frompyfunc(sympy.tanh, 1, 1)(self.cells))

    def add_(self, number):
        self.cells[...] = self.cells + cells_of(number)

    def mul_(self, number):
        self.cells[...] = self.cells * cells_of(number)

    def neg_(self):
        self.cells[...] = -self.cells

    def copy_(self, other):
        self.cells[...] = other.cells


def cells_of(x):
    """The expressions of an operand; numbers are taken as the fractions that they are."""
    if isinstance(x, Symbolic):
        return x.cells
    return np.frompyfunc(sympy.Rational, 1, 1)(x)


def exact_gradients(program):
    """d result / d x and / d w at X and W: SymPy's derivatives, to 30 digits."""
    xs, ws = (np.array(sympy.symbols(f"{name}:{a.size}")).reshape(a.shape) for name, a in (("x", X), ("w", W)))
    result = run(program, Symbolic(xs), Symbolic(ws), lambda numbers: Symbolic(cells_of(numbers)))
    symbols = [*xs.flat, *ws.flat]
    derivatives = [result.cells.item().diff(symbol) for symbol in symbols]
    values = sympy.lambdify(symbols, derivatives, "mpmath", cse=True)
    with mpmath.workdps(30):
        found = np.array(values(*map(mpmath.mpf, [*X.flat, *W.flat])), dtype=float)
    return found[: X.size].reshape(X.shape), found[X.size :]


@settings(max_examples=12, **BOUNDED)
@given(few_steps)
def test_sympy_agrees(program):
    x, w = Tensor(X).requires_grad_(), Tensor(W).requires_grad_()
    run(program, x, w).backward()
    for leaf, expected in zip((x, w), exact_gradients(program), strict=True):
        np.testing.assert_allclose(leaf.held_grad.numpy(), expected, rtol=1e-12, atol=1e-13)
