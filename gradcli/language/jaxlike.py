"""Members of JAX's modules (and of functools) that are no ops: control flow, trees, transformations.

Most programs use none of them, so the modules that hold them are loaded when one is first called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from gradcli.language.arguments import matched
from gradcli.language.transforms import JAX_ONLY, TRANSFORMS
from gradcli.language.values import Arguments, Builtin, FunctionValue, Keywords, LanguageValue

if TYPE_CHECKING:
    from gradcli.language.machine import Machine


def _later(module: str, key: str, name: str = "") -> Builtin:
    """A function of a module of this package that is loaded when it is called."""

    def call(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        return import_module(f"gradcli.language.{module}").CALLS[key](run, args, kwargs)

    return Builtin(name or key, call)


def _configure(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`jax.config.update("jax_enable_x64", True)`: nothing to do; floats have 64 bits, or what `--dtype` says."""
    matched("update", args, kwargs, ("name", "val"), 2)
    return None


VMAP = _later("batching", "vmap")
_CHECKPOINT = _later("checkpointing", "checkpoint")
_LOOPS = {name: _later("loops", name) for name in ("fori_loop", "while_loop", "scan")}
_CUSTOM = {name: _later("custom", name) for name in ("custom_gradient", "custom_vjp", "custom_jvp")}
_TREES = {
    name: _later("tree_functions", f"tree_{name}")
    for name in ("map", "leaves", "reduce", "structure", "flatten", "unflatten")
}

_KEYED = (
    *("PRNGKey", "key", "key_data", "wrap_key_data", "split", "fold_in"),
    *("normal", "uniform", "bernoulli", "randint", "rademacher", "exponential", "laplace", "logistic", "gumbel"),
    *("gamma", "beta", "dirichlet", "poisson", "multivariate_normal", "categorical", "choice", "permutation"),
)

#: Those that go by their bare names.
BARE: dict[str, FunctionValue] = {"vmap": VMAP, "checkpoint": _CHECKPOINT, **_LOOPS, **_CUSTOM}

#: Members by module.
JAX_MEMBERS: dict[str, dict[str, LanguageValue]] = {
    "jax": {
        **JAX_ONLY,
        "vmap": VMAP,
        "checkpoint": _CHECKPOINT,
        "remat": _CHECKPOINT,
        "tree_map": _TREES["map"],
        **_CUSTOM,
    },
    "jax.lax": {
        **JAX_ONLY,
        **_LOOPS,
        **{name: _later("loops", name) for name in ("cond", "switch", "map", "associative_scan")},
    },
    "jax.ad_checkpoint": {"checkpoint": _CHECKPOINT},
    "jax.config": {"update": Builtin("update", _configure)},
    "jax.flatten_util": {"ravel_pytree": _later("tree_functions", "ravel_pytree")},
    "jax.random": {name: _later("keys", name) for name in _KEYED},
    "jax.tree": _TREES,
    "jax.tree_util": {
        **{f"tree_{name}": function for name, function in _TREES.items()},
        "Partial": _later("tree_functions", "partial"),
    },
    "functools": {name: _later("tree_functions", name) for name in ("partial", "reduce")},
    "torch.utils.checkpoint": {"checkpoint": _later("checkpointing", "torch checkpoint", "checkpoint")},
}

#: Functions whose first argument is a function.
FUNCTION_FIRST = frozenset(
    {"vmap", "checkpoint", "remat", "while_loop", "scan", "tree_map", "tree_reduce", "partial", "Partial", "reduce"}
    | {*_CUSTOM, "jit", "linearize", "associative_scan"}
    | (TRANSFORMS.keys() - {"stop_gradient", "no_grad", "enable_grad"})
)
#: Those that take functions elsewhere too.
TAKES_FUNCTIONS = FUNCTION_FIRST | {"fori_loop", "cond", "switch", "map", "defvjp", "defjvp", "defjvps"}
