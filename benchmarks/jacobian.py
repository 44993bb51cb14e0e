"""How long the engine takes for Jacobians, beside the plain NumPy that computes the same numbers by a formula.

    python benchmarks/jacobian.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from gradcli.autodiff import grad, hessian, jacobian
from gradcli.ops.registry import lookup

tanh, total = lookup("", "tanh"), lookup("", "sum")


def best(f: Callable[[], object], repeats: int = 7) -> float:
    """Seconds of the fastest of several runs, after one that is not counted."""
    f()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    rng = np.random.default_rng(0)
    n = 1000
    a = rng.standard_normal((n, n)) / n**0.5
    x = rng.standard_normal(n)
    ours = best(lambda: jacobian(lambda x: tanh(a @ x))(x))
    formula = best(lambda: (1 - np.tanh(a @ x) ** 2)[:, None] * a)
    product = best(lambda: np.eye(n) @ a)
    beside = f"(formula {formula:.4f} s, one {n}^3 product {product:.3f} s)"
    print(f"Jacobian of tanh(A @ x), {n} x {n}:   {ours:.3f} s   {beside}")

    m = 200
    b = a[:m, :m]
    seconds = best(lambda: hessian(lambda x: total(tanh(b @ x)))(x[:m]))
    print(f"Hessian of sum(tanh(A @ x)), {m} x {m}:  {seconds:.3f} s")

    def chain(x: object) -> object:
        for _ in range(1000):
            x = x * 1.0001 + 0.5  # type: ignore[operator]
        return x

    forward = best(lambda: chain(np.float64(1.0)))
    both = best(lambda: grad(chain)(np.float64(1.0)))
    print(f"gradient of 2,000 scalar operations:  {both * 1e3:.2f} ms  (NumPy alone, forward: {forward * 1e3:.2f} ms)")


if __name__ == "__main__":
    main()
