"""The samples' derivatives by gradcli beside PyTorch, JAX (compiled) and HIPS autograd, in one run.

    python benchmarks/programs.py --torch PYTHON --jax PYTHON [--seconds 0.5] [--sizes own,larger] [NAME ...]

PYTHON is one that has torch, or jax and autograd; a peer that is not there is left out with a word. Every sample is
measured on the data beside it and on larger data of its kind; where two answers differ, that is all it says. It prints
three tables: the best run with everything loaded (JAX's compilation apart); the whole process of a shell user, from a
cold start to an answer in a file; its peak memory. Each process has one thread. `benchmarks/peers` has the programs.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "peers"))

from problems import PROBLEMS, sample_of  # noqa: E402

MAKE_DATA = runpy.run_path(str(HERE.parent / "samples" / "programs" / "make_data.py"))
NAMES = {"gradcli": "gradcli", "torch": "PyTorch", "jax": "JAX", "autograd": "HIPS autograd"}
#: Answers agree to this, relative to the largest entry.
AGREE = 1e-8
#: A cold process is started so often, and its best time counts.
COLD = 2
ONE_THREAD = {
    **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")},
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}


class Run(NamedTuple):
    """How a process went: its wall time, its peak memory in MiB, and what it said of itself."""

    seconds: float
    memory: float
    said: dict[str, Any]


class Case(NamedTuple):
    """A sample with data in a file."""

    name: str
    size: str
    data: Path

    @property
    def title(self) -> str:
        return f"{self.name}, {self.size}"


class Result(NamedTuple):
    """One case by one peer."""

    loaded: Run
    whole: Run


def main() -> None:
    options = arguments()
    pythons = present({"gradcli": sys.executable, "torch": options.torch, "jax": options.jax, "autograd": options.jax})
    results: dict[str, dict[str, Result]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(options.names or list(PROBLEMS), options.sizes.split(","), Path(folder)):
            results[case.title] = measured(case, pythons, options.seconds, Path(folder))
    show(results, list(pythons))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="samples (default: all)")
    parser.add_argument("--torch", default=sys.executable, help="a Python with PyTorch")
    parser.add_argument("--jax", default=sys.executable, help="a Python with JAX and HIPS autograd")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long to repeat each derivative")
    parser.add_argument("--sizes", default="own,larger", help="own, larger or both")
    return parser.parse_args()


def present(pythons: dict[str, str]) -> dict[str, str]:
    """The peers that are there; prints their versions, and who is missing."""
    found = {}
    for peer, python in pythons.items():
        code = f"import {peer}; from importlib.metadata import version; print(version({peer!r}))"
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{NAMES[peer]}: not in {python}, left out")
            continue
        print(f"{NAMES[peer]} {done.stdout.strip()}")
        found[peer] = python
    return found


def cases(names: list[str], sizes: list[str], folder: Path) -> list[Case]:
    """Every sample at the wanted sizes, with its data and settings written to one file."""
    found = []
    for name in names:
        problem = PROBLEMS[name]
        make = MAKE_DATA.get(sample_of(name), dict)
        for size in sizes:
            settings = {**problem.settings, **(problem.larger_settings if size == "larger" else {})}
            data = make(**(problem.larger if size == "larger" else {})) | settings
            path = folder / f"{name}-{size}.npz"
            np.savez(path, **{key: np.asarray(value) for key, value in data.items()})
            found.append(Case(name, size, path))
    return found


def measured(case: Case, pythons: dict[str, str], seconds: float, folder: Path) -> dict[str, Result]:
    """Every peer's times; first a cold run each, whose answers are compared."""
    cold, answers = {}, {}
    for peer, python in pythons.items():
        out = folder / f"{peer}.npz"
        runs = [finished(cold_command(peer, python, case, out)) for _ in range(COLD)]
        if None in runs:
            print(f"{case.title}: {NAMES[peer]} failed")
            continue
        run = min(run for run in runs if run is not None)
        cold[peer] = run
        with np.load(out) as file:
            answers[peer] = products(case, dict(file)) if PROBLEMS[case.name].sparse else list(dict(file).values())
    compare(case, answers)
    found = {}
    for peer, first in cold.items():
        loaded = finished(worker(peer, pythons[peer], case, folder / "again.npz", seconds))
        assert loaded is not None
        found[peer] = Result(loaded, first)
    print(case.title, *(f"{NAMES[p]} {r.loaded.said['best'] * 1e3:.3g} ms" for p, r in found.items()), sep="   ")
    return found


def worker(peer: str, python: str, case: Case, out: Path, *seconds: float) -> list[str]:
    problem = PROBLEMS[case.name]
    words = [peer, case.name, problem.command, ",".join(problem.wrt), str(case.data), str(out), *map(str, seconds)]
    return [python, str(HERE / "peers" / "worker.py"), *words]


