"""Run the programs under JAX and write what they find to `expected.json`: `python make_expected.py`."""

import json
from pathlib import Path

import jax
import numpy as np

HERE = Path(__file__).parent


def main() -> None:
    """Write the leaves of `r` of every program."""
    jax.config.update("jax_enable_x64", True)
    found = {}
    for path in sorted(HERE.glob("*.grad")):
        names = {}
        exec(compile(path.read_text(), str(path), "exec"), names)
        found[path.stem] = [np.asarray(leaf).tolist() for leaf in jax.tree_util.tree_leaves(names["r"])]
    lines = ",\n".join(f'  "{name}": {json.dumps(leaves)}' for name, leaves in found.items())
    (HERE / "expected.json").write_text("{\n" + lines + "\n}\n")


main()
