"""How long a cold command takes beside a bare import of NumPy, in the same environment.

    python benchmarks/startup.py [RUNS]

Runs the two in turn, so that both meet the same machine, and prints the medians and their ratio. The goal is 1.6.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

GOAL = 1.6
BARE = [sys.executable, "-c", "import numpy"]
COMMAND = [sys.executable, "-m", "gradcli", "grad", "sum(x**2)", "x=1,2,3"]


def seconds(command: list[str], environment: dict[str, str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - begin


def measure(runs: int) -> tuple[list[float], list[float]]:
    """Times of the bare import and of the command.

    A run of each comes first, which leaves both with compiled modules, as pip leaves an installed package.
    """
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        seconds(BARE, environment)
        seconds(COMMAND, environment)
        pairs = [(seconds(BARE, environment), seconds(COMMAND, environment)) for _ in range(runs)]
    return [bare for bare, _ in pairs], [command for _, command in pairs]


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    bare, command = measure(runs)
    ratio = statistics.median(command) / statistics.median(bare)
    for name, times in (("import numpy", bare), ("gradcli grad", command)):
        print(f"{name:<14} median {statistics.median(times) * 1e3:6.1f} ms   best {min(times) * 1e3:6.1f} ms")
    print(f"ratio          {ratio:.2f} of the medians, {min(command) / min(bare):.2f} of the best (goal: {GOAL})")
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
