"""`torch.autograd` and `torch.autograd.functional`, in PyTorch's signatures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gradcli import autodiff
from gradcli.graph.errors import ArgumentError, AutogradError
from gradcli.graph.values import CoreValue, shape_of
from gradcli.language.arguments import matched
from gradcli.language.modes import MODES
from gradcli.language.operations import truth
from gradcli.language.transforms import differentiable, function_of, primal
from gradcli.language.values import Arguments, Builtin, Keywords, LanguageValue, array, describe, language
from gradcli.tensor import Tensor, gradcheck, tape

if TYPE_CHECKING:
    from gradcli.language.machine import Machine

Call = Callable[["Machine", Arguments, Keywords], LanguageValue]


# --- torch.autograd --------------------------------------------------------------------------------------------------


def _tensors(x: LanguageValue, what: str) -> list[Tensor]:
    found = list(x) if isinstance(x, list | tuple) else [x]
    for part in found:
        if type(part) is not Tensor:
            raise ArgumentError(f"{what} takes tensors, not {describe(part)}")
    return found


def _vectors(x: LanguageValue, what: str) -> list[CoreValue | None] | None:
    if x is None:
        return None
    parts = list(x) if isinstance(x, list | tuple) else [x]
    return [None if part is None else array(part, what) for part in parts]


def _flag(x: LanguageValue) -> bool | None:
    return None if x is None else truth(x)


_GRAD = (
    "outputs",
    "inputs",
    "grad_outputs",
    "retain_graph",
    "create_graph",
    "only_inputs",
    "allow_unused",
    "is_grads_batched",
    "materialize_grads",
)


def _grad(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("grad", args, kwargs, _GRAD, 2)
    if truth(found.get("is_grads_batched", False)):
        raise ArgumentError("grad(): is_grads_batched is not supported", mend="use torch.vmap")
    return tape.grad(
        _tensors(found["outputs"], "grad()"),
        _tensors(found["inputs"], "grad()"),
        _vectors(found.get("grad_outputs"), "grad()"),
        retain_graph=_flag(found.get("retain_graph")),
        create_graph=truth(found.get("create_graph", False)),
        allow_unused=_flag(found.get("allow_unused")),
        materialize_grads=truth(found.get("materialize_grads", False)),
    )


def _backward(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    names = ("tensors", "grad_tensors", "retain_graph", "create_graph", "grad_variables", "inputs")
    found = matched("backward", args, kwargs, names, 1)
    outputs = _tensors(found["tensors"], "backward()")
    inputs = found.get("inputs")
    tape.backward(
        outputs,
        _vectors(found.get("grad_tensors"), "backward()") or [None] * len(outputs),
        retain_graph=_flag(found.get("retain_graph")),
        create_graph=truth(found.get("create_graph", False)),
        inputs=None if inputs is None else _tensors(inputs, "backward()"),
    )
    return None


def _variable(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("Variable", args, kwargs, ("data", "requires_grad", "volatile"), 1)
    data = found["data"]
    if not isinstance(data, Tensor):
        raise ArgumentError("Variable() takes a tensor")
    made = data.detach()
    return made.requires_grad_(True) if truth(found.get("requires_grad", False)) else made


def _gradcheck(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    names = ("func", "inputs", "eps", "atol", "rtol", "raise_exception", "nondet_tol")
    found = matched("gradcheck", args, kwargs, names, 2)
    f = function_of("gradcheck", found["func"])
    options = {key: float(found[key]) for key in ("eps", "atol", "rtol") if key in found}
    return gradcheck.gradcheck(
        lambda *xs: run.call(f, list(xs)),
        _tensors(found["inputs"], "gradcheck()"),
        raise_exception=truth(found.get("raise_exception", True)),
        **options,
    )


# --- torch.autograd.functional ---------------------------------------------------------------------------------------


class _Problem:
    """A function and where it is to be differentiated, as `torch.autograd.functional` takes them."""

    def __init__(self, name: str, run: Machine, args: Arguments, kwargs: Keywords) -> None:
        names: tuple[str, ...] = ("func", "inputs", "v", "create_graph", "strict")
        if name in ("jacobian", "hessian"):
            names = ("func", "inputs", "create_graph", "strict", "vectorize", "strategy", "outer_jacobian_strategy")
        found = matched(name, args, kwargs, names, 2)
        self.name = name
        inputs = found["inputs"]
        self.several = isinstance(inputs, list | tuple)
        self.tracked = truth(found.get("create_graph", False))
        self.inputs = [self._given(x) for x in (inputs if self.several else (inputs,))]
        self.argnums: Any = tuple(range(len(self.inputs))) if self.several else 0
        self.call = differentiable(run, function_of(name, found["func"]), {}, None)
        self.vector = found.get("v")

    def _given(self, x: LanguageValue) -> CoreValue:
        value = primal(x, self.name)
        return value if self.tracked else autodiff.stop_gradient(value)

    def vectors(self, of: Sequence[CoreValue], what: str) -> list[CoreValue]:
        """The vector given, a part for each of `of`; where there is one of one element, 1 by itself.

        Raises:
            AutogradError: it is missing, or has another form.
        """
        if self.vector is None:
            if len(of) != 1 or of[0].size != 1:
                raise AutogradError(f"The vector v can only be None if {what} a single Tensor with a single element.")
            import numpy as np

            return [np.ones(shape_of(of[0]), of[0].dtype)]
        given = self.vector if isinstance(self.vector, list | tuple) else [self.vector]
        found = [self._given(x) for x in given]
        if len(found) != len(of):
            raise AutogradError(f"v is a tuple of invalid length: should be {len(of)} but got {len(found)}.")
        for v, x in zip(found, of, strict=True):
            if shape_of(v) != shape_of(x):
                prefix = f"Entry {0} in v" if len(of) > 1 else "v"
                raise AutogradError(
                    f"{prefix} has invalid size: should be torch.Size({list(shape_of(x))}) but got "
                    f"torch.Size({list(shape_of(v))})."
                )
        return found

    def one_or_all(self, parts: Sequence[CoreValue]) -> Any:
        """One part per input, bare where the input was."""
        return tuple(parts) if self.several else parts[0]

    def scalar(self) -> Callable[..., Any]:
        """The function, seen to return one element."""

        def call(*xs: CoreValue) -> CoreValue:
            from gradcli.ops.shape import reshaped

            y = self.call(*xs)
            if isinstance(y, list | tuple) or y.size != 1:
                raise AutogradError(
                    f"The Tensor returned by the function given to {self.name} should contain a single element"
                )
            return reshaped(y, ())

        return call


def _jacobian(problem: _Problem) -> Any:
    return autodiff.jacobian(problem.call, problem.argnums)(*problem.inputs)


def _hessian(problem: _Problem) -> Any:
    return autodiff.hessian(problem.scalar(), problem.argnums)(*problem.inputs)


def _vjp(problem: _Problem) -> Any:
    value, pull = autodiff.vjp(problem.call, *problem.inputs)
    outputs = list(value) if isinstance(value, list | tuple) else [value]
    vectors = problem.vectors(outputs, "the user-provided function returns")
    found = pull(tuple(vectors) if isinstance(value, list | tuple) else vectors[0])
    return value, problem.one_or_all(found)


def _jvp(problem: _Problem) -> Any:
    vectors = problem.vectors(problem.inputs, "the input to the user-provided function is")
    return autodiff.jvp(problem.call, problem.inputs, vectors)


def _hvp(problem: _Problem) -> Any:
    """Of a function with continuous second derivatives, v times the Hessian is the Hessian times v."""
    vectors = problem.vectors(problem.inputs, "the input to the user-provided function is")
    f = problem.scalar()
    every = tuple(range(len(problem.inputs)))
    (value, _), (_, product) = autodiff.jvp(autodiff.value_and_grad(f, every), problem.inputs, vectors)
    return value, problem.one_or_all(product)


def _functional(name: str, call: Callable[[_Problem], Any]) -> Builtin:
    return Builtin(name, lambda run, args, kwargs: language(call(_Problem(name, run, args, kwargs))))


#: What `torch.autograd.functional` has.
FUNCTIONAL: dict[str, LanguageValue] = {
    name: _functional(name, call)
    for name, call in {
        "jacobian": _jacobian,
        "hessian": _hessian,
        "vjp": _vjp,
        "jvp": _jvp,
        "hvp": _hvp,
        "vhp": _hvp,
    }.items()
}


#: What `torch.autograd` has.
AUTOGRAD: dict[str, LanguageValue] = {
    "Variable": Builtin("Variable", _variable),
    "grad": Builtin("autograd.grad", _grad),
    "backward": Builtin("backward", _backward),
    "gradcheck": Builtin("gradcheck", _gradcheck),
    **{name: MODES[name] for name in ("no_grad", "enable_grad", "inference_mode", "set_grad_enabled")},
}
