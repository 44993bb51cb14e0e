"""What names mean: modules and their members, constants, and the built-in functions of the language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.language.builtins import BUILTINS, TYPES
from gradcli.language.by_function import FUNCTION_FIRST
from gradcli.language.diagnostics import ProgramError, did_you_mean
from gradcli.language.jaxlike import BARE, JAX_MEMBERS, TAKES_FUNCTIONS
from gradcli.language.jaxlike import FUNCTION_FIRST as OF_JAX_FIRST
from gradcli.language.operations import OpFunction
from gradcli.language.source import Span
from gradcli.language.torchlike import TORCH_MEMBERS, TORCH_VERSION
from gradcli.language.transforms import TRANSFORMS as DERIVATIVES
from gradcli.language.values import Builtin, LanguageValue, ModuleValue, TypeValue
from gradcli.ops import registry
from gradcli.ops.stats_names import DISTRIBUTIONS
from gradcli.tensor import Tensor

#: The modules within torch.distributions; all of them hold all its names here.
DISTRIBUTION_MODULES = (
    "bernoulli",
    "beta",
    "binomial",
    "categorical",
    "dirichlet",
    "distribution",
    "exponential",
    "gamma",
    "independent",
    "kl",
    "laplace",
    "log_normal",
    "multivariate_normal",
    "normal",
    "poisson",
    "uniform",
)
#: Modules that a program may import or reach as members of others.
MODULES = frozenset(
    {
        "functools",
        "jax",
        "jax.ad_checkpoint",
        "jax.config",
        "jax.flatten_util",
        "jax.lax",
        "jax.nn",
        "jax.numpy",
        "jax.numpy.fft",
        "jax.numpy.linalg",
        "jax.ops",
        "jax.random",
        "jax.scipy",
        "jax.scipy.fft",
        "jax.scipy.integrate",
        "jax.scipy.linalg",
        "jax.scipy.signal",
        "jax.scipy.special",
        "jax.tree",
        "jax.tree_util",
        "math",
        "numpy",
        "numpy.fft",
        "numpy.lib",
        "numpy.lib.stride_tricks",
        "numpy.linalg",
        "numpy.random",
        "scipy",
        "scipy.fft",
        "scipy.integrate",
        "scipy.linalg",
        "scipy.signal",
        "scipy.special",
        "torch",
        "torch.autograd",
        "torch.cuda",
        "torch.distributions",
        "torch.fft",
        "torch.autograd.functional",
        "torch.func",
        "torch.linalg",
        "torch.nn",
        "torch.nn.functional",
        "torch.special",
        "torch.utils",
        "torch.utils.checkpoint",
        "jax.scipy.stats",
        "scipy.stats",
        *(f"torch.distributions.{name}" for name in DISTRIBUTION_MODULES),
        *(f"{module}.{name}" for module in ("scipy.stats", "jax.scipy.stats") for name in DISTRIBUTIONS),
    }
)
#: The modules that errors name when another one is imported.
_OFFERED = "torch, numpy, math, jax, scipy.special and scipy.linalg"

#: Names that stand for their module in a formula pasted without its imports.
USUAL_MODULES = {
    "np": "numpy",
    "numpy": "numpy",
    "jnp": "jax.numpy",
    "jax": "jax",
    "lax": "jax.lax",
    "math": "math",
    "scipy": "scipy",
    "torch": "torch",
}

CONSTANTS: dict[str, float] = {
    "pi": math.pi,
    "e": math.e,
    "inf": math.inf,
    "nan": math.nan,
    "euler_gamma": float(np.euler_gamma),
}
_MODULE_CONSTANTS: dict[str, dict[str, LanguageValue]] = {
    "numpy": {**CONSTANTS, "newaxis": None},
    "math": {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan, "tau": math.tau},
    "torch": {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan, "newaxis": None},
    "scipy": {"pi": math.pi},
}

_DTYPES: dict[str, type[Any]] = {
    "bool": np.bool_,
    "bool_": np.bool_,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "uint8": np.uint8,
    "float16": np.float16,
    "int_": np.int64,
    "float32": np.float32,
    "float64": np.float64,
    "complex64": np.complex64,
    "complex128": np.complex128,
}
_TORCH_DTYPES: dict[str, type[Any]] = {
    **_DTYPES,
    "int": np.int32,
    "long": np.int64,
    "half": np.float16,
    "float": np.float32,
    "double": np.float64,
    "cfloat": np.complex64,
    "cdouble": np.complex128,
}


def imported(path: str, span: Span) -> ModuleValue:
    """The module of an import.

    Raises:
        ProgramError: it is none that a program may import.
    """
    if path in MODULES:
        return ModuleValue(path)
    raise ProgramError(
        f"module '{path}' cannot be imported",
        mend=f"the modules are {_OFFERED}",
        span=span,
    )


def member(path: str, name: str) -> LanguageValue | None:
    """What `name` is in the module `path`; `Ellipsis` when it has no such name (None is a value)."""
    inner = f"{path}.{name}"
    if inner in MODULES:
        return ModuleValue(inner)
    found = _special_member(path, name)
    if found is not ...:
        return found
    function = registry.lookup(path, name)
    return ... if function is None else OpFunction(function)


def known_member(path: str, name: str, span: Span | None) -> LanguageValue:
    """What `name` is in the module `path`.

    Raises:
        ProgramError: it has no such name; suggests the nearest.
    """
    found = member(path, name)
    if found is not ...:
        return found
    known = [*registry.names(path), *_special_names(path)]
    raise ProgramError(f"module '{path}' has no '{name}' here", mend=did_you_mean(name, known), span=span)


def bare(name: str, stars: Sequence[str]) -> LanguageValue:
    """What a name means that the program does not bind; `Ellipsis` when nothing."""
    for path in reversed(stars):
        found = member(path, name)
        if found is not ...:
            return found
    if name in CONSTANTS:
        return CONSTANTS[name]
    found = _function(name)
    if found is not ...:
        return found
    return ModuleValue(USUAL_MODULES[name]) if name in USUAL_MODULES else ...


def function_named(name: str, stars: Sequence[str]) -> LanguageValue:
    """The function that a name means where it is called; `Ellipsis` when there is none."""
    for path in reversed(stars):
        found = member(path, name)
        if found is not ... and isinstance(found, Builtin | OpFunction):
            return found
    return _function(name)


def is_function(name: str, stars: Sequence[str]) -> bool:
    """Whether a name that the program does not bind is a function."""
    return function_named(name, stars) is not ...


def is_constant(name: str, stars: Sequence[str]) -> bool:
    """Whether a name that the program does not bind is a number."""
    return isinstance(bare(name, stars), float)


def is_type(name: str) -> bool:
    """Whether a name is one of Python's types."""
    return name in TYPES or name in _DTYPES


