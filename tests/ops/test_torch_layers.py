"""Layers, pools, images and losses give PyTorch's answers; see `peers/layer_cases.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peers.layer_cases import LayerCall, arrays, layer_calls, projected, weights

from gradcli.autodiff import vjp
from gradcli.ops.registry import lookup

PEERS = Path(__file__).parent / "peers"
CALLS = layer_calls()
ANSWERS = json.loads((PEERS / "layer_answers.json").read_text(encoding="utf-8"))["answers"]


def replaced(tree: Any, given: Any) -> Any:
    """A call's arguments with other float arrays."""
    if isinstance(tree, list | tuple):
        return type(tree)(replaced(part, given) for part in tree)
    if isinstance(tree, dict):
        return {key: replaced(part, given) for key, part in tree.items()}
    return next(given) if isinstance(tree, np.ndarray) and tree.dtype.kind == "f" else tree


def answer(call: LayerCall) -> list[list[float]]:
    """The same projections that are kept of PyTorch's answer."""
    function = lookup("torch.nn.functional", call.name)
    assert function is not None
    floats = list(arrays((call.args, call.kwargs)))
    count = len(floats) if call.by is None else call.by

    def results(*xs: Any) -> list[Any]:
        args, kwargs = replaced((call.args, call.kwargs), iter([*xs, *floats[len(xs) :]]))
        made = function(*args, **kwargs)
        return list(made) if isinstance(made, tuple) else [made]

    values = [np.asarray(y) for y in results()]
    found = [projected(y, i) for i, y in enumerate(values)]
    if count:
        moving = [i for i, y in enumerate(values) if y.dtype.kind == "f"]
        _, pullback = vjp(lambda *xs: [results(*xs)[i] for i in moving], *floats[:count])
        shares = pullback([weights(values[i].shape, i) for i in moving])
        found += [projected(g, i) for i, g in enumerate(shares)]
    return found


@pytest.mark.parametrize("place", range(len(CALLS)), ids=lambda i: f"{CALLS[i].name}-{i}")
def test_pytorch_gives_the_same(place: int) -> None:
    with np.errstate(all="ignore"):
        found = answer(CALLS[place])
    np.testing.assert_allclose(found, ANSWERS[place], rtol=1e-9, atol=1e-9 * _size(ANSWERS[place]))


def _size(rows: list[list[float]]) -> float:
    finite = [abs(x) for row in rows for x in row if np.isfinite(x)]
    return max(finite, default=1.0)


def test_the_answers_are_of_these_calls() -> None:
    assert len(ANSWERS) == len(CALLS) > 300
