"""Writes expected.json: what each program's own library leaves in `result`, flattened.

    python tests/language/peer_programs/make_expected.py --torch PYTHON --jax PYTHON

PYTHON is one that has torch; or jax, NumPy and SciPy.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def flat(x):
    """All numbers in nested lists, dicts and arrays, a complex one as two."""
    import numpy as np

    if isinstance(x, dict):
        return [number for key in x for number in flat(x[key])]
    if isinstance(x, list | tuple):
        return [number for part in x for number in flat(part)]
    x = np.asarray(x.detach() if hasattr(x, "detach") else x).ravel()
    return [float(part) for z in x for part in ((z.real, z.imag) if x.dtype.kind == "c" else (z,))]


def answer(name: str) -> list[float]:
    """Run a program in this Python."""
    variables: dict[str, object] = {}
    exec((HERE / f"{name}.grad").read_text(), variables)
    return flat(variables["result"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--torch", default=sys.executable)
    parser.add_argument("--jax", default=sys.executable)
    parser.add_argument("--one")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(answer(options.one)))
        return
    found = {}
    for path in sorted(HERE.glob("*.grad")):
        python = options.torch if path.stem.startswith("torch") else options.jax
        command = [python, "-W", "ignore", __file__, "--one", path.stem]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found[path.stem] = json.loads(said.splitlines()[-1])
    lines = [f"{json.dumps(name)}: {json.dumps(numbers)}" for name, numbers in found.items()]
    (HERE / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
