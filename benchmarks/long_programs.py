"""Long programs: loops, graphs of a million nodes, deep recursion; time, peak memory, and memory per node.

    python benchmarks/long_programs.py [--torch PYTHON]

Each runs as a command in a process of its own, so the times are those of a shell's user. What `eval x` takes, which is
Python, NumPy and the command itself, is measured first and stands beside them. With `--torch`, the same loops run
under a Python that has PyTorch, in a process of their own too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

STEP = "y = y*0.99999 + 0.00001*sin(y)"
NODES_PER_STEP = 4
#: Fewer nodes than this cost less than the differences between one start of Python and the next.
FEW = 40_000
LOOP = "y = x\nfor i in range({n}):\n    " + STEP + "\ny"
SEGMENTS = (
    "def segment(y):\n    for i in range({length}):\n        " + STEP + "\n    return y\n"
    "y = x\nfor k in range({count}):\n    y = checkpoint(segment)(y)\ny"
)
RECURSION = "def f(y, n):\n    if n == 0:\n        return y\n    return f(" + STEP[4:] + ", n - 1)\nf(x, {n})"
READS = "h = 0.0\nfor i in range({n}):\n    h = 0.9*h + sin(x[i])\nh"
SCAN = "c, hs = scan(lambda h, t: (0.9*h + sin(t), h), 0.0, x)\nc + sum(hs)"

TORCH = """
import sys, torch
n = int(sys.argv[1])
x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
y = x
for i in range(n):
    y = y*0.99999 + 0.00001*torch.sin(y)
y.backward()
print(x.grad.item())
"""
TORCH_READS = """
import sys, torch
n = int(sys.argv[1])
x = torch.ones(n, dtype=torch.float64, requires_grad=True)
h = 0.0
for i in range(n):
    h = 0.9*h + torch.sin(x[i])
h.backward()
print(x.grad.sum().item())
"""


class Cost(NamedTuple):
    """What one process took: seconds of the clock and of the processor, and the most memory that it held."""

    wall: float
    cpu: float
    peak: int


def cost_of(words: list[str]) -> Cost:
    """Run a command to its end.

    Raises:
        SystemExit: it fails.
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        if os.waitstatus_to_exitcode(status):
            out.seek(0)
            sys.exit(f"{' '.join(words)[:100]}\n{out.read().decode()}")
    # The command's own process is a child of that one; Linux counts it, once it was waited for, as its parent's.
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def gradcli(command: str, program: str, *words: str) -> Cost:
    """What `gradcli COMMAND PROGRAM WORDS` takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.grad"
        path.write_text(program)
        return cost_of([sys.executable, "-m", "gradcli", command, str(path), *words])


def line(title: str, nodes: int, cost: Cost, base: Cost) -> None:
    """Print a row; time and memory per node are what goes beyond an empty command's."""
    per_node = ""
    if nodes >= FEW:
        per_node = f"{(cost.cpu - base.cpu) / nodes * 1e6:8.2f} {(cost.peak - base.peak) / nodes:9.0f}"
    print(f"{title:<52} {nodes or '':>9} {cost.wall:8.2f} {cost.cpu:8.2f} {cost.peak / 2**20:8.0f} {per_node}")


def main() -> None:
    """Run all of them and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", metavar="PYTHON", help="a Python that has PyTorch")
    options = parser.parse_args()
    print(f"{'':<52} {'nodes':>9} {'wall s':>8} {'cpu s':>8} {'peak MiB':>8} {'us/node':>8} {'B/node':>9}")
    base = gradcli("eval", "x", "x=0.5")
    line("eval x (nothing but the command)", 0, base, base)
    for steps in (100_000, 250_000):
        nodes = NODES_PER_STEP * steps
        line(f"grad, loop of {steps:,} steps", nodes, gradcli("grad", LOOP.format(n=steps), "x=0.5"), base)
    kept = gradcli("grad", SEGMENTS.format(length=1000, count=100), "x=0.5")
    line("grad, 100,000 steps, checkpoint every 1,000", 400_000, kept, base)
    for depth in (500, 5_000):
        words = ["x=0.5", *(["--max-depth", str(depth + 100)] if depth > 900 else [])]
        line(f"grad, recursion of depth {depth:,}", 4 * depth, gradcli("grad", RECURSION.format(n=depth), *words), base)
    for count in (10_000, 100_000):
        words = [f"x=ones({count})", "-o", os.devnull, "--format", "npy"]
        cost = gradcli("grad", READS.format(n=count), *words)
        line(f"grad, loop that reads {count:,} elements", 4 * count, cost, base)
    line("grad, scan over 100,000 elements", 400_000, gradcli("grad", SCAN, *words), base)
    if options.torch:
        torch_rows(options.torch)


def torch_rows(python: str) -> None:
    """The loops under PyTorch."""
    print("\nPyTorch, the same loops by backward()")
    base = cost_of([python, "-c", "import torch"])
    line("import torch (nothing but that)", 0, base, base)
    for steps in (100_000, 250_000):
        cost = cost_of([python, "-c", TORCH, str(steps)])
        line(f"loop of {steps:,} steps", NODES_PER_STEP * steps, cost, base)
    for count in (10_000, 100_000):
        line(f"loop that reads {count:,} elements", 4 * count, cost_of([python, "-c", TORCH_READS, str(count)]), base)


if __name__ == "__main__":
    main()
