"""The pattern that is read off the graph: never too small, for any function of the table; tight where it matters."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from gradcli.autodiff import Linearized, grad
from gradcli.autodiff.sparse.pattern import pattern_of
from gradcli.graph.op import Op
from gradcli.ops.kinds import elementwise, linear
from gradcli.ops.registry import FUNCTIONS, load_all, lookup

sys.path.insert(0, str(Path(__file__).parents[2] / "ops"))
from table.calls import NAMES, calls

total = lookup("", "sum")


def pattern(f, *xs):
    """The pattern of f's Jacobian by all its arguments, dense, and the names of the ops that nothing is known of."""
    run = Linearized(lambda *given: tuple(f(*given)), xs)
    found = pattern_of(*run.graph)
    return found.rows.matrix().toarray(), found.assumed, run


def dense(run: Linearized) -> np.ndarray:
    rows = run.jacobian("auto")
    widths = [np.size(x) for x in run.primals]
    return np.concatenate(
        [
            np.concatenate([np.asarray(part).reshape(np.size(y), n) for part, n in zip(row, widths, strict=True)], 1)
            for row, y in zip(rows, run.values, strict=True)
        ]
    )


def fits(call) -> bool:
    """Whether a call is small, and real."""
    return 0 < sum(x.size for x in call.floats) <= 150 and all(x.dtype.kind == "f" for x in call.floats)


def differentiable(f, xs) -> bool:
    """Whether a call has a real Jacobian at all: some functions refuse what their cases show."""
    try:
        found = Linearized(lambda *given: tuple(f(*given)), xs)
        found.jacobian("auto")
    except Exception:
        return False
    return bool(found.values) and all(y.dtype.kind == "f" for y in found.values)


#: Functions of the table, dealt out to as many tests: one for each would take longer to start than to run.
PARTS = 14


@pytest.mark.parametrize("part", range(PARTS))
def test_no_function_depends_on_more_than_its_pattern_says(part):
    missing, unknown = [], set()
    with np.errstate(all="ignore"):
        for name in NAMES[part::PARTS]:
            for call in [call for call in calls(name) if fits(call)][:5]:
                if differentiable(call, call.floats):
                    found, assumed, run = pattern(call, *call.floats)
                    unknown.update(assumed)
                    if ((dense(run) != 0) & ~found).any():
                        missing.append(repr(call)[:120])
    assert not missing
    assert not unknown


@pytest.mark.parametrize("part", range(PARTS))
def test_nor_does_its_gradient(part):
    """The pattern of a Hessian is read off the graph of the gradient, which the rules make."""
    missing = []
    with np.errstate(all="ignore"):
        for name in NAMES[part::PARTS]:
            for call in [call for call in calls(name) if fits(call) and sum(x.size for x in call.floats) < 30][:2]:
                places = tuple(range(len(call.floats)))

                def gradient(*xs, call=call, places=places):
                    def scalar(*given):
                        parts = [total(y * y + 0.7 * y) for y in call(*given) if y.dtype.kind == "f"]
                        return sum(parts[1:], parts[0]) if parts else 0.0 * total(given[0])

                    return grad(scalar, places)(*xs)

                if differentiable(gradient, call.floats):
                    found, _, run = pattern(gradient, *call.floats)
                    if ((dense(run) != 0) & ~(found & found.T)).any():
                        missing.append(repr(call)[:120])
    assert not missing


def test_every_op_of_the_table_says_what_it_depends_on():
    load_all()
    ops = {function.op for function in FUNCTIONS if isinstance(function.op, Op)}
    assert len(ops) > 200
    assert sorted(op.name for op in ops if op.kind != "constant" and op.depends is None) == []


def test_an_op_that_says_nothing_is_taken_whole_and_named():
    silent = linear("silent", lambda x: x[::-1], lambda x: x, transpose=lambda g, x: g[::-1])
    assert silent.depends is None
    from gradcli.graph.bind import bind

    found, assumed, _ = pattern(lambda x: [bind(silent, x)], np.ones(3))
    assert found.all() and assumed == ("silent",)