def takes_function(name: str) -> bool:
    """Whether the first argument of a function is a function."""
    return name in _FUNCTION_FIRST


_FUNCTION_FIRST = OF_JAX_FIRST | FUNCTION_FIRST | {"map"}


def takes_functions(name: str) -> bool:
    """Whether some argument of a function is a function."""
    return takes_function(name) or name in TAKES_FUNCTIONS


def is_plain_function(name: str) -> bool:
    """Whether a bare name is a function of numbers, to which no function can be handed."""
    return name not in TRANSFORMS and name not in BUILTINS and registry.lookup("", name) is not None


def bare_names(stars: Sequence[str]) -> list[str]:
    """Every name that may stand bare, for suggestions."""
    found = [*registry.names(""), *BUILTINS, *TRANSFORMS, *CONSTANTS]
    for path in stars:
        found += [*registry.names(path), *_special_names(path)]
    return found


#: Functions of functions, and the switches, by their bare names.
TRANSFORMS = {**DERIVATIVES, **BARE}
_FUNCTIONS: dict[str, LanguageValue] = {}


def _function(name: str) -> LanguageValue:
    found = _FUNCTIONS.get(name)
    if found is None:
        found = _found_function(name)
        if found is ...:
            return ...
        _FUNCTIONS[name] = found
    return found


def _found_function(name: str) -> LanguageValue:
    if name in BUILTINS:
        return BUILTINS[name]
    if name in TRANSFORMS:
        return TRANSFORMS[name]
    function = registry.lookup("", name)
    if function is not None:
        return OpFunction(function)
    return _dtype(_DTYPES[name], "numpy") if name in _DTYPES else ...


def _special_member(path: str, name: str) -> LanguageValue:
    """Members that are no ops."""
    constants = _MODULE_CONSTANTS.get("numpy" if path == "jax.numpy" else path)
    if constants is not None and name in constants:
        return constants[name]
    if path in ("numpy", "jax.numpy"):
        if name in _DTYPES and name != "bool":
            return _dtype(_DTYPES[name], "numpy")
        if name in ("ndarray", "float_", "bool"):
            return _ARRAY_TYPE if name == "ndarray" else TYPES["bool" if name == "bool" else "float"]
    if path == "torch":
        if name in _TORCH_DTYPES:
            return _dtype(_TORCH_DTYPES[name], "torch")
        if name == "__version__":
            return TORCH_VERSION
    return _special_tables(path).get(name, ...)


def _special_tables(path: str) -> dict[str, LanguageValue]:
    if path in JAX_MEMBERS:
        return JAX_MEMBERS[path]
    if path.startswith("torch.distributions"):
        from gradcli.language.distributions import DISTRIBUTIONS as OF_TORCH

        return OF_TORCH
    return TORCH_MEMBERS.get("numpy" if path == "jax.numpy" else path, {})


def _special_names(path: str) -> list[str]:
    found = [*_special_tables(path), *_MODULE_CONSTANTS.get(path, {})]
    found += [m.rpartition(".")[2] for m in MODULES if m.rpartition(".")[0] == path]
    return found + (list(_TORCH_DTYPES) if path == "torch" else list(_DTYPES) if path == "numpy" else [])


def _dtype(kind: type[Any], module: str) -> TypeValue:
    dtype = np.dtype(kind)

    def convert(run: Any, args: list[Any], kwargs: dict[str, Any]) -> LanguageValue:
        array = registry.known("numpy", "array")
        return OpFunction(array).invoke(run, args, {**kwargs, "dtype": dtype})

    return TypeValue(f"{module}.{dtype}", convert, lambda x: isinstance(x, Tensor) and x.dtype == dtype, dtype)


_ARRAY_TYPE = TypeValue("ndarray", lambda run, args, kwargs: None, lambda x: isinstance(x, Tensor))
