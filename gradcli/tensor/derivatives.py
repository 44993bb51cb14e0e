"""The derivatives as Python's users call them: functions of tensors, handed tensors or arrays.

Answers are tensors where an argument is one, and arrays otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradcli import autodiff
from gradcli.autodiff import trees
from gradcli.autodiff.transforms import Argnums
from gradcli.tensor.handle import Tensor
from gradcli.tensor.wrapping import unwrap, wrap

Fun = Callable[..., Any]


def _on_cores(f: Fun) -> Fun:
    """A function of tensors as the engine calls it: with core values."""
    return lambda *xs: unwrap(f(*(wrap(x) for x in xs)))


def _like(given: Any, answer: Any) -> Any:
    """The answer as tensors, if anything given was one."""
    return wrap(answer) if any(isinstance(x, Tensor) for x in trees.leaves(given)) else answer


def _of_function(transform: Callable[[Fun, Argnums], Fun]) -> Callable[..., Fun]:
    def derivative(f: Fun, argnums: Argnums = 0) -> Fun:
        inner = transform(_on_cores(f), argnums)
        return lambda *args: _like(args, inner(*unwrap(args)))

    derivative.__doc__ = transform.__doc__
    return derivative


grad = _of_function(autodiff.grad)
value_and_grad = _of_function(autodiff.value_and_grad)
jacobian = _of_function(autodiff.jacobian)
hessian = _of_function(autodiff.hessian)


def vjp(f: Fun, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """(value, pullback): the pullback takes a cotangent of the value's form to one per primal."""
    value, pullback = autodiff.vjp(_on_cores(f), *unwrap(primals))
    return _like(primals, value), lambda cotangent: _like(primals, pullback(unwrap(cotangent)))


def jvp(f: Fun, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(value, tangent), pushed forward in one run."""
    found: tuple[Any, Any] = _like(primals, autodiff.jvp(_on_cores(f), unwrap(primals), unwrap(tangents)))
    return found


def hvp(f: Fun, primals: Any, tangents: Any) -> Any:
    """Hessian of scalar `f` times tangents: of the form of the primals."""
    return _like(primals, autodiff.hvp(_on_cores(f), unwrap(primals), unwrap(tangents)))
