"""What sparse Jacobians and Hessians cost: time and peak memory of whole commands, and of the derivative alone.

    python benchmarks/sparse.py

Every figure is measured as it is printed. A command's time is the shell user's: it starts Python, reads its data and
writes the matrix. The derivative alone is the engine's part, in this process.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples" / "programs"

#: -u'' = exp(u) on a grid, with its boundary: tridiagonal.
BRATU = "concatenate([u[:1], u[:-2] - 2*u[1:-1] + u[2:] + exp(u[1:-1])/len(u)**2, u[-1:]])"
ROSENBROCK = "sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)"


class Case(NamedTuple):
    """One sparse derivative: what it is, the command, the program's text or file, its data, and by what."""

    name: str
    command: str
    program: str
    data: Mapping[str, Any]
    wrt: tuple[str, ...]


def cases() -> list[Case]:
    """Those that are measured."""
    sys.path.insert(0, str(SAMPLES))
    from make_data import bundle_adjustment

    generator = np.random.default_rng(0)
    return [
        Case("tridiagonal system", "jacobian", BRATU, {"u": generator.normal(size=200_000)}, ("u",)),
        Case(
            "bundle adjustment",
            "jacobian",
            str(SAMPLES / "bundle_adjustment.grad"),
            bundle_adjustment(49, 7_776, 31_843),
            ("cams", "points", "weights"),
        ),
        Case("chained Rosenbrock", "hessian", ROSENBROCK, {"x": generator.normal(size=100_000)}, ("x",)),
    ]


class Measured(NamedTuple):
    """A command's wall time and processor time in seconds, its peak memory in MiB, and what it said."""

    seconds: float
    busy: float
    peak: float
    words: str


def command(case: Case, folder: str, runs: int = 5) -> Measured:
    """The fastest of several runs of the whole command."""
    data, answer = os.path.join(folder, "data.npz"), os.path.join(folder, "answer.npz")
    np.savez(data, **case.data)
    words = [sys.executable, "-m", "gradcli", case.command, "--sparse", case.program]
    words += ["--data", data, "--wrt", ",".join(case.wrt), "-o", answer]
    return min((_once(words, folder) for _ in range(runs)), key=lambda measured: measured.seconds)


def _once(words: list[str], folder: str) -> Measured:
    said = os.path.join(folder, "said.txt")
    start = time.perf_counter()
    child = os.posix_spawn(
        words[0], words, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 2, said, os.O_WRONLY | os.O_CREAT, 0o600)]
    )
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    text = Path(said).read_text()
    if status:
        raise SystemExit(text)
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def alone(case: Case, runs: int = 5) -> float:
    """Seconds of the fastest of several derivatives, the program parsed and its values at hand, after one."""
    from gradcli.autodiff.sparse import sparse_hessian, sparse_jacobian
    from gradcli.language.options import RunOptions
    from gradcli.language.program import Program
    from gradcli.language.source import Source

    text = Path(case.program).read_text() if case.program.endswith(".grad") else case.program
    program = Program.parse(Source("<program>", text))
    options = program.options(RunOptions())

    def outputs(*xs: Any) -> Any:
        values = {**case.data, **dict(zip(case.wrt, xs, strict=True))}
        return program.run(values, options=options).cores()[0]

    places = tuple(range(len(case.wrt)))
    derivative = (sparse_jacobian if case.command == "jacobian" else sparse_hessian)(outputs, places)
    points = [case.data[name] for name in case.wrt]
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        derivative(*points)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def main() -> None:
    """Measure and print."""
    print(f"{'':22}{'command':>10}{'of it busy':>12}{'peak':>10}{'derivative alone':>18}")
    for case in cases():
        with tempfile.TemporaryDirectory() as folder:
            measured = command(case, folder)
        times = f"{measured.seconds:>8.2f} s{measured.busy:>10.2f} s{measured.peak:>6.0f} MiB{alone(case):>16.2f} s"
        print(f"{case.name:22}{times}")
        for line in re.findall(rf"^{case.command}: .*product.*$", measured.words, re.M):
            print(f"  {line}")


if __name__ == "__main__":
    main()
