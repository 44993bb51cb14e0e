"""Write PyTorch's answers to the calls of `layer_cases`, with an interpreter that has PyTorch:

python tests/ops/peers/make_layer_answers.py
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from layer_cases import LayerCall, layer_calls, projected, weights


def _tensors(tree: Any, found: list[Any]) -> Any:
    if isinstance(tree, list | tuple):
        return type(tree)(_tensors(part, found) for part in tree)
    if isinstance(tree, dict):
        return {key: _tensors(part, found) for key, part in tree.items()}
    if not isinstance(tree, np.ndarray):
        return tree
    made = torch.tensor(tree)
    if tree.dtype.kind == "f":
        found.append(made)
    return made


def answer(call: LayerCall) -> list[list[float]]:
    """Projections of the results, then of the gradients."""
    floats: list[Any] = []
    args, kwargs = _tensors(call.args, floats), _tensors(call.kwargs, floats)
    wanted = floats if call.by is None else floats[: call.by]
    for x in wanted:
        x.requires_grad_()
    made = getattr(torch.nn.functional, call.name)(*args, **kwargs)
    results = list(made) if isinstance(made, tuple) else [made]
    found = [projected(y.detach().numpy(), i) for i, y in enumerate(results)]
    if wanted:
        loss = sum((y * torch.tensor(weights(y.shape, i))).sum() for i, y in enumerate(results) if y.requires_grad)
        shares = torch.autograd.grad(loss, wanted, allow_unused=True)
        found += [
            projected(np.zeros(x.shape) if g is None else g.numpy(), i)
            for i, (x, g) in enumerate(zip(wanted, shares, strict=True))
        ]
    return found


def main() -> None:
    """Write them beside this file."""
    warnings.simplefilter("ignore")
    answers = [answer(call) for call in layer_calls()]
    document = {"torch": torch.__version__, "answers": answers}
    place = Path(__file__).with_name("layer_answers.json")
    place.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
