"""`gradcheck`: the gradients of a backward pass beside those of differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.autodiff.levels import no_grad
from gradcli.graph.errors import AutogradError
from gradcli.graph.values import Array, concrete
from gradcli.tensor.handle import Tensor
from gradcli.tensor.tape import grad


def gradcheck(
    f: Callable[..., Any],
    inputs: Sequence[Tensor],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether the Jacobian of `f` by backward passes is that by central differences, for inputs that require grad.

    Raises:
        AutogradError: no input requires grad; or, with `raise_exception`, the two differ.
    """
    if not any(x.requires_grad for x in inputs):
        raise AutogradError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    outputs = _outputs(f(*inputs))
    for j, output in enumerate(outputs):
        for i, x in enumerate(inputs):
            if not x.requires_grad:
                continue
            numerical = _numerical(f, inputs, i, j, eps)
            analytical = _analytical(output, x)
            if not np.allclose(analytical, numerical, rtol=rtol, atol=atol):
                if not raise_exception:
                    return False
                raise AutogradError(
                    f"Jacobian mismatch for output {j} with respect to input {i},\n"
                    f"numerical:{Tensor(numerical)!r}\nanalytical:{Tensor(analytical)!r}\n"
                )
    return True


def _outputs(result: Any) -> list[Tensor]:
    return list(result) if isinstance(result, list | tuple) else [result]


def _numerical(f: Callable[..., Any], inputs: Sequence[Tensor], i: int, j: int, eps: float) -> Array:
    """Central differences: a row per element of input i, a column per element of output j."""
    x = np.array(concrete(inputs[i].value))
    rows = []
    for position in np.ndindex(x.shape):
        ends = []
        for step in (eps, -eps):
            moved = x.copy()
            moved[position] += step
            with no_grad():
                result = f(*inputs[:i], Tensor(moved), *inputs[i + 1 :])
            ends.append(concrete(_outputs(result)[j].value).ravel())
        rows.append((ends[0] - ends[1]) / (2 * eps))
    return np.array(rows)


def _analytical(output: Tensor, x: Tensor) -> Array:
    columns = []
    for k in range(output.size):
        vector = np.zeros(output.size, output.dtype)
        vector[k] = 1
        (g,) = grad([output], [x], [vector.reshape(output.shape)], retain_graph=True, materialize_grads=True)
        assert g is not None
        columns.append(concrete(g.value).ravel())
    return np.array(columns).T
