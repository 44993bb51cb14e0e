"""Differentiation: reverse, forward and batch interpreters, and derivatives as functions of functions."""

from gradcli.autodiff.levels import enable_grad, no_grad, stop_gradient
from gradcli.autodiff.linearize import Linearized
from gradcli.autodiff.reverse import TAPE, ReverseLevel, sweep
from gradcli.autodiff.transforms import (
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)

__all__ = [
    "TAPE",
    "Linearized",
    "ReverseLevel",
    "enable_grad",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "no_grad",
    "stop_gradient",
    "sweep",
    "value_and_grad",
    "vjp",
]
