"""Computes one derivative inside a peer's Python, and says how long it took.

    python worker.py PEER NAME COMMAND WRT DATA.npz OUT.npz [SECONDS]

Without SECONDS it computes once, as a user's script would; with it, again and again for so long. The answer goes to
OUT.npz; the times, one JSON object, to standard output.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

ROUNDS = 100


def main() -> None:
    peer, name, command, wrt, data, out, *seconds = sys.argv[1:]
    import numpy as np

    with np.load(data) as file:
        arrays = dict(file)
    more = [data] if peer == "gradcli" else []
    compiling, derivative = import_module(f"{peer}_programs").prepared(name, command, wrt.split(","), arrays, *more)
    begin = time.perf_counter()
    answer = derivative()
    best = first = time.perf_counter() - begin
    rounds, end = 1, time.perf_counter() + (float(seconds[0]) if seconds else 0)
    while time.perf_counter() < end and rounds < ROUNDS:
        begin = time.perf_counter()
        derivative()
        best = min(best, time.perf_counter() - begin)
        rounds += 1
    np.savez(out, *[np.asarray(part) for part in answer])
    print(json.dumps({"compile": compiling, "first": first, "best": best, "rounds": rounds}))


if __name__ == "__main__":
    main()
