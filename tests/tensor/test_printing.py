"""Tensors print as under PyTorch 2.13, to the character (generate_printed.py wrote down how)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcli.graph.state import state
from gradcli.tensor import Tensor
from gradcli.tensor.printing import options

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "printed.json").read_text())


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    default, torch = state.default_float, state.torch_semantics
    state.default_float = np.dtype(np.float64)
    yield
    state.default_float, state.torch_semantics = default, torch
    options.reset()


def array_of(case: dict[str, Any]) -> np.ndarray[Any, Any]:
    shape, dtype = tuple(case["shape"]), case["dtype"]
    if case["values"] is None:
        count = int(np.prod(shape))
        return (np.arange(count) / (1 if dtype.startswith(("int", "uint", "bool")) else 7)).astype(dtype).reshape(shape)
    if dtype.startswith("complex"):
        return np.array([complex(*pair) for pair in case["values"]], dtype=dtype).reshape(shape)
    return np.array(case["values"], dtype=dtype).reshape(shape)


def printed(case: dict[str, Any]) -> str:
    options.reset()
    state.default_float = np.dtype(case["default"])
    for name, value in case["options"].items():
        setattr(options, name, value)
    tensor = Tensor(array_of(case))
    if case["tracked"]:
        tensor.requires_grad_()
    return str(tensor)


def test_prints_what_pytorch_prints() -> None:
    wrong = [(case["text"], found) for case in CASES if (found := printed(case)) != case["text"]]
    assert wrong == []
    assert len(CASES) >= 250


def test_format() -> None:
    assert f"{Tensor(np.array(2.5)):.3f} {Tensor(np.array(3))}" == "2.500 3"
    assert f"{Tensor(np.array([1.0]))}" == "tensor([1.])"
    with pytest.raises(TypeError, match=r"unsupported format string passed to Tensor.__format__"):
        f"{Tensor(np.array([1.0])):.2f}"


def test_an_array_prints_as_numpy_does() -> None:
    tensor = Tensor(np.array([1.0, 2.5], dtype=np.float32)).as_array()
    assert str(tensor) == "[1.  2.5]"
