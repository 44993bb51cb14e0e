"""Results that equations define: proved to any order, at the conditioning they have, and a wrong rule is found."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from recorded import engine, of, proved, record

from gradcli import autodiff
from gradcli.graph.bind import bind
from gradcli.graph.errors import AbstractValue
from gradcli.graph.op import Op
from gradcli.graph.values import Spec, dtype_of, shape_of
from gradcli.ops.exact import filled
from gradcli.ops.kinds import general
from gradcli.symbolic import derive

Rule = Callable[..., Any]


def op(name: str, value: Rule, meaning: Rule, vjp: Rule, jvp: Rule, shapes: Rule, outputs: int = 1) -> Op:
    def spec(a: Any) -> Any:
        found = tuple(Spec(shape, dtype_of(a)) for shape in shapes(*shape_of(a)))
        return found if outputs > 1 else found[0]

    return general(name, value, spec, vjps=(vjp,), jvp=jvp, meaning=meaning, outputs=outputs)


def transposed(x: Any) -> Any:
    return of("swapaxes")(x, -1, -2)


times, total = of("matmul"), of("sum")


# --- eigh, with the textbook rule, whose factor a test spoils ---------------------------------------------------------

FACTOR = {"": 1.0}


def eigh_meaning(S: Any, a: Any) -> Any:
    n = len(a)
    even = (a + a.T) / 2
    w, v = np.linalg.eigh(np.array([[S.float(x) for x in row] for row in even]))

    def equations(y: list[Any]) -> list[Any]:
        values, vectors = y[:n], np.array(y[n:], dtype=object).reshape(n, n)
        found: list[Any] = []
        for k in range(n):
            found += [*(even @ vectors[:, k] - vectors[:, k] * values[k]), vectors[:, k] @ vectors[:, k] - 1]
        return found

    y = S.implicit(equations, [*w, *v.ravel()])
    return filled((n,), y[:n]), filled((n, n), y[n:])


def gaps(w: Any) -> Any:
    n = len(w.shape) and w.shape[0]
    apart = of("reshape")(w, (1, n)) - of("reshape")(w, (n, 1)) + np.eye(n)
    return FACTOR[""] * (1 - np.eye(n)) / apart


def eigh_vjp(g: Any, y: Any, a: Any) -> Any:
    (gw, gv), (w, v) = g, y
    inner: Any = 0
    if gw is not None:
        inner = inner + np.eye(shape_of(a)[0]) * gw
    if gv is not None:
        inner = inner + gaps(w) * times(transposed(v), gv)
    found = times(times(v, inner), transposed(v))
    return (found + transposed(found)) / 2


def eigh_jvp(ts: Any, y: Any, a: Any) -> Any:
    w, v = y
    moved = times(times(transposed(v), (ts[0] + transposed(ts[0])) / 2), v)
    return of("diagonal")(moved), times(v, gaps(w) * moved)


EIGH = op("eigh", lambda a: tuple(np.linalg.eigh((a + a.T) / 2)), eigh_meaning, eigh_vjp, eigh_jvp,
          lambda n, _: ((n,), (n, n)), 2)  # fmt: skip


def of_eigh(a: Any) -> Any:
    w, v = bind(EIGH, a)
    n = shape_of(a)[0]
    weights = np.sin(np.arange(n * n)).reshape(n, n)
    return total(of("sin")(w) * np.arange(1, n + 1)) + total(weights * v * v * v)


def symmetric(n: int, seed: int = 0) -> Any:
    a = np.random.default_rng(seed).normal(size=(n, n))
    return a + a.T


@pytest.mark.parametrize("derivative", ["gradient", "hessian"])
def test_eigenvalues_and_vectors(derivative: str) -> None:
    a = symmetric(3)
    assert proved(of_eigh, a, derivative=derivative).ok is True
    spoiled = engine(of_eigh, a, derivative=derivative)
    key = next(iter(spoiled))
    spoiled[key] = spoiled[key] * (1 + 1e-7)
    assert proved(of_eigh, a, derivative=derivative, claimed=spoiled).ok is False


def test_the_whole_jacobian() -> None:
    assert proved(lambda a: list(bind(EIGH, a)), symmetric(4), derivative="jacobian").ok is True


def test_a_wrong_rule_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    a = symmetric(3)
    monkeypatch.setitem(FACTOR, "", 1 + 1e-7)
    assert proved(of_eigh, a).ok is False


def test_derivatives_of_derivatives() -> None:
    a, d = symmetric(3), symmetric(3, 1)
    slope = lambda a: total(autodiff.grad(of_eigh)(a) ** 2)  # noqa: E731
    along = lambda a: autodiff.jvp(of_eigh, (a,), (d,))[1] ** 2  # noqa: E731
    assert proved(slope, a).ok is True
    assert proved(along, a).ok is True
    assert proved(lambda a: total(autodiff.grad(along)(a) ** 2), a).ok is True
    assert proved(along, a, claimed={"x0": autodiff.grad(along)(a) * (1 + 1e-7)}).ok is False


@pytest.mark.parametrize("n", [3, 10])
@pytest.mark.parametrize("spectrum", [lambda k: 10.0 ** -(2 * k), lambda k: 1 + 1e-6 * k, lambda k: 1e10 * (1 + k)])
def test_conditioning_is_no_mismatch(n: int, spectrum: Any) -> None:
    places = np.arange(min(n, 6))
    q, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(len(places), len(places))))
    a = (q * spectrum(places)) @ q.T
    assert proved(of_eigh, a).ok is True


def test_rounding_of_a_healthy_matrix_is_small() -> None:
    report = proved(of_eigh, symmetric(4))
    assert report.ok is True
    assert report.inputs["x0"].rounding < 1e-13


def test_equal_eigenvalues_are_told() -> None:
    report = proved(of_eigh, 2 * np.eye(3), claimed={"x0": np.zeros((3, 3))})
    assert report.ok is None
    assert report.reason is not None and report.reason.endswith(
        "there is none at this point: the equations that define eigh are singular, as for equal eigenvalues, equal "
        "singular values, or less than full rank"
    )


def test_there_is_no_formula() -> None:
    recording, outputs, inputs = record(of_eigh, symmetric(2), abstract=True)
    with pytest.raises(AbstractValue, match="there is no formula for eigh: its result is defined by equations"):
        derive(recording, outputs, inputs)


# --- others, differentiated by differences of NumPy's own factors -----------------------------------------------------


def no_rule(*_: Any) -> Any:
    raise AssertionError("only the value is asked for")


def differences(f: Rule, a: Any) -> Any:
    """Jacobian of a function of NumPy, by extrapolated differences: good to about 1e-9."""
    rows = []
    for i in np.ndindex(a.shape):
        found = []
        for h in (1e-3, 5e-4, 2.5e-4):
            e = np.zeros_like(a)
            e[i] = h
            found.append((f(a + e) - f(a - e)) / (2 * h))
        first = [(4 * y - x) / 3 for x, y in pairwise(found)]
        rows.append((16 * first[1] - first[0]) / 15)
    return np.stack(rows, -1).reshape(f(a).shape + a.shape)


def sqrtm_value(a: Any) -> Any:
    w, v = np.linalg.eig(a)
    return np.real((v * np.sqrt(w)) @ np.linalg.inv(v))


def floats(S: Any, a: Any) -> Any:
    return np.array([[S.float(x) for x in row] for row in a])


def cells(y: list[Any], shape: tuple[int, ...]) -> Any:
    return np.array(y, dtype=object).reshape(shape)


def sqrtm_meaning(S: Any, a: Any) -> Any:
    y = S.implicit(
        lambda y: list((cells(y, a.shape) @ cells(y, a.shape) - a).ravel()), sqrtm_value(floats(S, a)).ravel()
    )
    return cells(y, a.shape)


def qr_value(a: Any) -> Any:
    q, r = np.linalg.qr(a)
    return q, r


def qr_meaning(S: Any, a: Any) -> Any:
    m, n = a.shape
    upper = [(i, j) for i in range(n) for j in range(i, n)]
    q, r = np.linalg.qr(floats(S, a))

    def parts(y: list[Any]) -> Any:
        right = filled((n, n), [S.number(0)] * (n * n))
        for place, cell in zip(upper, y[m * n :], strict=True):
            right[place] = cell
        return cells(y[: m * n], (m, n)), right

    def equations(y: list[Any]) -> list[Any]:
        left, right = parts(y)
        even = left.T @ left - np.eye(n, dtype=int)
        return [*(left @ right - a).ravel(), *(even[place] for place in upper)]

    return parts(S.implicit(equations, [*q.ravel(), *(r[place] for place in upper)]))


def svd_value(a: Any) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return u, s, vh


def svd_meaning(S: Any, a: Any) -> Any:
    """Of a matrix with at least as many rows as columns."""
    m, n = a.shape
    u, s, vh = np.linalg.svd(floats(S, a), full_matrices=False)

    def parts(y: list[Any]) -> Any:
        return cells(y[: m * n], (m, n)), y[m * n : m * n + n], cells(y[m * n + n :], (n, n))

    def equations(y: list[Any]) -> list[Any]:
        left, sizes, right = parts(y)
        found: list[Any] = []
        for k in range(n):
            found += [*(a @ right[k] - left[:, k] * sizes[k]), *(a.T @ left[:, k] - right[k] * sizes[k])]
            found.append(right[k] @ right[k] - 1)
        return found

    left, sizes, right = parts(S.implicit(equations, [*u.ravel(), *s, *vh.ravel()]))
    return left, filled((n,), sizes), right


SQRTM = op("sqrtm", sqrtm_value, sqrtm_meaning, no_rule, no_rule, lambda n, _: ((n, n),))
QR = op("qr", qr_value, qr_meaning, no_rule, no_rule, lambda m, n: ((m, n), (n, n)), 2)
SVD = op("svd", svd_value, svd_meaning, no_rule, no_rule, lambda m, n: ((m, n), (n,), (n, n)), 3)


@pytest.mark.parametrize(
    ("factors", "shape"), [(SQRTM, (3, 3)), (QR, (3, 3)), (QR, (4, 2)), (SVD, (3, 3)), (SVD, (4, 2))]
)
def test_factors_of_matrices(factors: Op, shape: tuple[int, int]) -> None:
    a = np.random.default_rng(2).normal(size=shape) + 3 * np.eye(*shape)

    def parts(a: Any) -> Any:
        found = factors.value(a)
        return found if isinstance(found, tuple) else (found,)

    jacobians = [differences(lambda a, i=i: parts(a)[i], a) for i in range(len(parts(a)))]
    whole = lambda a: [bind(factors, a)] if factors.outputs == 1 else list(bind(factors, a))  # noqa: E731
    claimed = {"x0": jacobians if factors.outputs > 1 else jacobians[0]}
    options = {"derivative": "jacobian", "rtol": 1e-7, "atol": 1e-8}
    assert proved(whole, a, claimed=claimed, **options).ok is True
    jacobians[0][0, 0, 0, 0] += 1e-5
    assert proved(whole, a, claimed=claimed, **options).ok is False


def test_a_solution_that_is_not_there_is_told() -> None:
    def away(S: Any, a: Any) -> Any:
        return cells(S.implicit(lambda y: [y[0] * y[0] - a[0, 0]], [5.0]), (1, 1))

    off = op("off", lambda a: a, away, no_rule, no_rule, lambda m, n: ((1, 1),))
    report = proved(lambda a: total(bind(off, a)), np.array([[4.0]]), claimed={"x0": np.ones((1, 1))})
    assert report.ok is None
    assert report.reason is not None and "no solution near the one" in report.reason
