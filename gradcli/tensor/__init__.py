"""PyTorch's face of the engine: the Tensor handle, in-place updates, views, and the tape."""

from gradcli.tensor.handle import Tensor, unwrap, wrap
from gradcli.tensor.numbers import as_float, as_int, truth

__all__ = ["Tensor", "as_float", "as_int", "truth", "unwrap", "wrap"]
