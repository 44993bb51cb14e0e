"""The tape's cost: a chain of 1,000 scalar operations, forward and backward, beside PyTorch and HIPS autograd.

Peers that are not installed are left out. The runs alternate, and each peer's best counts, so that a busy machine
slows all alike. Memory per node is what Python's allocator holds after the forward pass, less what it held before.

    python benchmarks/tape.py
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable

LENGTH = 1_000
ROUNDS = 60


def chain(x):
    """LENGTH operations, a product with a number and a sum with the leaf by turns."""
    y = x
    for _ in range(LENGTH // 2):
        y = y * 1.0001
        y = y + x
    return y


def gradcli_leaf():
    import gradcli

    return gradcli.tensor(0.5, requires_grad=True)


def torch_leaf():
    import torch

    torch.set_num_threads(1)
    return torch.tensor(0.5, requires_grad=True)


def tape_run(leaf: Callable) -> Callable[[], tuple[float, float]]:
    """Seconds of the forward pass, and of both."""

    def run() -> tuple[float, float]:
        x = leaf()
        start = time.perf_counter()
        y = chain(x)
        middle = time.perf_counter()
        y.backward()
        return middle - start, time.perf_counter() - start

    return run


def hips_run() -> tuple[float, float]:
    from autograd import grad

    start = time.perf_counter()
    grad(chain)(0.5)
    return float("nan"), time.perf_counter() - start


def peers() -> dict[str, Callable[[], tuple[float, float]]]:
    found = {"gradcli": tape_run(gradcli_leaf)}
    for name, run in {"torch": tape_run(torch_leaf), "autograd": hips_run}.items():
        try:
            __import__(name)
        except ImportError:
            continue
        found[name] = run
    return found


def bytes_per_node() -> float:
    x = gradcli_leaf()
    chain(x)
    gc.collect()
    tracemalloc.start()
    y = chain(x)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert y is not None
    return held / LENGTH


def main() -> None:
    runs = peers()
    best = {name: (float("inf"), float("inf")) for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            best[name] = tuple(map(min, run(), best[name]))
    print(f"a chain of {LENGTH:,} scalar operations, microseconds per operation")
    for name, (forward, both) in best.items():
        print(f"  {name:10} forward {forward / LENGTH * 1e6:6.2f}   with backward {both / LENGTH * 1e6:6.2f}")
    print(f"gradcli's memory: {bytes_per_node():.0f} bytes per node")


if __name__ == "__main__":
    main()
