"""Write printed.json: tensors of all dtypes, shapes and magnitudes as the real PyTorch 2.13 prints them (needs torch).

python tests/tensor/generate_printed.py
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch

DTYPES = ["float32", "float64", "int64", "int32", "int8", "uint8", "bool", "complex64", "complex128", "float16"]
FLAT: list[tuple[int, ...]] = [(), (1,), (2,), (7,), (20,), (45,), (0,)]
DEEP: list[tuple[int, ...]] = [(0, 3), (2, 0), (3, 1), (1, 4), (2, 3), (5, 9), (2, 2, 2), (2, 1, 3), (1, 1, 1, 2)]
SHAPES = FLAT + DEEP
BIG: list[tuple[int, ...]] = [(1001,), (40, 40), (7, 150), (11, 10, 10), (1, 1200), (300, 1, 4)]
OPTIONS: dict[str, list[Any]] = {
    "precision": [0, 2, 6],
    "threshold": [0, 5],
    "edgeitems": [0, 1, 2],
    "linewidth": [30, 120],
    "sci_mode": [True, False],
}


def numbers(chance: random.Random, count: int) -> list[float]:
    """Numbers of one of several kinds, a special one now and then."""
    kind = chance.choice(["normal", "whole", "scaled", "spread", "few"])
    scale = 10.0 ** chance.randint(-7, 9)
    found = []
    for _ in range(count):
        if kind == "whole":
            found.append(float(chance.randint(-1000, 1000)))
        elif kind == "spread":
            found.append(chance.gauss(0, 1) * 10.0 ** chance.uniform(-4, 4))
        else:
            found.append(round(chance.gauss(0, 1), 3) * (scale if kind == "scaled" else 1))
    if count and chance.random() < 0.3:
        found[chance.randrange(count)] = chance.choice([float("nan"), float("inf"), float("-inf"), -0.0])
    return found


def made(chance: random.Random, shape: tuple[int, ...], dtype: str) -> np.ndarray[Any, Any]:
    """An array; large ones are ranges, so that the file stays small."""
    count = int(np.prod(shape))
    if count > 100:
        return (np.arange(count) / (1 if dtype.startswith(("int", "uint", "bool")) else 7)).astype(dtype).reshape(shape)
    values = np.array(numbers(chance, count))
    if dtype.startswith("complex"):
        values = values + 1j * np.array(numbers(chance, count))
    with np.errstate(all="ignore"):
        if dtype.startswith(("int", "uint")):
            values = np.nan_to_num(values, posinf=9, neginf=-9)
            values = np.clip(values, -1e15, 1e15).astype("int64")
        return values.astype(dtype).reshape(shape)


def main() -> None:
    assert torch.__version__.startswith("2.13."), torch.__version__
    chance = random.Random(3)
    cases = []
    for i in range(260):
        shape = chance.choice(BIG) if i % 13 == 0 else chance.choice(SHAPES)
        dtype = DTYPES[i % len(DTYPES)]
        array = made(chance, shape, dtype)
        options = {k: chance.choice(v) for k, v in OPTIONS.items() if chance.random() < 0.1}
        default = "float64" if i % 7 == 0 else "float32"
        torch.set_default_dtype(getattr(torch, default))
        torch.set_printoptions(profile="default", sci_mode=None)
        torch.set_printoptions(**options)
        tensor = torch.from_numpy(array.copy())
        tracked = array.dtype.kind in "fc" and chance.random() < 0.4
        if tracked:
            tensor.requires_grad_()
        cases.append(
            {
                "dtype": dtype,
                "shape": shape,
                "values": None if array.size > 100 else listed(array),
                "options": options,
                "default": default,
                "tracked": tracked,
                "text": str(tensor),
            }
        )
    lines = ",\n".join(json.dumps(case) for case in cases)
    (Path(__file__).parent / "printed.json").write_text(f"[\n{lines}\n]\n")


def listed(array: np.ndarray[Any, Any]) -> list[Any]:
    """The elements in order; a complex one as a pair."""
    if array.dtype.kind == "c":
        return [[x.real, x.imag] for x in array.reshape(-1).tolist()]
    found: list[Any] = array.reshape(-1).tolist()
    return found


if __name__ == "__main__":
    main()
