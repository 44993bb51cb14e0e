"""The ops behind `gradcli.ops.carrying`, for values that are traced."""

from __future__ import annotations

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import OPERATORS
from gradcli.ops.carrying import carried, carried_both, carried_over, product, quotient
from gradcli.ops.dependence import multiplied
from gradcli.ops.kinds import added, conj, elementwise_general

CARRIED: Op = elementwise_general(
    "carried",
    product,
    vjps=(
        lambda h, y, g, p, both=False: (carried_both if both else carried)(h, conj(p)),
        lambda h, y, g, p, both=False: carried_both(h, conj(g)),
    ),
    jvp=lambda ts, y, g, p, both=False: added(
        None if ts[0] is None else (carried_both if both else carried)(ts[0], p),
        None if ts[1] is None else carried_both(g, ts[1]),
    ),
    meaning=lambda S, g, p, both=False: g * p,
    torch="Mul",
    saves=((0, 1), (1, 0)),
    depends=multiplied,
    doc="A product that is 0 where its first factor is.",
)
CARRIED_OVER: Op = elementwise_general(
    "carried_over",
    quotient,
    vjps=(
        lambda h, z, g, y: carried_over(h, conj(y)),
        lambda h, z, g, y: carried_both(-h, conj(carried_over(z, y))),
    ),
    jvp=lambda ts, z, g, y: carried_over(added(ts[0], None if ts[1] is None else carried_both(z, -ts[1])), y),
    meaning=lambda S, g, y: g / y,
    torch="Div",
    saves=((0, 1), 1),
    doc="A quotient that is 0 where its numerator is.",
)
OPERATORS["carried"] = lambda g, p, **params: bind(CARRIED, g, p, **params)
OPERATORS["carried_over"] = lambda g, y: bind(CARRIED_OVER, g, y)
