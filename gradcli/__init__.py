"""gradcli: a gradient calculator for the shell.

From Python, the derivatives are functions of functions: `gradcli.grad(f)(x)`. They are loaded when they are first asked
for, so that the command line starts without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcli.autodiff import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

__all__ = ["__version__", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gradcli' has no attribute {name!r}")
    from gradcli import autodiff

    return getattr(autodiff, name)
