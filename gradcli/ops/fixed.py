"""Parameters by which a function has no derivative, as an order: asking for that derivative is an error, never a 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import NotDifferentiable
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Value, count_of, dtype_of, shape_of
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import elementwise
from gradcli.ops.shape import reshaped


def refused(name: str, what: str = "order") -> Callable[..., CoreValue]:
    """The partial derivative by a parameter that there is none by: it raises NotDifferentiable."""

    def partial(*_: Any, **__: Any) -> CoreValue:
        raise NotDifferentiable(
            f"{name} is not differentiable in its {what}",
            mend=f"choose the other inputs with --wrt, or take .detach() of the {what}",
        )

    return partial


HELD: Op = elementwise(
    "held",
    lambda x, p, *, name, what: np.array(x),
    1,
    lambda y, x, p, **names: refused(**names)(),
    meaning=lambda S, x, p, *, name, what: x,
    doc="x, which hangs on a parameter in a way that has no derivative.",
)


def held(x: CoreValue, parameter: Any, name: str, what: str = "order") -> CoreValue:
    """`x`, an operand of the function of that name, whose result hangs on a parameter, too: one that
    is not one of the program's constants may be differentiated by, which is refused."""
    if not isinstance(parameter, Value) or dtype_of(parameter).kind != "f" or not count_of(shape_of(parameter)):
        return x
    one = getitem(reshaped(parameter, (-1,)), 0) if shape_of(parameter) else parameter
    return bind(HELD, x, one, name=name, what=what)
