"""Members of PyTorch's modules that are no ops: its types, its switches, and the random seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli import __version__
from gradcli.graph.state import state
from gradcli.language.arguments import matched
from gradcli.language.autograd import AUTOGRAD, FUNCTIONAL
from gradcli.language.by_function import BY_FUNCTION
from gradcli.language.index_tricks import DTYPE_INFO, TRICKS
from gradcli.language.jaxlike import JAX_MEMBERS, VMAP
from gradcli.language.modes import MODES
from gradcli.language.operations import apply, as_index
from gradcli.language.torchdefaults import CUDA, DEFAULTS, NUMPY_CLOSENESS
from gradcli.language.transforms import TORCH_FUNC
from gradcli.language.values import Arguments, Builtin, Keywords, LanguageValue, TypeValue
from gradcli.ops import registry
from gradcli.tensor import Tensor

if TYPE_CHECKING:
    from gradcli.language.machine import Machine

#: The PyTorch that is followed, with gradcli's version as its local part.
TORCH_VERSION = f"2.13.0+gradcli.{__version__}"


def _manual_seed(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    state.seed = abs(as_index(matched("manual_seed", args, kwargs, ("seed",), 1)["seed"], "a seed"))
    state.generator = None
    return None


def _default_rng(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    from gradcli.language.generators import default_rng

    return default_rng(args, kwargs)


def _generator(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    from gradcli.language.generators import torch_generator

    return torch_generator(args, kwargs)


def _is_tensor(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    return isinstance(matched("is_tensor", args, kwargs, ("obj",), 1)["obj"], Tensor)


def _array(args: Arguments, kwargs: Keywords, dtype: np.dtype[Any]) -> LanguageValue:
    array = registry.known("numpy", "array")
    return apply(array, args, {**kwargs, "dtype": dtype})


def _typed(name: str, kind: type[Any]) -> TypeValue:
    dtype = np.dtype(kind)
    return TypeValue(
        name,
        lambda run, args, kwargs: _array(args, kwargs, dtype),
        lambda x: isinstance(x, Tensor) and x.dtype == dtype,
    )


_TENSOR = TypeValue(
    "Tensor",
    lambda run, args, kwargs: _array(args, kwargs, np.dtype(np.float32)),
    lambda x: isinstance(x, Tensor),
)
_SEED = Builtin("manual_seed", _manual_seed)

#: Members by module.
TORCH_MEMBERS: dict[str, dict[str, LanguageValue]] = {
    "torch": {
        **DEFAULTS,
        **DTYPE_INFO,
        "Tensor": _TENSOR,
        "FloatTensor": _typed("FloatTensor", np.float32),
        "DoubleTensor": _typed("DoubleTensor", np.float64),
        "LongTensor": _typed("LongTensor", np.int64),
        "BoolTensor": _typed("BoolTensor", np.bool_),
        "manual_seed": _SEED,
        "Generator": Builtin("Generator", _generator),
        "is_tensor": Builtin("is_tensor", _is_tensor),
        "vmap": VMAP,
        **MODES,
    },
    "torch.autograd": AUTOGRAD,
    "torch.cuda": CUDA,
    "torch.autograd.functional": FUNCTIONAL,
    "torch.utils.checkpoint": JAX_MEMBERS["torch.utils.checkpoint"],
    "torch.func": {**TORCH_FUNC, "vmap": VMAP},
    "numpy": {**NUMPY_CLOSENESS, **BY_FUNCTION, **TRICKS, **DTYPE_INFO},
    "numpy.random": {"seed": _SEED, "default_rng": Builtin("default_rng", _default_rng)},
}