def test_an_elementwise_op_needs_no_declaration():
    op = elementwise("cubed", lambda x, k: x**3 + 0 * k, lambda y, x, k: 3 * x * x, None, meaning=None)
    from gradcli.graph.bind import bind

    found, assumed, _ = pattern(lambda x, k: [bind(op, x, k)], np.ones((2, 1)), np.ones(3))
    assert not assumed
    assert found[:, :2].tolist() == [[i // 3 == j for j in range(2)] for i in range(6)]
    assert not found[:, 2:].any()


# --- where it must be no larger than needed --------------------------------------------------------------------------

x = np.linspace(0.5, 1.5, 6)


def same(found, *rows: str) -> bool:
    """Whether a pattern is the one drawn, `.` for nothing."""
    return ["".join("#" if cell else "." for cell in row) for row in found.tolist()] == list(rows)


def of(f, *xs):
    return pattern(lambda *given: [f(*given)], *xs)[0]


def f(name):
    return lookup("", name)


@pytest.mark.parametrize(
    ("program", "rows"),
    [
        (lambda x: x[1:4] * x[0], ("##....", "#.#...", "#..#..")),
        (lambda x: f("flip")(x)[:2], (".....#", "....#.")),
        (lambda x: total(f("reshape")(x, (2, 3)), 1), ("###...", "...###")),
        (lambda x: total(f("reshape")(x, (2, 3)), 0), ("#..#..", ".#..#.", "..#..#")),
        (lambda x: f("cumsum")(x)[:3], ("#.....", "##....", "###...")),
        (lambda x: f("diff")(x)[:3], ("##....", ".##...", "..##..")),
        (lambda x: f("stack")([x[0], x[2] * x[3]]), ("#.....", "..##..")),
        (lambda x: f("concatenate")([x[4:], x[:1]]), ("....#.", ".....#", "#.....")),
        (lambda x: x[np.array([3, 3, 0])], ("...#..", "...#..", "#.....")),
        (lambda x: f("where")(np.array([True, False]), x[:2], x[2:4]), ("#.....", "...#..")),
        (lambda x: f("pad")(x[:1], 1), ("......", "#.....", "......")),
        (lambda x: f("softmax")(f("reshape")(x, (3, 2)), -1)[1], ("..##..", "..##..")),
        (lambda x: np.array([[0, 2.0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 3]]) @ x, (".#....", "#....#")),
        (lambda x: f("reshape")(x[:4], (2, 2)) @ np.eye(2)[0], ("#.....", "..#...")),
        (lambda x: x[:3] * np.array([1.0, 0.0, 2.0]), ("#.....", "......", "..#...")),
        (lambda x: f("einsum")("ij,ij->i", f("reshape")(x, (2, 3)), np.ones((2, 3))), ("###...", "...###")),
        (lambda x: f("einsum")("ii->i", f("reshape")(x[:4], (2, 2))), ("#.....", "...#..")),
        (
            lambda x: f("solve")(np.ones((2, 1, 1)) * x[:2, None, None], np.ones((2, 1, 1)))[:, 0, 0],
            ("#.....", ".#...."),
        ),
        (lambda x: f("convolve")(x, np.array([1.0, -1.0]), "valid")[:2], ("##....", ".##...")),
        (lambda x: f("maximum")(x[0], 3.0) + x[1:3], ("##....", "#.#...")),
    ],
)
def test_shapes_of_patterns(program, rows):
    assert same(of(program, x), *rows)


def test_a_stack_of_products_keeps_to_its_own():
    a, b = np.ones((2, 1, 2)), np.ones((2, 1))
    assert same(of(lambda a, b: a @ b, a, b), "##..##", "..####")


def test_a_loop_that_builds_a_list():
    def scan(x):
        state, found = x[0], []
        for i in range(1, 4):
            state = state * x[i]
            found.append(state)
        return f("stack")(found)

    assert same(of(scan, x), "##....", "###...", "####..")


def hessian_pattern(f_, x):
    return pattern(lambda x: grad(lambda x: f_(x), (0,))(x), x)[0]


def test_classic_hessians():
    assert same(hessian_pattern(lambda x: total(f("sin")(x) * x), x[:3]), "#..", ".#.", "..#")
    chained = hessian_pattern(lambda x: total(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), x[:4])
    assert same(chained, "##..", "###.", ".###", "..##")
    arrow = hessian_pattern(lambda x: x[0] * total(x[1:] ** 3) + x[0] ** 3, x[:4])
    assert same(arrow, "####", "##..", "#.#.", "#..#")
    assert not hessian_pattern(lambda x: 3 * total(x) - x[1], x).any()


def test_columns_of_a_solution_keep_to_their_own():
    a, b = np.array([[2.0, 1.0], [0.5, 3.0]]), np.ones((2, 2))
    found = of(lambda b: f("solve")(a, b), b)
    assert same(found, "#.#.", ".#.#", "#.#.", ".#.#")
