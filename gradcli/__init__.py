"""gradcli: a gradient calculator for the shell.

From Python, the derivatives are functions of functions, `gradcli.grad(f)(x)`; and tensors carry PyTorch's autograd:

    import gradcli as gc
    x = gc.tensor([1.0, 2.0], requires_grad=True)
    (x**2).sum().backward()
    x.grad

Everything is loaded when it is first asked for, so that the command line starts without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcli.autodiff import enable_grad, no_grad
    from gradcli.tensor import Tensor, autograd
    from gradcli.tensor.derivatives import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

__all__ = [
    "Tensor",
    "__version__",
    "autograd",
    "enable_grad",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "value_and_grad",
    "vjp",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The names above, and PyTorch's functions (`gradcli.tensor`, `gradcli.zeros`, `gradcli.sin`, ...).

    Raises:
        AttributeError: there is no such name.
    """
    if name.startswith("__"):
        raise AttributeError(f"module 'gradcli' has no attribute {name!r}")
    if name == "Tensor":
        from gradcli.tensor.handle import Tensor

        return Tensor
    if name == "autograd":
        from gradcli.tensor import autograd

        return autograd
    if name in ("enable_grad", "no_grad"):
        from gradcli import autodiff

        return getattr(autodiff, name)
    if name in __all__:
        from gradcli.tensor import derivatives

        return getattr(derivatives, name)
    from gradcli.tensor.calls import function_named

    found = function_named(name)
    if found is None:
        raise AttributeError(f"module 'gradcli' has no attribute {name!r}")
    return found
