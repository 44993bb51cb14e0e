"""`checkpoint(f)`, `jax.checkpoint`, and `torch.utils.checkpoint.checkpoint(f, *args)`: memory traded for time.

Nothing that `f` computes on the way is kept; a backward pass runs it again, with the variables around it as they were,
and the same random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gradcli.autodiff import trees
from gradcli.autodiff.checkpoint import checkpoint
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Value
from gradcli.language.arguments import matched
from gradcli.language.closures import Closure
from gradcli.language.transforms import core_tree, function_of
from gradcli.language.values import Arguments, Builtin, FunctionValue, Keywords, LanguageValue, language
from gradcli.tensor import Tensor

if TYPE_CHECKING:
    from gradcli.language.machine import Machine

_JAX = ("fun", "prevent_cse", "policy", "static_argnums")
_TORCH = ("use_reentrant", "preserve_rng_state", "context_fn", "determinism_check", "debug")


def _checkpoint(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`checkpoint(f)`: f, which keeps nothing for the backward pass but its arguments."""
    f = function_of("checkpoint", matched("checkpoint", args, kwargs, _JAX, 1)["fun"])
    made = Builtin(f"checkpoint({f.name})", lambda run, args, kwargs: _called(run, f, args, kwargs))
    made.inner = (f,)
    return made


def _torch_checkpoint(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`torch.utils.checkpoint.checkpoint(f, *args)`: f of them."""
    f = function_of("checkpoint", matched("checkpoint", args[:1], {}, ("function",), 1)["function"])
    return _called(run, f, args[1:], {key: x for key, x in kwargs.items() if key not in _TORCH})


def _called(run: Machine, f: FunctionValue, args: Arguments, kwargs: Keywords) -> LanguageValue:
    if state.recording is not None:
        return run.call(f, args, kwargs)
    closure = Closure(f, run.scopes)
    leaves = trees.leaves([args, kwargs])
    moving = [i for i, x in enumerate(leaves) if type(x) is Tensor and isinstance(x.value, Value)]
    count = len(moving)

    first = True

    def pure(*values: CoreValue) -> Any:
        nonlocal first
        if first:
            # What it does to the variables around it (a list that grows, say) is done once, here.
            first = False
            return core_tree(run.reenter(f, args, kwargs), f.name)
        given = list(leaves)
        for i, value in zip(moving, values[:count], strict=True):
            given[i] = Tensor(value)
        args_now, kwargs_now = trees.like([args, kwargs], given)
        with closure.restored(values[count:]), _silent(run):
            return core_tree(run.reenter(f, args_now, kwargs_now), f.name)

    return language(checkpoint(pure)(*(leaves[i].value for i in moving), *closure.tracked))


@contextmanager
def _silent(run: Machine) -> Iterator[None]:
    """Nothing is printed inside: what runs again has printed already."""
    options = run.options
    run.options = options._replace(print_to=lambda text: None)
    try:
        yield
    finally:
        run.options = options


CALLS: dict[str, Callable[[Machine, Arguments, Keywords], Any]] = {
    "checkpoint": _checkpoint,
    "torch checkpoint": _torch_checkpoint,
}
