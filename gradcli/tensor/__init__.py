"""PyTorch's face of the engine: the Tensor handle, in-place updates, views, and the tape.

The package is also the constructor: `gradcli.tensor([1.0, 2.0], requires_grad=True)` makes a tensor.
"""

import sys
from types import ModuleType
from typing import Any

from gradcli.tensor import python as _python  # gives Tensor its operators
from gradcli.tensor.calls import function_named
from gradcli.tensor.handle import Tensor
from gradcli.tensor.numbers import as_float, as_int, truth
from gradcli.tensor.wrapping import unwrap, wrap

__all__ = ["Tensor", "as_float", "as_int", "truth", "unwrap", "wrap"]

del _python


class _Package(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        make = function_named("tensor")
        assert make is not None
        return make(*args, **kwargs)


sys.modules[__name__].__class__ = _Package
