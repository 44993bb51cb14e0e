"""What Bessel functions share: functions of any order, and those of x alone, which are an op at one order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DtypeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, dtype_of
from gradcli.ops.function import Function, case
from gradcli.ops.operands import operands
from gradcli.ops.registry import register, spelled


def node_by_order(nothing: str, one: str) -> Callable[..., Any]:
    """PyTorch's node, by the order: of x alone, as its functions have no order."""
    return lambda operands, params: (f"{one if type(operands[0]) is int and operands[0] else nothing}Backward0", (1,))


def is_nothing(v: Any) -> bool:
    """Whether an order is the number 0."""
    return not hasattr(v, "dtype") and v == 0


#: Where the arguments of tests lie, of functions of all numbers and of positive ones.
LINE, RIGHT = (-8.0, 8.0), (0.3, 8.0)


def _grid(domain: tuple[float, float]) -> Any:
    return np.linspace(*domain, 14)[1:-1].reshape(4, 3)[::2].T


def of_x(
    name: str,
    op: Op,
    order: int,
    doc: str,
    derivative: str,
    also: tuple[str, ...] = (),
    defined: str = "",
    kinks: str = "",
) -> Function:
    """A function of x alone: an op at one order."""
    domain = RIGHT if defined else LINE

    def call(x: Any) -> CoreValue:
        return bind(op, order, *operands((x,), True))

    return register(
        Function(
            name,
            call,
            family="special",
            doc=doc,
            op=op,
            derivative=derivative,
            spellings=spelled(name, "scipy", also),
            domain=domain,
            defined=defined,
            kinks=kinks,
            cases=(*(case(shape) for shape in ((), (3,), (2, 3), (0,), (1,))), case(_grid(domain))),
        )
    )


# Functions of an order name no op: an op's operands are drawn at random by the tests, and an order has no derivative.


def order_and_argument(v: Any, z: Any) -> tuple[CoreValue, CoreValue]:
    """The operands of an op of any order, which may be an array.

    Raises:
        DtypeError: the order is complex.
    """
    (x,) = operands((z,), True)
    if isinstance(v, int | float):
        return v, x
    (order,) = operands((v,), False)
    if dtype_of(order).kind == "c":
        raise DtypeError(f"the order of a Bessel function is a real number, not {dtype_of(order)}")
    return order, x


_HERE = (case(0, (3,)), case(2, (2, 3)), case(np.array([0, 1, 3]), (3,)), case(1, ()), case(2, (0,)), case(2, (1,)))
#: Calls of a function of any order.
ORDERS = (*_HERE, case(2.5, np.array([0.5, 3.0])), case(-1, (3,)))
#: What such a function says of kinks.
FIXED = "none in the order: asking for that derivative is an error"