def cold_command(peer: str, python: str, case: Case, out: Path) -> list[str]:
    """What a shell user starts: gradcli's command, or a script with the peer in it."""
    if peer != "gradcli":
        return worker(peer, python, case, out)
    from gradcli_programs import words

    problem = PROBLEMS[case.name]
    return [python, "-m", "gradcli", *words(case.name, problem.command, problem.wrt, case.data), "-o", str(out)]


def finished(command: list[str]) -> Run | None:
    """Run a command to its end; None if it fails."""
    launcher = [sys.executable, "-I", "-S", str(HERE / "peers" / "launch.py")]
    done = subprocess.run(
        [*launcher, *command], capture_output=True, text=True, check=False, env={**os.environ, **ONE_THREAD}
    )
    complaint, _, measured = done.stderr.rpartition("\n")
    if done.returncode:
        print(complaint[-500:])
        return None
    return Run(**json.loads(measured), said=json.loads(done.stdout or "{}"))


def products(case: Case, found: dict[str, np.ndarray]) -> list[np.ndarray]:
    """A sparse Jacobian times a vector, from gradcli's compressed rows or from a peer's blocks per observation."""
    with np.load(case.data) as file:
        data = dict(file)
    sizes = [data[key].size for key in ("cams", "points", "weights")]
    vector = np.cos(np.arange(sum(sizes)))
    if "indptr" in found:
        terms = np.append(found["data"] * vector[found["indices"]], 0)
        return [np.add.reduceat(terms, found["indptr"][:-1])]
    by_cam, by_point, by_weight, of_weight = found.values()
    cams, points, weights = np.split(vector, np.cumsum(sizes)[:-1])
    rows = np.einsum("oij,oj->oi", by_cam, cams.reshape(-1, 11)[data["camera"]])
    rows += np.einsum("oij,oj->oi", by_point, points.reshape(-1, 3)[data["point"]]) + by_weight * weights[:, None]
    return [np.append(rows.reshape(-1), of_weight * weights)]


def compare(case: Case, answers: dict[str, list[np.ndarray]]) -> None:
    """See that all peers found the same.

    Raises:
        SystemExit: they did not.
    """
    expected = answers["gradcli"]
    for peer, found in answers.items():
        if sum(part.size for part in found) != sum(part.size for part in expected):
            raise SystemExit(f"{case.title}: {NAMES[peer]} and gradcli give answers of different sizes")
        for ours, theirs in zip(expected, found, strict=True):
            error = np.max(np.abs(ours.ravel() - theirs.ravel())) / max(np.max(np.abs(ours)), 1e-300)
            if not error <= AGREE:
                raise SystemExit(f"{case.title}: {NAMES[peer]} differs from gradcli by {error:.2g}")


def show(results: dict[str, dict[str, Result]], peers: list[str]) -> None:
    """Print the tables."""
    table(results, peers, "best run, everything loaded, ms", lambda r: r.loaded.said["best"] * 1e3)
    if "jax" in peers:
        print("\nJAX's compilation before that, ms")
        for title, found in results.items():
            if "jax" in found:
                print(f"  {title:28} {found['jax'].loaded.said['compile'] * 1e3:10.0f}")
    table(results, peers, "whole process of a shell user, ms", lambda r: r.whole.seconds * 1e3)
    table(results, peers, "its peak memory, MiB", lambda r: r.whole.memory)


def table(results: dict[str, dict[str, Result]], peers: list[str], title: str, number: Any) -> None:
    """A line per case with every peer's number; then how gradcli's compare to each of the others."""
    print(f"\n{title}")
    print(" " * 34 + "".join(f"{NAMES[peer]:>15}" for peer in peers))
    for case, found in results.items():
        cells = "".join(f"{number(found[peer]):15.4g}" if peer in found else f"{'-':>15}" for peer in peers)
        print(f"  {case:32}{cells}")
    for peer in peers[1:]:
        ratios = {
            case: number(found["gradcli"]) / number(found[peer]) for case, found in results.items() if peer in found
        }
        if ratios:
            print("  " + verdict(NAMES[peer], ratios))


def verdict(peer: str, ratios: dict[str, float]) -> str:
    """Where gradcli loses to a peer, and by how much."""
    mean = float(np.exp(np.mean(np.log(list(ratios.values())))))
    lost = sorted(((ratio, case) for case, ratio in ratios.items() if ratio > 1), reverse=True)
    worst = ": " + "; ".join(f"{case} {ratio:.3g}" for ratio, case in lost) if lost else ""
    return f"gradcli / {peer}: {mean:.3g} (geometric mean); gradcli loses {len(lost)} of {len(ratios)}{worst}"


if __name__ == "__main__":
    main()
