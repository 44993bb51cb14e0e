"""Core values as tensors and back, in lists, tuples and dicts too."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.values import Value
from gradcli.ops.results import Results
from gradcli.tensor.handle import Tensor


def wrap(x: Any) -> Any:
    """Core values as tensors, in lists, tuples and dicts too."""
    if isinstance(x, Value | np.ndarray | np.generic):
        return Tensor(x)
    if isinstance(x, list):
        return [wrap(part) for part in x]
    if isinstance(x, tuple):
        parts = [wrap(part) for part in x]
        return type(x)(parts) if isinstance(x, Results) else tuple(parts)
    if isinstance(x, dict):
        return {key: wrap(part) for key, part in x.items()}
    return x


def unwrap(x: Any) -> Any:
    """Tensors as core values, in lists, tuples and dicts too."""
    if isinstance(x, Tensor):
        return x.value
    if isinstance(x, list):
        return [unwrap(part) for part in x]
    if isinstance(x, tuple):
        return tuple(unwrap(part) for part in x)
    if isinstance(x, dict):
        return {key: unwrap(part) for key, part in x.items()}
    if isinstance(x, slice):
        return slice(unwrap(x.start), unwrap(x.stop), unwrap(x.step))
    return x
