"""`--each`: how many points a second a whole command answers, reading and writing included, and in how much memory.

    python benchmarks/many_points.py [ROWS]

Every line is one run of the real command on a file of so many rows (200,000 unless ROWS says otherwise; those that go
row by row get a fiftieth), its answers written to a file. On a busy machine the seconds of processor time, of all
the command's processes, say more than those of the clock. Memory is the peak of the command's largest process. The
last lines are a shell's loop of single commands, timed over 20 and scaled up, and the same formula on ten times the
rows, whose memory should be no more.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROWS = 200_000
CALLS = 20
GOAL = 20_000

FORMULA = "sin(x)*exp(-x**2) + log(1 + x**2)"
SQUARE = "(y - b1*(1 - exp(-b2*x)))**2"
PARAMETERS = ("b1=2.3894212918E+02", "b2=5.5015643181E-04")
BRANCH = "x**2 if x > 0 else sin(x)*x"
LOOP = "r = x\nwhile abs(r*r - x) > 1e-12*x:\n    r = (r + x/r)/2\nr"
TAPE = "import torch\nx.requires_grad_()\ny = (x*x).sin()\ny.backward()\nx.grad"
NIST = Path(__file__).parent.parent / "samples" / "nist" / "Misra1a.csv"


class Ran(NamedTuple):
    """A command's seconds by the clock and by the processor, and the peak memory of its processes, in bytes."""

    seconds: float
    processor: float
    peak: int


def ran(words: list[str], output: Path | None = None) -> Ran:
    with open(output or os.devnull, "wb") as sink:
        begin = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", MEASURED, *words], stdout=sink, stderr=subprocess.PIPE)
        _, report = process.communicate()
        seconds = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(report.decode())
    # The process that measures takes no time worth speaking of: it starts one more Python, without NumPy.
    *_, processor, peak = report.decode().split()
    return Ran(seconds, float(processor), int(peak) * 1024)


MEASURED = """
import os, resource, sys
process = os.fork()
if not process:
    os.execv(sys.executable, [sys.executable, "-m", "gradcli", *sys.argv[1:]])
_, status = os.waitpid(process, 0)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
os._exit(os.waitstatus_to_exitcode(status))
"""


class Files:
    """The points, in all the forms that are read."""

    def __init__(self, folder: Path, rows: int) -> None:
        random.seed(0)
        points = [random.gauss(0, 2) for _ in range(rows)]
        self.folder = folder
        self.csv = self._csv("points.csv", points)
        self.positive = self._csv("positive.csv", [abs(x) + 0.1 for x in points])
        self.few = self._csv("few.csv", points[: rows // 50])
        self.more = self._csv("more.csv", points * 10)
        self.ndjson = folder / "points.ndjson"
        self.ndjson.write_text("".join(json.dumps({"x": x}) + "\n" for x in points))
        self.npy = folder / "points.npy"
        self._npy(points)
        self.data = folder / "data.csv"
        self._repeat(NIST, rows)

    def _csv(self, name: str, points: list[float]) -> Path:
        path = self.folder / name
        path.write_text("x\n" + "".join(f"{x!r}\n" for x in points))
        return path

    def _npy(self, points: list[float]) -> None:
        import numpy as np

        np.save(self.npy, np.array(points))

    def _repeat(self, table: Path, rows: int) -> None:
        with open(table, newline="") as source:
            header, *lines = list(csv.reader(source))
        with open(self.data, "w", newline="") as target:
            writer = csv.writer(target)
            writer.writerow(header)
            writer.writerows(lines[i % len(lines)] for i in range(rows))


def loop_of_single_calls(rows: int) -> Ran:
    runs = [ran(["grad", FORMULA, f"x={0.1 * i}"]) for i in range(CALLS)]
    scale = rows / CALLS
    seconds, processor = sum(run.seconds for run in runs), sum(run.processor for run in runs)
    return Ran(seconds * scale, processor * scale, max(run.peak for run in runs))


def told(name: str, rows: int, run: Ran) -> None:
    rate = rows / run.seconds
    times = f"{run.seconds:9.2f} {run.processor:9.2f}"
    print(f"{name:50} {rows:>9,} {times} {rate:9,.0f} {run.peak / 2**20:5.0f} MiB", flush=True)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    print(f"{'':50} {'rows':>9} {'seconds':>9} {'processor':>9} {'rows/s':>9} {'peak':>9}")
    with tempfile.TemporaryDirectory() as name:
        files = Files(Path(name), rows)
        out = Path(name) / "out"
        ran(["grad", "x", "x=1"])
        first = ran(["grad", FORMULA, "--each", str(files.csv)], out)
        told("grad, one-line formula, CSV to NDJSON", rows, first)
        for title, words, count in (
            ("the same, --jobs 2", ["grad", FORMULA, "--each", files.csv, "--jobs", "2"], rows),
            ("the same, NDJSON to NDJSON", ["grad", FORMULA, "--each", files.ndjson], rows),
            ("the same, CSV to CSV", ["grad", FORMULA, "--each", files.csv, "--format", "csv"], rows),
            ("the same, npy to npz", ["grad", FORMULA, "--each", files.npy, "--format", "npz"], rows),
            ("the same, --sum", ["grad", FORMULA, "--each", files.csv, "--sum"], rows),
            ("hessian of it", ["hessian", FORMULA, "--each", files.csv], rows),
            ("grad, NIST's Misra1a, --sum", ["grad", SQUARE, *PARAMETERS, "--each", files.data, "--sum"], rows),
            ("grad, a branch on the row's value", ["grad", BRANCH, "--each", files.csv], rows),
            ("grad, a loop that ends on the row's value", ["grad", LOOP, "--each", files.positive], rows),
            ("eval, a tape of its own: row by row", ["eval", TAPE, "--each", files.few], rows // 50),
            ("the same, --jobs 2", ["eval", TAPE, "--each", files.few, "--jobs", "2"], rows // 50),
        ):
            told(title, count, ran([str(word) for word in words], out))
        single = loop_of_single_calls(rows)
        told(f"a shell's loop of single commands ({CALLS}, scaled up)", rows, single)
        more = ran(["grad", FORMULA, "--each", str(files.more)], out)
        told("grad, one-line formula, ten times the rows", 10 * rows, more)
    print(f"one-line formula: {rows / first.seconds:,.0f} gradients a second; the goal is {GOAL:,}")
    print(f"the loop of single commands takes {single.seconds / first.seconds:,.0f} times as long")


if __name__ == "__main__":
    main()
